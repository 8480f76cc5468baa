/** Removes credentials from the texts of programs, before they are stored or shown. Pure. */

/** Replaces a secret. */
export const FILTERED = '<FILTERED>';

const NAMES = 'password|passwd|pwd|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key';
/** A value in quotes, or up to white space; a value that is masked already stays as it is. */
const VALUE = `(?:"[^"\\n]*"?|'[^'\\n]*'?|(?!\\S{0,200}${FILTERED})[^\\s"']\\S*)`;
const FORM = { global: 'g', anyCase: 'gi' };

/**
 * Texts that look like a secret, and values after a word that announces one. Each pattern takes time linear in the
 * text: every repeat has a bound, or cannot begin within itself.
 */
const RULES: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // Service tokens (src/auth/service-token.ts); their id is not secret.
  [/\b(syn_[0-9a-f]{16}_)[A-Za-z0-9_-]{43}/g, `$1${FILTERED}`],
  // Report tokens of running attempts (src/auth/report-token.ts).
  [/(?<![\w.-])(\d{1,3}\.\d{1,4}\.)[A-Za-z0-9_-]{43}(?![\w-])/g, `$1${FILTERED}`],
  // JWTs, also unsigned or cut ones: `eyJ` is the beginning of `{"` in base64.
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*){0,4}/g, FILTERED],
  // Tokens of GitLab and GitHub, signing secrets of Standard Webhooks.
  [/(?<![A-Za-z0-9])(gl[a-z]{2,6}-|gh[a-z]_|github_pat_|whsec_)[A-Za-z0-9_.+/=-]{16,}/g, `$1${FILTERED}`],
  // In prose, not every word after "basic" or "bearer": only one with more than letters in it.
  [/\b(bearer|basic)(\s{1,4})(?=[A-Za-z]{0,200}[\d._~+/=-])[A-Za-z0-9._~+/=-]{8,}/gi, `$1$2${FILTERED}`],
  // In a header every word after it: base64 may consist of letters alone.
  [
    /\b(authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic)\s{1,4})(?!<F)[A-Za-z0-9._~+/=-]{4,}/gi,
    `$1${FILTERED}`,
  ],
  [
    /\b((?:private|job|deploy|x-gitlab|x-auth)-token|x-api-key)(["']?\s{0,4}[:=]\s{0,4}["']?)(?!<F)[^\s"',}]+/gi,
    `$1$2${FILTERED}`,
  ],
  [new RegExp(`([?&;](?:${NAMES}|access_token)=)[^&;\\s"']*`, FORM.anyCase), `$1${FILTERED}`],
  [new RegExp(`(--[\\w-]{0,40}?(?:${NAMES})(?:=|\\s{1,4}(?!-)))${VALUE}`, FORM.anyCase), `$1${FILTERED}`],
  // The output of `env`.
  [
    new RegExp(`(?<!\\w)([A-Z0-9_]{0,60}?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY)=)${VALUE}`, FORM.global),
    `$1${FILTERED}`,
  ],
  // JSON, whose value may contain quotes or be cut; also JSON inside a JSON text.
  [
    new RegExp(
      String.raw`("[\w-]{0,40}?(?:${NAMES})"\s{0,4}:\s{0,4})"[^"\\\n]*(?:\\.[^"\\\n]*)*"?`,
      FORM.anyCase,
    ),
    `$1"${FILTERED}"`,
  ],
  [
    new RegExp(
      String.raw`(\\"[\w-]{0,40}?(?:${NAMES})\\"\s{0,4}:\s{0,4}\\")[^"\\\n]*(?:(?:\\\\\\"|\\[^"\n])[^"\\\n]*)*`,
      FORM.anyCase,
    ),
    `$1${FILTERED}`,
  ],
];

/** The end of a text that announces a secret: a cut must not separate the two. */
export const SECRET_BEGUN = new RegExp(
  `(?:\\b(?:bearer|basic)|--[\\w-]{0,40}(?:${NAMES})|[\\w-]{0,40}-(?:token|key)["']?\\s{0,4}[:=]|"[\\w-]{0,40}(?:${NAMES})"\\s{0,4}:)\\s{1,4}$`,
  'i',
);

/** Masks `user:password@` in every URL, and everything that the rules above match. */
export function maskCredentials(text: string): string {
  let masked = text.includes('//') ? text.replaceAll(/\S+/g, maskUrls) : text;
  for (const [pattern, instead] of RULES) masked = masked.replaceAll(pattern, instead);
  return masked;
}

/** A quote that begins or ends a text, judged by its neighbours; a password may contain other quotes. */
const QUOTE = /["'`](?=[,;:}\])>"'`]|$)|(?<=^|[=,:{[(<])["'`]/g;
/** A scheme whose URLs may have a user and a password, followed by a text after the colon that cannot be a port. */
const HAS_USER =
  /(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|https?|s?ftps?|ssh|ldaps?|smtps?):\/\/[^/?#@[\]:]{0,200}:(?!\/|\d{1,5}(?!\d)(?:\W|$)|$)/i;

/**
 * Masks one word, because one pattern for the whole text would take quadratic time on slashes. Within quotes it
 * masks up to the last `@`, since passwords may contain any character. If a part has a user but no `@`, the
 * password continues after the quote, or was cut.
 */
function maskUrls(word: string): string {
  if (!word.includes('//')) return word;
  let shown = '';
  let from = 0;
  const lastAt = word.lastIndexOf('@');
  const ends = [...word.matchAll(QUOTE)].map(({ index }) => index);
  for (const quote of [...ends, word.length]) {
    if (quote < from) continue; // within a password
    const part = word.slice(from, quote);
    const start = part.indexOf('//');
    const end = part.lastIndexOf('@');
    if (start >= 0 && end > start) shown += `${part.slice(0, start)}//${FILTERED}${part.slice(end)}`;
    else if (start >= 0 && HAS_USER.test(part)) {
      const behind = quote > lastAt ? -1 : word.indexOf('@', quote);
      shown += `${part.slice(0, start)}//${FILTERED}`;
      from = behind < 0 ? quote : behind;
      if (behind >= 0) continue;
    } else shown += part;
    from = quote;
  }
  return shown + word.slice(from);
}

/** Masks every text in a value, however deep. */
export function maskedWithin<T>(value: T): T;
export function maskedWithin(value: unknown): unknown {
  if (typeof value === 'string') return maskCredentials(value);
  if (Array.isArray(value)) return value.map((inner) => maskedWithin<unknown>(inner));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskedWithin<unknown>(inner)]));
}

/** The end of a word, such as `Bearer` or `--token`, that may announce a secret. */
const MAY_BEGIN = /^["'\w-]*[:=]?\s$/;
/** How many characters back a name may begin that makes the next word a secret. */
const NAME_LENGTH = 512;

/**
 * Where the first line begins in a text that was cut at any place; without a line, the first word that cannot be a
 * secret, since the part cut off may have announced one.
 */
export function firstWhole(text: string): number {
  const line = text.indexOf('\n') + 1;
  if (line > 0) return line;
  const first = text.indexOf(' ') + 1;
  for (let at = first; at > 0; at = text.indexOf(' ', at) + 1) {
    const before = text.slice(Math.max(0, at - NAME_LENGTH), at);
    if (!(at === first ? MAY_BEGIN : SECRET_BEGUN).test(before)) return at;
  }
  return first;
}
