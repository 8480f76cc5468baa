/** Lies within a record: each must be refused with its line, or stored exactly. Every source of lines tells them. */

import { always, but, ends, honest, type Lie, type Line, READ, UNPROVEN, withOne } from './lie.ts';
import type { Row } from './model.ts';
import { CANARY, inOrder, OLD, rowOf, type Story } from './story.ts';

type Text = (row: Row) => string | Buffer;

const REJECTED = ends('recordsRejected');

/** A record that cannot be stored; its id is readable. */
const badRecord = (name: string, text: Text): Lie => ({
  name,
  fate: but(REJECTED, 'ids'),
  lines: (story) => withOne(story, (line) => ({ ...line, text: text(line.row) })),
});

/** A line that is also bad in a listing of ids. */
const badLine = (name: string, text: Text): Lie => ({
  name,
  fate: always(REJECTED),
  lines: (story) => withOne(story, (line) => ({ ...line, text: text(line.row), idText: text(line.row) })),
});

const withTime =
  (time: string): Text =>
  ({ id, json }) =>
    `{"id":${JSON.stringify(id)},"updated_at":${time},${json.slice(1)}`;
const withField =
  (field: string): Text =>
  ({ id, updated_at: at }) =>
    `{"id":${JSON.stringify(id)},"updated_at":"${at}","name":"${CANARY}",${field}}`;
const withId =
  (id: string): Text =>
  ({ updated_at: at, json }) =>
    `{"id":${id},"updated_at":"${at}",${json.slice(1)}`;

/** Stored as in `row`. */
const taken = (name: string, change: (row: Row) => { row: Row; text: string }): Lie => ({
  name,
  fate: always(READ),
  lines: (story) => withOne(story, (line) => ({ ...line, ...change(line.row) })),
});

const withTimeTaken = (name: string, told: (row: Row) => string, meant: (row: Row) => string): Lie =>
  taken(name, (row) => ({
    row: { ...row, updated_at: meant(row) },
    text: String(withTime(JSON.stringify(told(row)))(row)),
  }));

const withNew = (name: string, ...ids: string[]): Lie => ({
  name,
  fate: always(READ),
  lines: (story) => withMore(story, ids).map(honest),
});

function withMore({ next, recent }: Story, ids: readonly string[]): Row[] {
  const at = recent[0]?.updated_at ?? OLD;
  return inOrder([...next, ...ids.map((id) => rowOf(id, at, 'more'))]);
}

const today = (): string => new Date().toISOString().slice(0, 10);
const allowing = (lie: Lie, setAside: Line['setAside'], fate: Lie['fate']): Lie => ({
  ...lie,
  name: `${lie.name}, MAX_REJECTED=5`,
  fate,
  environment: { MAX_REJECTED: '5' },
  lines: (story, mode) => {
    const spoilt = lie.lines?.(story, mode) ?? [];
    return spoilt.map((line) =>
      line.text === honest(line.row).text ? line : { ...line, setAside: setAside ?? 'by id' },
    );
  },
});

const noTime = badRecord('an updated_at at an impossible time (25:61)', withTime(`"2026-11-01T25:61:00Z"`));
const noId = badLine(
  'a record without an id',
  ({ updated_at: at, json }) => `{"updated_at":"${at}",${json.slice(1)}`,
);

