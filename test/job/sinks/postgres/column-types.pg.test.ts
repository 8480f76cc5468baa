/** The check of records and the SQL of the sink agree about every value, and no value changes on its way there and back. */
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnType, parseType, sqlName, unfitFor } from '../../../../src/job/columns/column-types.ts';
import { textOf } from '../../../../src/job/columns/column-text.ts';
import { fieldOf, valueOf } from '../../../../src/job/sinks/postgres/column-sql.ts';
import { NumberTooLong, parseExactly } from '../../../../src/job/sources/record-number.ts';
import { createDatabase, type TestDatabase } from '../../../support/database.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  client = new Client({ connectionString: database.url, query_timeout: 30_000 });
  await client.connect();
  await client.query(
    `SET TimeZone = 'America/St_Johns'; SET DateStyle = 'German'; SET extra_float_digits = 1`,
  );
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

function typeOf(text: string): ColumnType {
  const type = parseType(text);
  if (type === null) throw new Error(text);
  return type;
}

/** `same`: it comes back from a change set unchanged. `loaded`: the load of a listing stores the same. */
type Stored = { value: string | null; same: boolean; loaded: boolean };

/** What the sink stores for fields, as text. */
async function stored(type: ColumnType, json: readonly string[]): Promise<Stored[]> {
  const back = valueOf(type, `to_jsonb(${fieldOf(type, 'value')})`);
  const texts = json.map((one) => {
    const value = first(one);
    return unfitFor(type, value) === null ? textOf(type, value) : null;
  });
  const { rows } = await client.query<Stored>(
    `SELECT value::text, row(value)::record *= row(${back})::record AS same,
       row(value)::record *= row(text::${sqlName(type)})::record AS loaded
     FROM (SELECT nth, text, ${valueOf(type, 'field')} AS value
           FROM unnest($1::jsonb[], $2::text[]) WITH ORDINALITY AS f (field, text, nth) OFFSET 0) v
     ORDER BY nth`,
    [json, texts],
  );
  return rows;
}

