/** Parses the lines of a params file into values by key, and collects every fault. */
import { maskCredentials } from '../domain/mask.ts';
import { visible, withoutMark } from '../domain/params-text.ts';

/** A fault of a file; `line` and `key` are null if it concerns none. */
export type ParamsFault = {
  readonly file: string;
  readonly line: number | null;
  readonly key: string | null;
  readonly fault: string;
};

const REQUIRED = ['TARGET', 'ENV', 'ACTION_NAME', 'ACTION', 'IS_TAG', 'OPTIONS'] as const;
const OPTIONAL = [
  'RUNNER',
  'TARGET_PATTERN',
  'PARAMETERS',
  'IMAGE',
  'COMMAND',
  'EXIT_CODES',
  'CALLER_OPTIONS',
  'SCHEDULE',
  'MODE',
  'TIMEZONE',
  'TIMEOUT',
  'START_TIMEOUT',
  'STALLED_AFTER',
  'NO_PROGRESS_AFTER',
  'RETRIES',
  'CPU',
  'MEMORY',
  'POD_OVERRIDES',
  'MAX_DELETE_PERCENT',
  'MAX_DELETE_RECORDS',
  'MAX_UPDATE_PERCENT',
  'APPROVALS',
  'QUEUE',
  'QUEUE_BEHIND',
  'SOURCE_NAME',
  'PROMOTE_FROM',
  'PROMOTE_WITHIN',
  'MAM_MAIN_QUERY',
] as const;
export type ParamKey = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];
/** In the order of docs/reference/params-files.md. */
export const PARAM_KEYS: readonly ParamKey[] = [...REQUIRED, ...OPTIONAL];
const KEYS: ReadonlySet<string> = new Set(PARAM_KEYS);

type Line = { readonly value: string; readonly line: number };
type Entries = Map<ParamKey, Line>;

type Report = (line: number, key: string | null, fault: string) => void;

function readLines(text: string, report: Report): Entries {
  const entries: Entries = new Map();
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    if (raw.trim() === '' || raw.startsWith('#')) return;
    const at = raw.indexOf('=');
    if (at < 1) return report(line, null, `'${raw}': not a KEY=value line`);
    const key = raw.slice(0, at);
    if (!KEYS.has(key)) return report(line, key, `unknown key; known: ${[...KEYS].join(' ')}`);
    const before = entries.get(key as ParamKey);
    if (before) return report(line, key, `is defined twice (first on line ${before.line})`);
    const value = raw.slice(at + 1);
    // Postgres and environments reject NUL; the other control characters are typing errors.
    // oxlint-disable-next-line no-control-regex -- matches control characters on purpose
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) report(line, key, 'contains a control character');
    entries.set(key as ParamKey, { value, line });
  });
  return entries;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without exponents. */
const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const DURATION = /^([1-9]\d{0,6})(s|m|h)$/;

/** Characters of a fault: a file that is no params file may have lines of megabytes. */
const MOST_SHOWN = 1_000;

/** Reads the values of one file's lines; collects every fault and continues with a stand-in, to find the next ones too. */
export class Values {
  readonly faults: ParamsFault[] = [];
  readonly #entries: Entries;
  readonly #file: string;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#entries = readLines(withoutMark(text), (line, key, fault) => this.#report(line, key, fault));
  }

  /** Faults quote lines, and reach the log, the audit and the page: a password pasted into the wrong file must not. */
  #report(line: number, key: string | null, fault: string): void {
    const shown = (text: string) => {
      const masked = visible(maskCredentials(text));
      return masked.length > MOST_SHOWN ? `${masked.slice(0, MOST_SHOWN).toWellFormed()}…` : masked;
    };
    this.faults.push({ file: this.#file, line, key: key === null ? null : shown(key), fault: shown(fault) });
  }

  fail<T>(key: ParamKey, fault: string, instead: T): T {
    this.#report(this.#entries.get(key)?.line ?? 1, key, fault);
    return instead;
  }

  has(key: ParamKey): boolean {
    return this.#entries.has(key);
  }

  optional(key: ParamKey): string | null {
    return this.#entries.get(key)?.value ?? null;
  }

  required(key: ParamKey): string {
    return this.optional(key) ?? this.fail(key, 'is missing', '');
  }

  /** Null when absent; a fault when blank. */
  filled(key: ParamKey): string | null {
    return this.optional(key)?.trim() === '' ? this.fail(key, 'is empty', null) : this.optional(key);
  }

  matching(key: ParamKey, pattern: RegExp, expected: string): string {
    const value = this.optional(key);
    if (value === null) return this.required(key);
    return pattern.test(value) ? value : this.fail(key, `'${value}' is not ${expected}`, value);
  }

  seconds(key: ParamKey, fallback: number): number {
    const value = this.optional(key);
    if (value === null) return fallback;
    const match = DURATION.exec(value);
    if (!match) return this.fail(key, `'${value}' is not a duration such as 90s, 10m or 6h`, fallback);
    return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'];
  }

  whole<F extends number | null>(key: ParamKey, fallback: F, most: number, least = 0): number | F {
    const value = this.optional(key);
    if (value === null) return fallback;
    const number = Number(value);
    return /^\d+$/.test(value) && number >= least && number <= most
      ? number
      : this.fail(key, `'${value}' is not a number from ${least} to ${most}`, fallback);
  }

  quantity(key: ParamKey): string | null {
    return this.optional(key) === null
      ? null
      : this.matching(key, QUANTITY, 'a quantity such as 500m or 512Mi');
  }

  /** In the order of the lines. */
  sortedFaults(): readonly ParamsFault[] {
    return this.faults.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
  }
}
