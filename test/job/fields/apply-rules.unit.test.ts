import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createMapping } from '../../../src/job/fields/apply-rules.ts';
import { mapFields } from '../../../src/job/fields/mapped-source.ts';
import { parseRules } from '../../../src/job/fields/parse-rules.ts';
import { checkRecord, RecordFault } from '../../../src/job/sources/record-check.ts';
import { collect } from '../support/fake-source.ts';
import { memorySource } from '../support/memory-source.ts';

const KEY = 'a key of at least 16 characters';

/** The fields of a record, written as JSON, after the rules. */
function mapped(list: string, fields: string): unknown {
  const { map } = createMapping({ rules: parseRules(list), hashKey: KEY });
  const record = checkRecord(`{"id":"7","updated_at":"2026-01-01T00:00:00Z",${fields}}`);
  if (record instanceof RecordFault) throw new Error(record.why);
  const result = map(record);
  if (!('record' in result)) return result;
  expect(result).toMatchObject({ id: '7', updated_at: '2026-01-01T00:00:00Z' });
  return result.record;
}

const hmac = (json: string): string => createHmac('sha256', KEY).update(json).digest('hex');
const hashOf = (json: string): unknown => (mapped('hash a', `"a":${json}`) as { a: unknown }).a;

describe('the rules', () => {
  it('rename, drop, set and hash fields, one after another', () => {
    const list = 'drop name, rename title=name, set origin=crm, hash email';
    expect(mapped(list, '"name":"old","title":"T","email":"a@example.org","rest":1')).toEqual({
      name: 'T',
      origin: 'crm',
      email: hmac('"a@example.org"'),
      rest: 1,
    });
    expect(mapped('set a=1, rename a=b, set a=2', '"x":0')).toEqual({ x: 0, b: 1, a: 2 });
  });

  it('leave a missing field missing and a null null', () => {
    expect(mapped('rename a=b, drop c, hash d, hash e', '"e":null')).toEqual({ e: null });
    expect(mapped('drop toString, hash constructor', '"x":1')).toEqual({ x: 1 });
  });

  it('take names of objects as names', () => {
    const record = mapped('rename a=__proto__', '"a":{"x":1}');
    expect(JSON.stringify(record)).toBe('{"__proto__":{"x":1}}');
  });

  it('do not replace a field by another', () => {
    expect(mapped('rename a=b', '"a":1,"b":2')).toEqual({
      place: 'FIELDS rule 1 (rename a=b)',
      why: 'it has a field b already; drop that one before, or rename it',
    });
    expect(mapped('rename a=b', '"b":2')).toEqual({ b: 2 });
  });
});

describe('a hash', () => {
  it('is the HMAC-SHA-256 of the value as canonical JSON', () => {
    expect(hashOf('"Ünal, \\"A\\""')).toBe(hmac('"Ünal, \\"A\\""'));
    expect(hashOf('{"b":[1, true,null],"a":"x"}')).toBe(hmac('{"a":"x","b":[1,true,null]}'));
    expect(hashOf('false')).toBe(hmac('false'));
  });

  it.each([
    ['15', '15'],
    ['1.50e1', '15'],
    ['1500e-2', '15'],
    ['-0', '0'],
    ['0.000', '0'],
    ['0.0000001', '0.0000001'],
    ['1e-7', '0.0000001'],
    ['-12.340', '-12.34'],
    ['1e3', '1000'],
    ['12345678901234567890.10', '12345678901234567890.1'],
  ])('knows one form of a number: %s is %s', (written, canonical) => {
    expect(hashOf(written)).toBe(hmac(canonical));
    const delicate = mapped('hash a, drop other', `"a":${written},"other":1.0`);
    expect(delicate, 'whatever else is in the record').toEqual({ a: hmac(canonical) });
  });
});

describe('a source with rules', () => {
  const at = '2026-01-01T00:00:00Z';
  const records = [
    { id: '1', updated_at: at, record: { a: 1 } },
    { id: '2', updated_at: at, record: { a: 2, b: 3 } },
  ];
  const withRules = (list: string, hashKey: string | null = null) =>
    mapFields(memorySource(records), { rules: parseRules(list), hashKey });

  it('sets a record aside that a rule cannot change', async () => {
    const batches = await collect(withRules('rename a=b').changedSince(null, null, 10));
    expect(batches).toEqual([
      {
        records: [{ id: '1', updated_at: at, record: { b: 1 } }],
        rejected: [{ where: 'FIELDS rule 1 (rename a=b)', id: '2', why: expect.any(String) }],
        cursor: { after: '2', done: 2 },
      },
    ]);
  });

  it('names the rules that no record needed', async () => {
    const source = withRules('drop a, drop bb, set c=1');
    expect(source.remarks?.(), 'before a listing').toEqual([]);
    await collect(source.changedSince(null, null, 1));
    expect(source.remarks?.()).toEqual([
      'FIELDS rule 2 (drop bb): none of the 2 records has this field; correct its name, or remove the rule',
    ]);
  });

  it('has another fingerprint under other rules or with another key', () => {
    const all = [withRules('hash a', KEY), withRules('hash a', `${KEY}2`), withRules('hash b', KEY)];
    expect(new Set(all.map(({ mapping }) => mapping)).size).toBe(3);
    expect(withRules('hash a', KEY).mapping).toBe(all[0]?.mapping);
  });
});