describe('a field becomes the value of its column', () => {
  it.each<[string, string, string | null]>([
    ['text', '"a\\tb"', 'a\tb'],
    ['text', '""', ''],
    ['text', '1', null],
    ['integer', '2147483647', '2147483647'],
    ['integer', '2147483648', null],
    ['integer', '1.0', '1'],
    ['integer', '1e3', '1000'],
    ['integer', '1.5', null],
    ['integer', '"1"', null],
    ['bigint', '-9223372036854775808', '-9223372036854775808'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['bigint', '9223372036854775808', null],
    ['bigint', '1e400', null],
    ['numeric', '1.10', '1.10'],
    ['numeric', '123456789012345678901234567890.5', '123456789012345678901234567890.5'],
    ['numeric', '"NaN"', null],
    ['numeric', '"1.5"', null],
    ['numeric(5,2)', '999.99', '999.99'],
    ['numeric(5,2)', '1.500', '1.50'],
    ['numeric(5,2)', '1.005', null],
    ['numeric(5,2)', '1000', null],
    ['numeric(3,3)', '0.999', '0.999'],
    ['numeric(3,3)', '1', null],
    ['double precision', '0.1', '0.1'],
    ['double precision', '1.7976931348623157e308', '1.7976931348623157e+308'],
    ['double precision', '1e400', null],
    ['double precision', '1e-400', null],
    ['double precision', '2.2250738585072014e-308', '2.2250738585072014e-308'],
    ['double precision', '0e5', '0'],
    ['boolean', 'true', 'true'],
    ['boolean', '"true"', null],
    ['boolean', '1', null],
    ['date', '"2024-02-29"', '29.02.2024'],
    ['date', '"2026-02-30"', null],
    ['date', '"0000-01-01"', null],
    ['date', '"30.11.2026"', null],
    ['date', '"infinity"', null],
    ['date', '"2026-11-30T09:30:00Z"', null],
    ['timestamp', '"2026-11-30T09:30:00.123456"', '30.11.2026 09:30:00.123456'],
    ['timestamp', '"2026-11-30T09:30:00Z"', null],
    ['timestamptz', '"2026-11-30T09:30:00+02:00"', '30.11.2026 04:00:00 NST'],
    ['timestamptz', '"2026-11-30T09:30:00"', null],
    ['timestamptz', '"2026-11-30T25:61:00Z"', null],
    ['timestamptz', '"2026-02-30T09:30:00Z"', null],
    ['timestamptz', '"2026-11-30T09:30:00.1234567Z"', null],
    ['timestamptz', '"now"', null],
    ['uuid', '"123E4567-e89b-42d3-a456-426614174000"', '123e4567-e89b-42d3-a456-426614174000'],
    ['uuid', '"{123e4567-e89b-42d3-a456-426614174000}"', null],
    ['jsonb', '{"b": 1.10, "a": [null]}', '{"a": [null], "b": 1.10}'],
    ['jsonb', '"x"', '"x"'],
    ['text[]', '["a", "b,c", ""]', '{a,"b,c",""}'],
    ['text[]', '[]', '{}'],
    ['text[]', '["a", null]', null],
    ['text[]', '["a", 1]', null],
    ['text[]', '[["a"]]', null],
    ['text[]', '"a"', null],
  ])('%s of %s', async (name, json, value) => {
    const type = typeOf(name);
    expect(unfitFor(type, first(json)) === null).toBe(value !== null);
    expect(await stored(type, [json])).toEqual([{ value, same: true, loaded: true }]);
  });

  it.each(['text', 'bigint', 'jsonb', 'timestamptz'])('%s is NULL for null', async (name) => {
    expect(unfitFor(typeOf(name), null)).toBeNull();
    expect(unfitFor(typeOf(name), undefined)).toBeNull();
    expect(await stored(typeOf(name), ['null'])).toEqual([{ value: null, same: true, loaded: true }]);
  });
});

function first(json: string): unknown {
  return (parseExactly(`[${json}]`) as unknown[])[0];
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(22),
    fc.option(digits(8)),
    fc.option(fc.integer({ min: -400, max: 400 })),
  )
  .map(([sign, whole, fraction, power]) => {
    const plain = `${sign}${whole.replace(/^0+(?=\d)/, '')}${fraction === null ? '' : `.${fraction}`}`;
    return power === null ? plain : `${plain}e${power}`;
  });
const pad = (value: number, length: number): string => String(value).padStart(length, '0');
const day = fc
  .tuple(fc.nat(10_000), fc.nat(13), fc.nat(32))
  .map(([year, month, nth]) => `${pad(year, 4)}-${pad(month, 2)}-${pad(nth, 2)}`);
const time = fc
  .tuple(
    day,
    fc.nat(24),
    fc.nat(60),
    fc.nat(60),
    fc.constantFrom('', '.5', '.123456', '.1234567'),
    fc.constantFrom('', 'Z', '+02:00', '-15:59', '+16:00', '-00:60', ' ', 'z'),
  )
  .map(([on, h, m, s, fraction, zone]) => `${on}T${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}${fraction}${zone}`);
const json = fc.oneof(
  number,
  fc.oneof(day, time, fc.uuid(), fc.string({ unit: 'grapheme' })).map((text) => JSON.stringify(text)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.array(fc.oneof(fc.string(), fc.constant(null), fc.nat())).map((value) => JSON.stringify(value)),
);

it.each([
  'text',
  'integer',
  'bigint',
  'numeric',
  'numeric(12,3)',
  'double precision',
  'boolean',
  'date',
  'timestamp',
  'timestamptz',
  'uuid',
  'jsonb',
  'text[]',
])('any field of %s: the check lets through exactly what the sink stores', async (name) => {
  const type = typeOf(name);
  const some = json.filter((text) => !text.includes('\\u0000') && isStorable(text));
  await fc.assert(
    fc.asyncProperty(fc.array(some, { minLength: 100, maxLength: 100 }), async (fields) => {
      const rows = await stored(type, fields);
      const strange = fields.filter((field, at) => {
        const value = first(field);
        const fits = value !== null && unfitFor(type, value) === null;
        return fits !== (rows[at]?.value !== null) || !rows[at]?.same || !rows[at].loaded;
      });
      expect(strange, sqlName(type)).toEqual([]);
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

/** The check of every record refuses others before. */
function isStorable(text: string): boolean {
  try {
    return JSON.stringify(parseExactly(text)).isWellFormed() && !/\\ud[89a-f]/.test(text);
  } catch (error) {
    if (error instanceof NumberTooLong) return false;
    throw error;
  }
}