export const RECORDS: readonly Lie[] = [
  badLine('a line that is not JSON', () => `not json ${CANARY}`),
  // As the first of an answer it makes this look like a JSON array.
  {
    ...badLine('a line that is a list', ({ json }) => `[${json}]`),
    fate: always(ends('recordsRejected', 'failed')),
  },
  badLine('a line that is a text', () => `"${CANARY}"`),
  badLine('a line that is null', () => 'null'),
  badLine('half an object', (row) => String(honest(row).text).slice(0, -2)),
  badLine('two objects in one line', (row) => `${String(honest(row).text)}${String(honest(row).text)}`),
  badLine('an object in single quotes', ({ id }) => `{'id':'${id}'}`),
  noId,
  badLine('an id that is a number', withId('4711')),
  badLine('an id that is empty', withId('""')),
  badLine('an id that is null', withId('null')),
  badLine('an id of 1,001 bytes', withId(JSON.stringify(`r0${'x'.repeat(999)}`))),
  badLine('an id with U+0000', withId('"r0\\u0000"')),
  badLine('an id with half a surrogate pair', withId('"r0\\ud800"')),
  badRecord('no updated_at', ({ id, json }) => `{"id":"${id}",${json.slice(1)}`),
  badRecord('an updated_at that is a number', withTime('1764400000')),
  noTime,
  badRecord('an updated_at on a day that does not exist', withTime(`"2023-02-29T00:00:00Z"`)),
  badRecord('an updated_at without a zone', withTime(`"2026-11-01T00:00:00"`)),
  badRecord('an updated_at that is only a day', withTime(`"2026-11-01"`)),
  badRecord('an updated_at with a zone of 24 hours', withTime(`"2026-11-01T00:00:00+24:00"`)),
  badRecord('an updated_at of the year 0000', withTime(`"0000-01-01T00:00:00Z"`)),
  badRecord('a text with U+0000', withField('"x":"a\\u0000b"')),
  badRecord('a text with half an emoji', withField('"x":"a\\ud83d"')),
  badRecord('the name of a field with half an emoji', withField('"x\\ude00":1')),
  badRecord('the name of a field with a backslash', withField('"x\\\\y":1')),
  badLine(
    '101 levels',
    ({ id, updated_at: at }) =>
      `{"id":"${id}","updated_at":"${at}","x":${'['.repeat(101)}${']'.repeat(101)}}`,
  ),
  badLine('20,000 levels', ({ id }) => `{"id":"${id}","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
  badRecord('a number of 140,000 digits', withField(`"x":${'9'.repeat(140_000)}`)),
  badRecord('a number with an exponent beyond all', withField('"x":1e999999')),
  badLine('a line that is not UTF-8', (row) =>
    Buffer.from(String(honest(row).text).replace('é', 'ÿ'), 'latin1'),
  ),
  badLine('a line of more than 16 MiB', ({ id }) => `{"id":"${id}","x":"${'x'.repeat(16 * 1024 * 1024)}"}`),
  allowing(noTime, 'by id', always(READ)),
  allowing(noId, 'nameless', (mode) => (mode === 'changes' ? READ : UNPROVEN)),

  withTimeTaken(
    'a leap second',
    () => `${today()}T23:59:60Z`,
    () => `${today()}T23:59:59.999Z`,
  ),
  withTimeTaken(
    'small t and z',
    ({ updated_at: at }) => at.toLowerCase(),
    ({ updated_at: at }) => at,
  ),
  withTimeTaken(
    'nine decimals',
    ({ updated_at: at }) => at.replace(/\.\d+Z/, '.123456999Z'),
    ({ updated_at: at }) => at.replace(/\.\d+Z/, '.123456Z'),
  ),
  withTimeTaken(
    'a zone of 14 hours',
    ({ updated_at: at }) => new Date(Date.parse(at) + 14 * 3_600_000).toISOString().replace('Z', '+14:00'),
    ({ updated_at: at }) => at,
  ),
  withTimeTaken(
    'a time in the year 2099',
    () => '2099-12-31T23:59:59.000Z',
    () => '2099-12-31T23:59:59.000Z',
  ),
  taken('numbers that JavaScript rounds', (row) => {
    const json = '{"n":[1e400,-1E-400,9007199254740993,1.10,-0,0.1000000000000000055511151231257827]}';
    return { row: { ...row, json }, text: String(honest({ ...row, json }).text) };
  }),
  taken('a field that comes twice', (row) => ({
    row: { ...row, json: '{"a":2}' },
    text: `{"id":"${row.id}","updated_at":"${row.updated_at}","a":1,"a":2}`,
  })),
  taken('a field named __proto__', (row) => {
    const json = '{"__proto__":{"id":"x"},"constructor":1}';
    return { row: { ...row, json }, text: String(honest({ ...row, json }).text) };
  }),
  taken('an end that is a record', (row) => {
    const json = '{"end":true,"total":1}';
    return { row: { ...row, json }, text: String(honest({ ...row, json }).text) };
  }),
  withNew('ids that differ only in case', 's-ID', 's-Id', 's-id'),
  withNew('ids that differ only in normalisation', 's\u00e9', 'se\u0301'),
  withNew('ids that differ only in a trailing space', 's', 's ', 's  '),
  withNew('ids with quotes, tabs, line ends and a backslash', 's"', 's\t', 's\n', 's\\', "s'; DROP TABLE x"),
  withNew('ids beyond U+FFFF beside some below it', 's\uff5e', 's\u{1f600}'),
  withNew('an id of 1,000 bytes', `s${'x'.repeat(999)}`),
];
