import { describe, expect, it } from 'vitest';
import { ALLOWED_TYPES, sqlName } from '../../../src/job/columns/column-types.ts';
import { parseColumns, parseNames } from '../../../src/job/columns/parse-columns.ts';

const shown = (list: string): string[] =>
  parseColumns(list).map(({ name, type }) => `${name}: ${sqlName(type)}`);

describe('a list of columns', () => {
  it('is split at commas and line ends, and names types as Postgres does', () => {
    expect(
      shown(
        'name text, price numeric(10,2)\nat timestamptz,\n on  TIMESTAMP , size double   precision, n numeric(5)',
      ),
    ).toEqual([
      'name: text',
      'price: numeric(10,2)',
      'at: timestamp with time zone',
      'on: timestamp without time zone',
      'size: double precision',
      'n: numeric(5,0)',
    ]);
    expect(shown('tags text[], raw jsonb, Größe bigint')).toEqual([
      'tags: text[]',
      'raw: jsonb',
      'Größe: bigint',
    ]);
  });

  it('takes any name in quotes', () => {
    expect(shown('"dc.title" text, "a, b (c)" date, "say ""x""" uuid')).toEqual([
      'dc.title: text',
      'a, b (c): date',
      'say "x": uuid',
    ]);
  });

  it.each([
    ['', 'holds no column'],
    [' , \n', 'holds no column'],
    ['name', 'holds name, which is not a name and a type'],
    ['name varchar(20)', `a type that is not one of ${ALLOWED_TYPES}`],
    ['name text not null', 'a type that is not one of'],
    ['name numeric(2,3)', 'a type that is not one of'],
    ['name numeric(2000)', 'a type that is not one of'],
    ['name numeric(0)', 'a type that is not one of'],
    ['name text; DROP TABLE x', 'a type that is not one of'],
    ['a-b text', 'whose name has other signs; write "a-b"'],
    ['"" text', 'is empty'],
    ['"a\u0007b" text', 'control characters'],
    [`${'é'.repeat(32)} text`, 'more than 63 bytes'],
    ['id text', 'names id, a column that every sink has'],
    ['updated_at timestamptz', 'names updated_at'],
    ['record jsonb', 'names record'],
    ['ctid text', 'names ctid, which is reserved'],
    ['syncrator_new_1 text', 'is reserved'],
    ['a text, b text, a bigint', 'names a twice'],
    [Array.from({ length: 201 }, (_, nth) => `c${nth} text`).join(), 'holds 201 columns'],
  ])('%j is refused with the reason', (list, why) => {
    expect(() => parseColumns(list)).toThrow(why);
  });
});

it('a list of names may name record, and has no types', () => {
  expect(parseNames('a, "b c"\nrecord')).toEqual(['a', 'b c', 'record']);
  expect(() => parseNames('a text')).toThrow('not the name of a column');
});
