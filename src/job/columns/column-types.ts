/**
 * The types that a column of SINK_COLUMNS may have, and the JSON values that each accepts: the value itself in its JSON
 * type, never a conversion that changes it. Pure.
 */
import { canonicalJson } from '../fields/canonical-json.ts';
import { rawNumber } from '../sources/record-number.ts';
import { normalTime } from '../sources/record-time.ts';

const PLAIN = [
  'text',
  'integer',
  'bigint',
  'numeric',
  'double precision',
  'boolean',
  'date',
  'timestamp',
  'timestamptz',
  'uuid',
  'jsonb',
  'text[]',
] as const;

export type TypeName = (typeof PLAIN)[number];

/** `precision` and `scale` of `numeric(p,s)` alone. */
export type ColumnType = { readonly name: TypeName; readonly precision?: number; readonly scale?: number };

/** In words, for errors. */
export const ALLOWED_TYPES = PLAIN.flatMap((name) =>
  name === 'numeric' ? ['numeric', 'numeric(p)', 'numeric(p,s)'] : [name],
).join(', ');

/** Limit of Postgres. */
const MOST_PRECISION = 1_000;

/** @returns null for a type that is not allowed */
export function parseType(text: string): ColumnType | null {
  const written = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  const name = PLAIN.find((one) => one === written);
  if (name !== undefined) return { name };
  const [, digits, after = '0'] = /^numeric ?\( ?(\d{1,4}) ?(?:, ?(\d{1,4}) ?)?\)$/.exec(written) ?? [];
  const [precision, scale] = [Number(digits), Number(after)];
  if (digits === undefined || precision < 1 || precision > MOST_PRECISION || scale > precision) return null;
  return { name: 'numeric', precision, scale };
}

/** The type as `format_type` of Postgres names it. */
export function sqlName({ name, precision, scale }: ColumnType): string {
  if (name === 'timestamp') return 'timestamp without time zone';
  if (name === 'timestamptz') return 'timestamp with time zone';
  return precision === undefined ? name : `${name}(${precision},${scale})`;
}

/** Range of the integer types. */
export const WHOLE = {
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

/** Smaller numbers, apart from 0, lose digits in a double. */
export const LEAST_DOUBLE = 2.2250738585072014e-308;

/** Also 29 February of any year. */
const DAY =
  '[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))';
const CLOCK = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?';

/** Forms of the texts that become times or ids, for JavaScript and Postgres alike. 29 February may still be no day. */
export const FORMS = {
  date: `^(?!0000)${DAY}$`,
  timestamp: `^(?!0000)${DAY}T${CLOCK}$`,
  timestamptz: `^(?!0000)${DAY}T${CLOCK}(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$`,
  uuid: '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
} as const;

const EXPRESSIONS = {
  date: new RegExp(FORMS.date),
  timestamp: new RegExp(FORMS.timestamp),
  timestamptz: new RegExp(FORMS.timestamptz),
  uuid: new RegExp(FORMS.uuid),
} as const;

/** @returns what the column accepts, in words, if it does not accept the value; null and a missing field are NULL */
export function unfitFor(type: ColumnType, value: unknown): string | null {
  if (value === undefined || value === null || FITS[type.name](value, type)) return null;
  return WORDS[type.name] + wordsOfPrecision(type);
}

const WORDS: Readonly<Record<TypeName, string>> = {
  text: 'a text',
  integer: 'a whole number from -2147483648 to 2147483647',
  bigint: 'a whole number from -9223372036854775808 to 9223372036854775807',
  numeric: 'a number',
  'double precision': 'a number within the range of a double',
  boolean: 'true or false',
  date: 'a text with a day of the calendar, such as 2026-11-30',
  timestamp: 'a text with a time without a zone and at most microseconds, such as 2026-11-30T09:30:00',
  timestamptz: 'a text with a time, a zone and at most microseconds, such as 2026-11-30T09:30:00Z',
  uuid: 'a text with a UUID, such as 123e4567-e89b-42d3-a456-426614174000',
  jsonb: 'any value',
  'text[]': 'an array of texts',
};

function wordsOfPrecision({ precision = 0, scale = 0 }: ColumnType): string {
  if (precision === 0) return '';
  return ` with at most ${precision - scale} digits before the point and ${scale} after it`;
}

const FITS: Readonly<Record<TypeName, (value: unknown, type: ColumnType) => boolean>> = {
  text: (value) => typeof value === 'string',
  integer: (value) => isWhole(value, WHOLE.integer),
  bigint: (value) => isWhole(value, WHOLE.bigint),
  numeric: isNumeric,
  'double precision': isDouble,
  boolean: (value) => typeof value === 'boolean',
  date: (value) => hasForm('date', value) && isTime(`${value}T00:00:00Z`),
  timestamp: (value) => hasForm('timestamp', value) && isTime(`${value}Z`),
  timestamptz: (value) => hasForm('timestamptz', value) && isTime(value),
  uuid: (value) => hasForm('uuid', value),
  jsonb: () => true,
  'text[]': (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
};

/** The digits of a JSON number, without exponent and needless zeros; null for any other value. */
export function digitsOf(value: unknown): string | null {
  const isNumber =
    typeof value === 'number' || (typeof value === 'object' && rawNumber(value ?? {}) !== null);
  return isNumber ? canonicalJson(value) : null;
}

function isWhole(value: unknown, [least, most]: readonly [bigint, bigint]): boolean {
  const digits = digitsOf(value);
  if (digits === null || !/^-?\d{1,19}$/.test(digits)) return false;
  const whole = BigInt(digits);
  return whole >= least && whole <= most;
}

function isNumeric(value: unknown, { precision, scale = 0 }: ColumnType): boolean {
  const digits = digitsOf(value);
  if (digits === null || precision === undefined) return digits !== null;
  const [, whole = '', fraction = ''] = /^-?0*(\d*)(?:\.(\d+))?$/.exec(digits) ?? [];
  return whole.length <= precision - scale && fraction.length <= scale;
}

function isDouble(value: unknown): boolean {
  const digits = digitsOf(value);
  if (digits === null) return false;
  const double = Math.abs(Number(digits));
  return digits === '0' || (double >= LEAST_DOUBLE && Number.isFinite(double));
}

function hasForm(form: keyof typeof EXPRESSIONS, value: unknown): value is string {
  return typeof value === 'string' && EXPRESSIONS[form].test(value);
}

/** Days end with their month, and years lie from 1 to 9999 also in UTC. */
function isTime(text: string): boolean {
  return normalTime(text) !== null;
}
