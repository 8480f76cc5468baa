/** Lies about the listed records: which, in which order, with which content. Every source of lines tells them. */

import { always, but, ends, honestly, type Lie, READ } from './lie.ts';
import type { Row } from './model.ts';
import { inOrder, isOld, OLD, rowOf, type Story } from './story.ts';

const DISORDER = always(ends('failed', 'incompleteListing'));

const listing = (name: string, rows: (story: Story) => readonly Row[], more: Partial<Lie> = {}): Lie => ({
  name,
  fate: always(READ),
  lines: (story) => honestly(rows(story)),
  ...more,
});

const disorder = (name: string, rows: (story: Story) => readonly Row[]): Lie =>
  listing(name, rows, { fate: DISORDER });

/** Some records that did not change for a delta disappear: as many as the guard allows. */
function lacking({ next, random }: Story, count: number): Row[] {
  const old = next.filter(isOld);
  const gone = new Set(random.shuffled(old).slice(0, count));
  return next.filter((row) => !gone.has(row));
}

const half = ({ next }: Story): Row[] => next.filter((_, at) => at % 2 === 0);
const strangers = (at: string): Row[] =>
  Array.from({ length: 130 }, (_, nth) => rowOf(`t${1000 + nth}`, at, 'of another'));
const empty = (row: Row, at = row.updated_at): Row => ({ ...row, updated_at: at, json: '{}' });
const now = (): string => new Date(Date.now() - 30_000).toISOString();
const recentPair = ({ recent, random }: Story): [Row, Row] => {
  const at = random.integer(1, recent.length - 1);
  return [recent[at - 1] as Row, recent[at] as Row];
};
const recentOf = ({ recent }: Story, ...ids: string[]): Row[] =>
  ids.map((id) => rowOf(id, recent[0]?.updated_at ?? OLD, 'more'));

export const LISTINGS: readonly Lie[] = [
  disorder('a record twice, one after the other', (story) => {
    const [, twice] = recentPair(story);
    return story.next.flatMap((row) => (row === twice ? [row, row] : [row]));
  }),
  disorder('a record twice, first and last', (story) => [...story.next, story.recent[0] as Row]),
  disorder('two records that have changed places', (story) => {
    const [one, other] = recentPair(story);
    return story.next.map((row) => (row === one ? other : row === other ? one : row));
  }),
  disorder('everything backwards', ({ next }) => next.toReversed()),
  disorder('everything twice', ({ next }) => [...next, ...next]),
  disorder('ids in the order of UTF-16', (story) => [
    ...story.next,
    ...recentOf(story, 's\u{1f600}', 's\uff5e'),
  ]),
  disorder('ids in the order of a dictionary', (story) => [
    ...story.next,
    ...recentOf(story, 'sa', 'sB', 'sc'),
  ]),

  listing('some records are not listed and do not answer', (story) => lacking(story, 2)),
  listing('half of the records are not listed and do not answer', half),
  listing('only one record is listed', ({ recent }) => recent.slice(0, 1)),
  listing('nothing is listed, as of an empty source', () => []),
  listing('nothing is listed, forced', () => [], { options: '--force-delete' }),
  listing('half of the records are not listed, forced', half, { options: '--force-delete' }),
  listing('one record is gone where none may be deleted', ({ next }) => next, {
    environment: { SYNCRATOR_MAX_DELETE_PERCENT: '0' },
  }),
  listing('the records of another tenant', () => strangers(OLD)),
  listing('the records of another tenant, all of them new', () => strangers(now())),
  listing('the records of another tenant besides', (story) => inOrder([...story.next, ...strangers(now())])),
  listing('all ids in the other case', ({ next }) =>
    inOrder(next.map((row) => ({ ...row, id: row.id.toUpperCase() }))),
  ),
  listing('the same records as before', ({ before }) => before),

  listing('all records are empty', ({ next }) => next.map((row) => empty(row, now()))),
  listing('all records are empty, with unchanged times', ({ next }) => next.map((row) => empty(row))),
  listing(
    'all records are empty where half of them may change',
    ({ next }) => next.map((row) => empty(row, now())),
    {
      environment: { SYNCRATOR_MAX_UPDATE_PERCENT: '50' },
    },
  ),
  listing('one field is empty everywhere', ({ next }) =>
    next.map((row) => ({ ...row, updated_at: now(), json: '{"name":null}' })),
  ),
  listing('all records have changed, with unchanged times', ({ next }) =>
    next.map((row) => rowOf(row.id, row.updated_at, 'other')),
  ),
  listing('all times lie in the future', ({ next }) =>
    next.map((row) => ({ ...row, updated_at: '2099-01-01T00:00:00.000Z' })),
  ),
  listing('all times lie in the year 1', ({ next }) =>
    next.map((row) => ({ ...row, updated_at: '0001-01-01T00:00:00.000Z' })),
  ),
  listing('all times are days', ({ next }) =>
    next.map((row) => ({ ...row, updated_at: `${row.updated_at.slice(0, 10)}T00:00:00.000Z` })),
  ),
  listing('all times are one and the same', ({ next }) =>
    next.map((row) => ({ ...row, updated_at: now().replace(/\d{3}Z$/, '000Z') })),
  ),

  {
    name: 'some records are not listed but answer',
    only: 'http',
    fate: but(ends('incompleteListing'), 'changes'),
    lines: (story) => honestly(lacking(story, 2)),
    answers: ({ next }) => next,
  },
  {
    name: 'deleted records still answer',
    only: 'http',
    fate: but(ends('incompleteListing'), 'changes'),
    answers: ({ before }) => before,
  },
  {
    name: 'half of the records are missing in the listing of ids',
    only: 'http',
    fate: always(READ),
    lines: (story, mode) => honestly(mode === 'ids' ? half(story) : story.next),
  },
];
