/** Preserves the digits of numbers that JavaScript would round or rewrite. */

// In V8 since Node 21, missing in TypeScript's lib: https://github.com/tc39/proposal-json-parse-with-source
type ParseWithSource = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};
const exact = JSON as unknown as ParseWithSource;

/**
 * Numbers that JavaScript may change: 16 digits or more, an exponent, a trailing zero in a fraction. A number follows
 * `:`, `[` or `,`, and stands before one of `,`, `]`, `}`; a false match within a text only costs time. The seconds of a
 * time, as in `09:30:00.000000Z`, are none: nearly every row of a database has one.
 */
const DELICATE =
  /[:[,]\s*(-?(?:\d[\d.]{15}[\d.eE+-]*|\d+(?:\.\d+)?[eE][\d+-]*|\d+\.\d*0(?!\d)))(?=\s*[,\]}])/g;

/** Limits of Postgres' `numeric`. */
const MOST_WHOLE_DIGITS = 131_072;
const MOST_FRACTION_DIGITS = 16_383;
/** Limit for all numbers of a record together: Postgres expands exponents. */
const MOST_DIGITS = 16 * 1024 * 1024;

export class NumberTooLong extends Error {
  override readonly name = 'NumberTooLong';
}

/**
 * Whether JavaScript would change a number of the line. Most long numbers are doubles in their shortest form, such as
 * coordinates, and stay as they are: parseExactly would take five times as long for nothing.
 */
export function hasDelicateNumbers(line: string): boolean {
  DELICATE.lastIndex = 0;
  for (let found; (found = DELICATE.exec(line)); ) if (String(Number(found[1])) !== found[1]) return true;
  return false;
}

/**
 * Parses a line of JSON and keeps its delicate numbers as raw JSON with all their digits.
 *
 * @throws NumberTooLong
 */
export function parseExactly(line: string): unknown {
  let digits = 0;
  return exact.parse(line, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    digits += writtenOut(source);
    if (digits > MOST_DIGITS) throw new NumberTooLong();
    return exact.rawJSON(source);
  });
}

/** The digits of a raw number of {@link parseExactly}; null for any other value. JSON.stringify writes it unchanged. */
export function rawNumber(value: object): string | null {
  return exact.isRawJSON(value) ? value.rawJSON : null;
}

/** The number of digits that Postgres stores for it. */
function writtenOut(source: string): number {
  const [, whole = '', fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const before = Math.max(0, whole.length + Number(power));
  const after = Math.max(0, fraction.length - Number(power));
  if (before > MOST_WHOLE_DIGITS || after > MOST_FRACTION_DIGITS) throw new NumberTooLong();
  return before + after;
}
