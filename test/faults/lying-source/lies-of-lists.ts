/** Lies of a repository in its lists: tokens, sizes, pages, deletions, datestamps. */

import type { OaiProvider } from '../../support/oai-pmh/provider.ts';
import { header, type OaiRecord } from '../../support/oai-pmh/repository.ts';
import { oaiRecord, pagesOf } from './oai-place.ts';
import {
  bent,
  error,
  identifying,
  lacking,
  lie,
  now,
  type OaiLie,
  ofTheDay,
  oldPair,
  onceOnLists,
  one,
  onLater,
  onLists,
  told,
  unproven,
  xml,
} from './oai-words.ts';
import { but, ends, READ } from './lie.ts';
import { FAILED, PART, REJECTED } from './row-lie.ts';
import type { Story } from './story.ts';
import type { Fate, Mode, Row } from './model.ts';

/** The rows of one page of a list; a delta's list has only one. */
const page =
  (number: number, size?: number) =>
  ({ next }: Story, mode: Mode): Row[] =>
    mode === 'changes' ? [] : (pagesOf(next, size)[number - 1] ?? []);
const afterTwo = ({ next }: Story, mode: Mode): Row[] =>
  mode === 'changes' ? [] : pagesOf(next).slice(2).flat();
/** Page 1 in place of page 2. */
const repeated =
  (size?: number) =>
  (provider: OaiProvider, { next }: Story): void => {
    const [first = []] = pagesOf(next, size);
    if (size !== undefined) provider.pageSize = size;
    provider.bend = (listed) => {
      if (listed.page === 2 && listed.total === next.length) listed.records = first.map(oaiRecord);
    };
  };
export const TOKENS: readonly OaiLie[] = [
  lie('a token that has expired, once', READ, (provider) => {
    let count = 0;
    provider.lie = (query) =>
      query['resumptionToken'] !== undefined && ++count === 1 ? error('badResumptionToken') : undefined;
  }),
  lie('tokens that live for two pages', READ, (provider) => void (provider.tokenLife = 2)),
  lie('tokens that expire within one second of records', FAILED, (provider) =>
    Object.assign(provider, { tokenLife: 1, pageSize: 5 }),
  ),
  lie(
    'a token that is unknown, in the first answer',
    FAILED,
    told(onLists(() => error('badResumptionToken'))),
  ),
  lie(
    'a token that comes again',
    PART,
    bent((listed) => {
      listed.token = Buffer.from('{"prefix":"oai_dc","at":40}').toString('base64url');
    }),
  ),
  lie('tokens without end', PART, (provider) => {
    let count = 0;
    provider.bend = (listed) => {
      count += 1;
      listed.token = Buffer.from(JSON.stringify({ prefix: 'oai_dc', at: 40, count })).toString('base64url');
    };
  }),
  lie(
    'no token at the end, and a size',
    READ,
    bent((listed) => {
      if (listed.token === '') listed.token = undefined;
    }),
  ),
  lie('no token at the end, and no size', unproven, () => {}, { tell: (place) => place.unproven() }),
  lie(
    'no token after two pages',
    unproven,
    bent((listed) => {
      if (listed.page === 2) listed.token = undefined;
    }),
    { misses: afterTwo },
  ),
  lie(
    'an empty token after two pages',
    unproven,
    bent((listed) => {
      if (listed.page === 2) listed.token = '';
    }),
    { misses: afterTwo },
  ),
  lie(
    'an empty token after two pages, and no size',
    READ,
    (provider) => {
      provider.tellsSize = false;
      provider.bend = (listed) => {
        if (listed.page === 2) listed.token = '';
      };
    },
    { misses: afterTwo },
  ),
];

export const SIZES: readonly OaiLie[] = (
  [
    ['one too many', unproven, (total) => String(total + 1)],
    ['one too few', unproven, (total) => String(total - 1)],
    ['half of them', unproven, (total) => String(Math.floor(total / 2))],
    ['zero', unproven, () => '0'],
    ['a huge number', unproven, () => '999999999999999'],
    ['a negative number', READ, () => '-1'],
    ['no number', READ, () => 'many'],
    ['nothing', READ, () => undefined],
    ['another number on each page, within a tenth', READ, (total, page) => String(total + (page % 2))],
    [
      'another number on each page, by a half',
      unproven,
      (total, page) => String(Math.floor(total / (1 + (page % 2)))),
    ],
  ] as readonly [string, Fate | OaiLie['fate'], (total: number, page: number) => string | undefined][]
).map(([name, fate, of]) =>
  lie(
    `completeListSize of ${name}`,
    fate,
    bent((listed) => void (listed.size = of(listed.total, listed.page))),
  ),
);

export const PAGES: readonly OaiLie[] = [
  lie(
    'a page that is empty',
    unproven,
    bent((listed) => {
      if (listed.page === 2) listed.records = [];
    }),
    { misses: page(2) },
  ),
  lie('a page that comes again', unproven, repeated(), { misses: page(2) }),
  lie(
    'a page that comes again, and no size',
    READ,
    (provider, story) => {
      provider.tellsSize = false;
      repeated()(provider, story);
    },
    { misses: page(2) },
  ),
  lie(
    'a page of five that comes again, and no size',
    READ,
    (provider, story) => {
      provider.tellsSize = false;
      repeated(5)(provider, story);
    },
    { misses: page(2, 5) },
  ),
  lie(
    'a page that is cut off, once',
    READ,
    told(() => onceOnLists((usual) => xml(usual.slice(0, -200)))),
  ),
  lie(
    'a page that is cut off, for ever',
    ends('failed', 'sourceUnreachable'),
    told(onLists((usual) => xml(usual.slice(0, -200)))),
  ),
  lie(
    'noRecordsMatch after two pages, and no size',
    unproven,
    (provider) => {
      provider.tellsSize = false;
      provider.lie = onLater(3, () => error('noRecordsMatch'));
    },
    { misses: afterTwo },
  ),
  lie('noRecordsMatch', READ, told(onLists(() => error('noRecordsMatch'))), { rows: () => [] }),
  lie('noRecordsMatch, forced', READ, told(onLists(() => error('noRecordsMatch'))), {
    rows: () => [],
    options: '--force-delete',
  }),
  lie('everything in the list of changes', READ, (provider) => void (provider.ignoresFrom = true), {
    since: () => -Infinity,
  }),
  lie(
    'a record twice',
    READ,
    bent((listed) => {
      listed.records = [...listed.records, ...listed.records.slice(0, 1)];
    }),
  ),
];

