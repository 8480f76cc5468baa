/** Texts that have broken other programs, each with its own mark, so that it can be recognised. */
import type { Random } from '../random.ts';

export type Payload = { readonly family: string; readonly text: string; readonly mark: string };

type Aims = {
  /** A path at which no text may ever create a file. */
  readonly file: string;
  /** A port of this machine that no text may ever cause a call to. */
  readonly port: number;
};

/** By family: builds a text from a mark. */
const FAMILIES: Readonly<Record<string, (aims: Aims, mark: string) => readonly string[]>> = {
  shell: ({ file }, mark) => [
    `; touch ${file}-${mark}`,
    `$(touch ${file}-${mark})`,
    `\`touch ${file}-${mark}\``,
    `| touch ${file}-${mark} #`,
    `& touch ${file}-${mark} &`,
    `"; touch ${file}-${mark}; "`,
    `'; touch ${file}-${mark}; '`,
    `\${IFS}touch\${IFS}${file}-${mark}`,
    `--config=$(touch ${file}-${mark})`,
    `-e require('child_process').execSync('touch ${file}-${mark}')`,
  ],
  template: (_, mark) => [
    `{{7*7}}${mark}`,
    `\${7*7}${mark}`,
    `<%= ${mark} %>`,
    `$(SYNCRATOR_REPORT_TOKEN)${mark}`,
    `$$(SYNCRATOR_REPORT_TOKEN)$${mark}`,
    `","privileged":true,"x":"${mark}`,
    `"]\n    securityContext: {privileged: true} # ${mark}`,
    `!!js/function ${mark}`,
    `&a [*a] ${mark}`,
    `#{${mark}}`,
  ],
  traversal: (_, mark) => [
    `../../../../etc/passwd?${mark}`,
    `..%2f..%2f..%2fetc%2fpasswd#${mark}`,
    `....//....//etc/passwd/${mark}`,
    `/etc/shadow/${mark}`,
    `..\\..\\windows\\win.ini\\${mark}`,
    `file:///etc/passwd/${mark}`,
    `/proc/self/environ/${mark}`,
    `avo/../../${mark}`,
    `.env.${mark}`,
    `%2e%2e%2f${mark}`,
  ],
  label: (_, mark) => [
    `${mark}${'a'.repeat(80)}`,
    `-${mark}`,
    `${mark}-`,
    `syncrator/job-uid=${mark}`,
    `${mark},env=prd`,
    `${mark} in (a,b)`,
    `${mark.toUpperCase()}_`,
    `${mark}.example.com/x`,
    `kubernetes.io/${mark}`,
    `!${mark}`,
  ],
  crlf: (_, mark) => [
    `a\r\nX-Injected: ${mark}`,
    `a\nSet-Cookie: a=${mark}`,
    `a\r\n\r\n<html>${mark}`,
    `a\rX-Injected: ${mark}`,
    `a%0d%0aX-Injected:${mark}`,
    `a\u0085b${mark}`,
    `a\u2028data: ${mark}`,
    `a\n\nevent: end\ndata: ${mark}`,
    `${mark}\u000b\u000c`,
    `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${mark}`,
  ],
  nul: (_, mark) => [
    `a\u0000${mark}`,
    `${mark}\u0000.png`,
    `${mark}%00.json`,
    `\u0000`,
    `${mark}\u001b[2J\u0007`,
  ],
  unicode: (_, mark) => [
    `\u202e${mark}\u202c`,
    `${mark}\ufeff`,
    `ａｄｍｉｎ${mark}`,
    `e\u0301${mark}`,
    `${'😀'.repeat(20)}${mark}`,
    `\u200b${mark}\u200d`,
    `${mark}\ud800`,
    `İıſK${mark}`,
    `${mark}\uffff`,
    `Z̷̛${'\u0335'.repeat(30)}${mark}`,
  ],
  prototype: (_, mark) => [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    `{"__proto__":{"admin":"${mark}"}}`,
    `constructor.prototype.${mark}`,
    `__proto__[${mark}]`,
    'valueOf',
  ],
  ssrf: ({ port }, mark) => [
    `http://127.0.0.1:${port}/${mark}`,
    `http://localhost:${port}/${mark}`,
    `http://[::1]:${port}/${mark}`,
    `//127.0.0.1:${port}/${mark}`,
    `http://a:b@127.0.0.1:${port}/${mark}`,
    `http://169.254.169.254/latest/meta-data/${mark}`,
    `gopher://127.0.0.1:${port}/_${mark}`,
    `postgres://127.0.0.1:${port}/${mark}`,
    `http://2130706433:${port}/${mark}`,
    `jar:http://127.0.0.1:${port}/!/${mark}`,
  ],
  markup: (_, mark) => [
    `<script>alert('${mark}')</script>`,
    `"><img src=x onerror=alert('${mark}')>`,
    `<svg/onload=alert('${mark}')>`,
    `javascript:alert('${mark}')`,
    `</title><script>${mark}</script>`,
    `<!--${mark}`,
    `]]>${mark}`,
    `<iframe srcdoc="${mark}">`,
    `'-alert('${mark}')-'`,
    `&lt;${mark}&gt;<b>`,
  ],
  // Names that nearly match the patterns of FAMILIES: a backtracking matcher would take for ever.
  pattern: (_, mark) => [
    `${'A'.repeat(60)}${mark}`,
    `${'A'.repeat(99)}!`,
    `${'A_'.repeat(49)}a`,
    'a'.repeat(99),
    `${'a'.repeat(98)}_`,
    'a'.repeat(16_000),
    `${'A'.repeat(4_000)}!`,
    `9${'9'.repeat(90)}${mark}`,
  ],
  sql: (_, mark) => [
    `'; DROP TABLE jobs; -- ${mark}`,
    `' OR '1'='1' -- ${mark}`,
    `${mark}'||pg_sleep(3)||'`,
    `\\'; --${mark}`,
    `${mark}%_%`,
  ],
};

/** In the words of params files: everything that a pattern may contain, one after the other. */
export const PATTERNS = [
  { name: 'upper', pattern: '[A-Z][A-Z0-9_]*' },
  { name: 'lower', pattern: '[a-z]*[a-z]*[a-z]*[a-z]*9' },
];

/** Endless, from all families in turn. */
export function* payloads(random: Random, aims: Aims): Generator<Payload, never> {
  for (;;)
    for (const [family, make] of Object.entries(FAMILIES)) {
      const mark = `h${random.integer(0, 2 ** 31).toString(36)}`;
      yield { family, mark, text: random.pick(make(aims, mark)) };
    }
}
