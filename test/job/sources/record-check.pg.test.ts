import fc from 'fast-check';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { isAfter, justBefore } from '../../../src/job/sources/byte-order.ts';
import { checkId, checkRecord, RecordFault } from '../../../src/job/sources/record-check.ts';
import { normalTime } from '../../../src/job/sources/record-time.ts';
import { createDatabase } from '../../support/database.ts';

const TIME = '2026-11-01T00:00:00Z';

function line(fields: string, id = '"a"', time = `"${TIME}"`): string {
  return `{"id":${id},"updated_at":${time}${fields && `,${fields}`}}`;
}

/** The record's text as a sink writes it. */
function kept(text: string): string {
  const checked = checkRecord(text);
  if (checked instanceof RecordFault) throw new Error(checked.why);
  return JSON.stringify(checked.record);
}

const nested = (depth: number): string => `"n":${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('the record check', () => {
  it.each([
    ['no JSON', 'x', null, /^it is not JSON/],
    ['two objects in a line', `${line('')}${line('')}`, null, /^it is not JSON/],
    ['an array', '[1]', null, /^it is a JSON array/],
    ['no object', '1', null, /^it is not an object/],
    ['null', 'null', null, /^it is not an object/],
    ['no id', `{"updated_at":"${TIME}"}`, null, /^its "id" is not a text/],
    ['an id that is a number', line('', '1'), null, /^its "id" is not a text/],
    ['an empty id', line('', '""'), null, /^its "id" is not a text/],
    ['an id of 1,001 bytes', line('', JSON.stringify(`${'é'.repeat(500)}a`)), null, /more than 1,000 bytes/],
    [
      'half a character in its id',
      line('', '"k\\ud800"'),
      null,
      /^its "id" contains half of a surrogate pair/,
    ],
    ['U+0000 in its id', line('', '"k\\u0000"'), null, /^its "id" contains the character U\+0000/],
    ['no time', '{"id":"a"}', 'a', /^its "updated_at" is not a valid time/],
    ['a time without a zone', line('', '"a"', '"2026-11-01T00:00:00"'), 'a', /^its "updated_at"/],
    ['a time that is a number', line('', '"a"', '5'), 'a', /^its "updated_at"/],
    ['half an emoji', line('"n":"\\ud83d"'), 'a', /^one of its texts contains half of a surrogate pair/],
    ['its other half', line('"n":["\\ude00"]'), 'a', /^one of its texts contains half of a surrogate pair/],
    ['halves in wrong order', line('"n":{"m":"\\ude00\\ud83d"}'), 'a', /contains half of a surrogate pair/],
    ['half a character in a key', line('"\\ud83d":1'), 'a', /^the name of a field contains half/],
    [
      'half a character in a deep key',
      line('"n":[{"\\ud83d":1}]'),
      'a',
      /^the name of a field contains half/,
    ],
    ['U+0000', line('"n":"\\u0000"'), 'a', /^one of its texts contains the character U\+0000/],
    ['U+0000 after a backslash', line('"n":"\\\\\\u0000"'), 'a', /U\+0000/],
    ['a backslash in a key', line('"n":{"\\\\":1}'), 'a', /^the name of a field contains a backslash/],
    ['a depth of 101', line(nested(100)), 'a', /^it is nested 101 levels deep; flatten it to at most 100/],
    ['a depth of 9,001', line(nested(9_000)), 'a', /^it is nested 9001 levels deep/],
    ['a depth of a million', line(nested(1_000_000)), null, /^it is nested 1000001 levels deep/],
    ['a number of 131,073 digits', line(`"n":${'1'.repeat(131_073)}`), 'a', /^a number has more than/],
    ['a number beyond numeric', line('"n":1e131072'), 'a', /^a number has more than/],
    ['a number finer than numeric', line('"n":[1e-16384]'), 'a', /^a number has more than/],
    [
      'numbers that Postgres would write out for ever',
      line(`"n":[${'1e131071,'.repeat(200)}1]`),
      'a',
      /^a num/,
    ],
  ])('refuses %s and reveals none of its data', (_, text, id, why) => {
    const fault = checkRecord(text);
    expect(fault).toBeInstanceOf(RecordFault);
    expect(fault).toMatchObject({ id, why: expect.stringMatching(why) as string });
  });

  it('of an id alone ignores all other fields', () => {
    expect(checkId('{"id":"a"}')).toBe('a');
    expect(checkId('{"id":"k\\ud800"}')).toMatchObject({ id: null });
    expect(checkId('x')).toMatchObject({ id: null });
  });

  it.each([
    '{"t":"\\\\u0000","e":"\\\\ud83d"}',
    '{"n":[12345678901234567890,0.1234567890123456789]}',
    '{"n":[1e400,-1E999,1e-400]}',
    '{"n":[1.10,2.0,9007199254740993,123456789012345678901234567890]}',
    '{"a":{"b":[{"c":1.50}]}}',
    '{"t":"a,1e400","n":7}',
    '{"__proto__":{"x":1},"constructor":null}',
    '{"":1}',
  ])('keeps %s unchanged', (fields) => {
    expect(kept(line(fields.slice(1, -1)))).toBe(fields);
  });

  it('never confuses field names, as V8 may after a name with a backslash', () => {
    for (let round = 0; round < 2_000; round += 1) {
      for (const name of ['"\\t\\n"', '"\\\\"', '":"', '"\\u0000"', '"\\ud83d"']) {
        const checked = checkRecord(line(`"n":{${name}: []}`));
        const isKept = !(checked instanceof RecordFault);
        expect(isKept).toBe(name === '"\\t\\n"' || name === '":"');
        if (isKept) expect(JSON.stringify(checked.record)).toBe(`{"n":{${name}:[]}}`);
      }
    }
  });

  it('does not count brackets within texts', () => {
    const fields = `"t":${JSON.stringify('["[{\\'.repeat(200))}`;
    expect(kept(line(fields))).toBe(`{${fields}}`);
    expect(kept(line(nested(99)))).toBe(`{${nested(99)}}`);
  });

  it('accepts an id of 1,000 bytes and whole characters in any notation', () => {
    expect(checkRecord(line('', JSON.stringify('é'.repeat(500))))).toMatchObject({ id: 'é'.repeat(500) });
    expect(checkRecord(line('', '"\\ud83d\\ude00"'))).toMatchObject({ id: '😀' });
  });
});

describe('the time parser', () => {
  it.each([
    ['2026-11-01T00:00:00Z', '2026-11-01T00:00:00Z'],
    ['2024-02-29T23:59:59.123456Z', '2024-02-29T23:59:59.123456Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00Z'],
    ['2026-11-01t00:00:00z', '2026-11-01T00:00:00Z'],
    ['2026-11-01T00:00:00.123456789Z', '2026-11-01T00:00:00.123456Z'],
    ['2026-11-01T23:59:59.999999999Z', '2026-11-01T23:59:59.999999Z'],
    ['2026-11-01T00:30:00+01:00', '2026-10-31T23:30:00Z'],
    ['2026-11-01T00:30:00.5-18:00', '2026-11-01T18:30:00.5Z'],
    ['2026-12-31T23:59:60Z', '2026-12-31T23:59:59.999Z'],
    ['2026-12-31T18:59:60.5-05:00', '2026-12-31T23:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
  ])('reads %s as %s', (text, normal) => {
    expect(normalTime(text)).toBe(normal);
  });

  it.each([
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-11-01T25:61:00Z',
    '2026-11-01T24:00:00Z',
    '2026-11-01T00:60:00Z',
    '2026-11-01T00:00:61Z',
    '2026-11-01T12:00:60Z',
    '2026-11-01T00:00:00+24:00',
    '2026-11-01T00:00:00+18:01',
    '2026-11-01T00:00:00+01:60',
    '0000-01-01T00:00:00Z',
    '10000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '2026-11-01T00:00:00.1234567890Z',
    '2026-11-01 00:00:00Z',
    '2026-11-01T00:00:00',
    '2026-11-01',
    '',
  ])('rejects %j', (text) => {
    expect(normalTime(text)).toBeNull();
  });
});

describe('the order of ids', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });

  it('is the order of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(isAfter(one, other)).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0);
      }),
      { numRuns: 2_000 },
    );
    expect(isAfter('😀', '\uff5e')).toBe(true);
    expect(isAfter('\uff5e', '😀')).toBe(false);
    expect(isAfter('a', 'a')).toBe(false);
  });

  it('has a text just before each id, with no id between', () => {
    const id = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 6 })
      .filter((some) => !some.includes('\0'));
    fc.assert(
      fc.property(id, id, (one, other) => {
        const before = justBefore(one);
        expect(before === null || isAfter(one, before)).toBe(true);
        const isBetween = isAfter(one, other) && (before === null || isAfter(other, before));
        expect(isBetween && !other.includes('\u{10ffff}')).toBe(false);
      }),
      { numRuns: 2_000 },
    );
    expect(justBefore('r10')).toBe('r1/\u{10ffff}');
    expect(justBefore('\u0001')).toBeNull();
  });
});

describe('every record that passes the check', () => {
  /** JSON text as some source may write it: exponents, long numbers, escapes, odd keys, halves of surrogate pairs. */
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc
      .tuple(fc.bigInt(), fc.nat(9_999), fc.integer({ min: -500, max: 500 }))
      .map(([whole, fraction, power]) => `${whole}.${fraction}e${power}`),
    fc.constantFrom('1e400', '-1E-400', '1.10', '-0', '0.000', '1e131071', '1e-16383', '0e9', '1e131072'),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }).map((some) => JSON.stringify(some)),
    fc.constantFrom(
      '"\\u0000"',
      '"\\ud83d"',
      '"\\ud83d\\ude00"',
      '"\\\\u0000"',
      '"\\u2028"',
      '"\\\\"',
      '"\\t\\n"',
    ),
  );
  // The last of repeated names counts, but Postgres would refuse the first one's value.
  const nameOf = ([name]: [string, string]): unknown => JSON.parse(name);
  const { json } = fc.letrec<{ json: string }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      number,
      text,
      fc.constantFrom('null', 'true', 'false'),
      fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
      fc
        .uniqueArray(fc.tuple(text, tie('json')), { maxLength: 4, selector: nameOf })
        .map((fields) => `{${fields.map(([key, value]) => `${key}: ${value}`).join(',')}}`),
    ),
  }));
  const time = fc.oneof(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc
      .tuple(fc.nat(9_999), fc.nat(13), fc.nat(32), fc.nat(24), fc.nat(60), fc.nat(61), fc.nat(999_999_999))
      .chain(([year, month, day, hour, minute, second, fraction]) => {
        const two = (value: number): string => String(value).padStart(2, '0');
        const zone = fc.constantFrom('Z', 'z', '+05:30', '-18:00', '+15:59', '+18:01');
        return zone.map(
          (end) =>
            `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.${fraction}${end}`,
        );
      }),
  );
  const someLine = fc
    .tuple(text, time, fc.uniqueArray(fc.tuple(text, json), { maxLength: 5, selector: nameOf }))
    .map(([id, at, fields]) =>
      line(fields.map(([key, value]) => `${key}:${value}`).join(','), id, JSON.stringify(at)),
    );

  it('is stored by Postgres and returned unchanged', async () => {
    await using database = await createDatabase({ migrated: false });
    const client = new Client({ connectionString: database.url, query_timeout: 60_000 });
    await client.connect();
    await client.query(
      'CREATE TABLE t (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)',
    );
    let passed = 0;
    try {
      await fc.assert(
        fc.asyncProperty(someLine, async (some) => {
          const checked = checkRecord(some);
          if (checked instanceof RecordFault) return;
          passed += 1;
          const { id, updated_at, record } = checked;
          const { rows } = await client.query<{ id: Buffer; at: string; same: boolean }>(
            `WITH put AS (INSERT INTO t VALUES ($1, $2, $3) RETURNING *)
             SELECT convert_to(id, 'UTF8') AS id, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at,
               record::text = ($4::jsonb - 'id' - 'updated_at')::text AS same
             FROM put`,
            [id, updated_at, JSON.stringify(record), some],
          );
          await client.query('TRUNCATE t');
          expect(rows[0]?.id.equals(Buffer.from(id))).toBe(true);
          expect(Number.isNaN(Date.parse(updated_at))).toBe(false);
          const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(updated_at) ?? [];
          expect(rows[0]).toMatchObject({
            same: true,
            at: `${seconds}.${fraction.padEnd(6, '0')}`,
          });
        }),
        { numRuns: 1_200 },
      );
    } finally {
      await client.end();
    }
    // Otherwise a check that passes nothing would satisfy this.
    expect(passed).toBeGreaterThan(100);
  });
});
