/** The scripts of `complete` in the shells themselves: the completion key completes a word, and runs nothing. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAIN } from './support.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-shells-'));
const pwned = path.join(home, 'pwned');
const secret = path.join(home, 'nightly.token');
const environment = {
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  XDG_CONFIG_HOME: home,
  // No server listens there: these completions need none.
  SYNCRATOR_URL: 'http://127.0.0.1:9',
  TERM: 'dumb',
  PS1: '$ ',
};
/** The program in a checkout, as a shell function. */
const asFunction = `syncrator() { "${process.execPath}" "${MAIN}" "$@"; }`;

/** The text typed before the key, and the end of the line after it. */
const LINES: readonly (readonly [typed: string, ends: string])[] = [
  ['syncrator sched', 'syncrator schedules '],
  ['syncrator jobs list --status=fa', '--status=failed '],
  [`syncrator jobs list --reason "$(touch ${pwned})" --st`, `"$(touch ${pwned})" --status `],
  [`syncrator jobs list --reason \`touch ${pwned}\` --st`, `\`touch ${pwned}\` --status `],
  [`syncrator jobs list --reason "a > ${secret}; b" --st`, '; b" --status '],
  ['syncrator jobs list --reason $HOME ~ --st', '$HOME ~ --status '],
  ['syncrator jobs list --reason "a b:c=d" --sta', '"a b:c=d" --status '],
  [`: | syncrator maint`, '| syncrator maintenance '],
  [`touch; syncrator maint`, '; syncrator maintenance '],
  // After a redirection the shell completes a file.
  [`syncrator tokens create nightly > ${secret.slice(0, -6)}`, `${secret} `],
];

beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish', 'script'])
    if (spawnSync(shell, ['--version']).error)
      throw new Error(`there is no ${shell}: apt-get install zsh fish bsdutils`);
  writeFileSync(secret, 'secret');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A shell on its own terminal. */
function onTerminal(command: string) {
  const child: ChildProcessWithoutNullStreams = spawn(
    'script',
    ['-qec', `stty columns 250; exec ${command}`, '/dev/null'],
    {
      env: environment,
      cwd: home,
    },
  );
  let screen = '';
  child.stdout.on('data', (text: Buffer) => (screen += text.toString()));
  return {
    /** @param ends expected on the screen, from now on */
    async types(text: string, ends: string): Promise<void> {
      const from = screen.length;
      child.stdin.write(text);
      const shown = () => stripVTControlCharacters(screen.slice(from)).replaceAll(/[\r\n\b]/g, '');
      await expect.poll(shown, { timeout: 30_000 }).toContain(ends);
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

test.each([
  ['bash', 'bash --norc -i', ''],
  ['zsh', 'zsh -f -i', 'autoload -Uz compinit; compinit -u -D; '],
])(
  '%s completes the typed text, and runs none of it',
  async (shell, command, before) => {
    using terminal = onTerminal(command);
    await terminal.types('echo be""gun\n', 'begun');
    await terminal.types(
      `${before}${asFunction}; source <(syncrator complete ${shell}); echo rea""dy\n`,
      'ready',
    );
    for (const [typed, ends] of LINES) {
      // Bash itself completes nothing after a backquote.
      const asked = shell === 'bash' && typed.includes('`') ? typed : ends;
      await terminal.types(`\u0015${typed}\t`, asked);
    }
    expect([existsSync(pwned), readFileSync(secret, 'utf8')]).toEqual([false, 'secret']);
  },
  180_000,
);

test('fish completes the typed text, and runs none of it', { timeout: 120_000 }, () => {
  const script = [
    `function syncrator; "${process.execPath}" "${MAIN}" $argv; end`,
    'syncrator complete fish | source',
    ...LINES.map(([typed]) => `complete -C '${typed.replaceAll(/[\\']/g, String.raw`\$&`)}'; echo`),
    `complete -C 'syncrator jobs list (touch ${pwned}) > ${secret} --st'; echo none`,
  ];
  const ran = spawnSync('fish', ['--no-config', '-c', script.join('\n')], {
    encoding: 'utf8',
    env: environment,
  });
  expect(ran.stderr).toBe('');
  const answers = ran.stdout.split('\n\n').map((lines) => lines.replaceAll(/\t.*$/gm, ''));
  expect(answers).toEqual([
    'schedules',
    '--status=failed',
    ...Array<string>(5).fill('--status'),
    'maintenance',
    'maintenance',
    secret,
    'none\n',
  ]);
  expect([existsSync(pwned), readFileSync(secret, 'utf8')]).toEqual([false, 'secret']);
});

test('bash passes words unchanged, and nothing after a redirection or another command', () => {
  const complete = (words: readonly string[]) => `
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
    __syncrator_complete; echo "\${COMPREPLY[*]}"`;
  const script = [
    asFunction,
    'set -eu; source <(syncrator complete bash)',
    complete(['syncrator', 'jobs', 'list', '--reason', `$(touch ${pwned})\n\`touch ${pwned}\``, '--st']),
    ...['>', '>>', '<', '2>', '|', ';', '&', '&&', '('].map((word) =>
      complete(['syncrator', 'tokens', 'create', 'nightly', ...word.split(/(?<=2)/), secret, '--e']),
    ),
    'complete -p syncrator',
  ].join('\n');
  const ran = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env: environment });
  expect([ran.stdout, ran.stderr]).toEqual([
    `--status\n${'\n'.repeat(9)}complete -F __syncrator_complete syncrator\n`,
    '',
  ]);
  expect([existsSync(pwned), readFileSync(secret, 'utf8')]).toEqual([false, 'secret']);
});

test('no script evaluates', () => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const ran = spawnSync(process.execPath, [MAIN, 'complete', shell], { encoding: 'utf8' });
    expect(ran.status).toBe(0);
    expect(ran.stdout.replaceAll(/^\s*#.*$/gm, '')).not.toMatch(
      /\beval\b|Invoke-Expression|\biex\b|compgen/i,
    );
  }
});
