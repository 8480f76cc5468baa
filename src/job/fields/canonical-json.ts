/** Writes a value as JSON in one form, so that equal values have equal hashes. Pure. */
import { rawNumber } from '../sources/record-number.ts';

/** Names in the order of their UTF-16 units, no blanks, numbers without exponent and needless zeros. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') return plainNumber(String(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const number = rawNumber(value);
  if (number !== null) return plainNumber(number);
  const fields = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`);
  return `{${fields.join(',')}}`;
}

/** `1.50e2` becomes `150`: the number of the same record may be written in several ways. */
function plainNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(power);
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0').replace(/^0+/, '') : '';
  const after = withoutLastZeros(point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits);
  if (before === '' && after === '') return '0';
  return `${sign}${before || '0'}${after && `.${after}`}`;
}

/** A pattern would need quadratic time for many zeros. */
function withoutLastZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