const deleted = (record: OaiRecord, stamp = record.stamp): OaiRecord => ({
  ...record,
  stamp,
  isDeleted: true,
});
const markDeleted = (provider: OaiProvider, rows: readonly Row[], at?: string): void =>
  provider.put(...rows.map((row) => deleted(oaiRecord(row), at)));
const justNow = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ({ ...row, updated_at: new Date().toISOString() }));
export const DELETIONS: readonly OaiLie[] = [
  lie(
    'deleted records among the others',
    READ,
    (provider, { removed }) => markDeleted(provider, removed, now()),
    { deletes: ({ removed }) => justNow(removed) },
  ),
  lie(
    'records that are deleted and were not',
    READ,
    (provider, story) => markDeleted(provider, oldPair(story), now()),
    {
      rows: (story) => lacking(story, oldPair(story)),
      deletes: (story) => justNow(oldPair(story)),
    },
  ),
  lie('every record is deleted', READ, (provider, { next }) => markDeleted(provider, next), {
    rows: () => [],
    deletes: ({ next }) => next,
  }),
  lie('every record is deleted, forced', READ, (provider, { next }) => markDeleted(provider, next), {
    rows: () => [],
    deletes: ({ next }) => next,
    options: '--force-delete',
  }),
  lie(
    'half of the records are deleted',
    READ,
    (provider, { next }) =>
      markDeleted(
        provider,
        next.filter((_, at) => at % 2 === 1),
      ),
    {
      rows: ({ next }) => next.filter((_, at) => at % 2 === 0),
      deletes: ({ next }) => next.filter((_, at) => at % 2 === 1),
    },
  ),
  lie(
    'a record that is deleted and lives, later',
    READ,
    bent((listed) => {
      const [first] = listed.records;
      if (first) listed.records = [deleted(first, '2000-01-01T00:00:00Z'), ...listed.records];
    }),
  ),
  lie('a repository that keeps no deletions', READ, (provider, { removed }) => {
    provider.deletedRecord = 'no';
    markDeleted(provider, removed);
  }),
];

const stamped =
  (stamp: string) =>
  (provider: OaiProvider, story: Story): void =>
    provider.put({ ...oaiRecord(one(story)), stamp });
export const RECORDS: readonly OaiLie[] = [
  lie('a datestamp that is none', but(REJECTED, 'ids'), stamped('2099-99-99T99:99:99Z')),
  lie('a datestamp that is none, MAX_REJECTED=5', READ, stamped('2099-99-99T99:99:99Z'), {
    setAside: { row: one, as: 'by id' },
    environment: { MAX_REJECTED: '5' },
  }),
  lie('a datestamp on a day that does not exist', but(REJECTED, 'ids'), stamped('2027-02-29T00:00:00Z')),
  lie('a record without an identifier', REJECTED, (provider, story) => {
    const { id } = one(story);
    provider.lie = onLists((usual) => xml(usual.replace(`<identifier>${id}</identifier>`, '<identifier/>')));
  }),
  lie(
    'a record without an identifier, MAX_REJECTED=5',
    unproven,
    (provider, story) => {
      const { id } = one(story);
      provider.lie = onLists((usual) =>
        xml(usual.replace(`<identifier>${id}</identifier>`, '<identifier/>')),
      );
    },
    {
      setAside: { row: one, as: 'nameless' },
      environment: { MAX_REJECTED: '5' },
    },
  ),
  lie('a record without metadata', but(REJECTED, 'ids'), (provider, story) => {
    const record = header(oaiRecord(one(story)));
    provider.lie = onLists((usual) => {
      const at = usual.indexOf(record) + record.length;
      if (at < record.length || !usual.includes('<metadata>')) return xml(usual);
      return xml(usual.slice(0, at) + usual.slice(usual.indexOf('</record>', at)));
    });
  }),
  lie('days instead of seconds', READ, (provider) => void (provider.granularity = 'YYYY-MM-DD'), {
    since: ofTheDay,
    rows: ({ next }) =>
      next.map((row) => ({ ...row, updated_at: `${row.updated_at.slice(0, 10)}T00:00:00.000Z` })),
  }),
  lie(
    'it says days, and takes seconds',
    (mode) => (mode === 'changes' ? FAILED : READ),
    told(identifying('granularity', 'YYYY-MM-DD')),
  ),
  lie(
    'it says seconds, and takes days',
    (mode) => (mode === 'changes' ? FAILED : READ),
    (provider) => {
      provider.granularity = 'YYYY-MM-DD';
      provider.lie = identifying('granularity', 'YYYY-MM-DDThh:mm:ssZ');
    },
    {
      rows: ({ next }) =>
        next.map((row) => ({ ...row, updated_at: `${row.updated_at.slice(0, 10)}T00:00:00.000Z` })),
    },
  ),
];
