/** Lies of a repository of OAI-PMH: tokens, sizes, pages, deletions, datestamps, errors, answers that are none. */

import { document, header, type OaiRecord, recordXml } from '../../support/oai-pmh/repository.ts';
import type { Listed, OaiProvider } from '../../support/oai-pmh/provider.ts';
import { always, but, ends, READ, UNPROVEN } from './lie.ts';
import type { Fate, Mode, Row } from './model.ts';
import { type OaiPlace, oaiRecord, pagesOf } from './oai-place.ts';
import {
  AWAY,
  FAILED,
  LATE,
  PART,
  REJECTED,
  type RowLie,
  TOLD_ROWS,
  UNAUTHORIZED,
  WRONG,
} from './row-lie.ts';
import { CANARY, isOld, type Story } from './story.ts';

export type OaiLie = RowLie<OaiPlace>;

type Answer = NonNullable<OaiProvider['lie']>;

const lie = (
  name: string,
  fate: Fate | OaiLie['fate'],
  tell: (provider: OaiProvider, story: Story, mode: Mode) => void,
  more: Partial<OaiLie> = {},
): OaiLie => ({
  name,
  fate: typeof fate === 'function' ? fate : always(fate),
  tell: ({ provider }, story, mode) => tell(provider, story, mode),
  ...more,
});

const unproven = but(UNPROVEN, 'changes');
const whenAsked = (fate: Fate): OaiLie['fate'] => but(fate, 'changes');
const one = ({ recent, random }: Story): Row => random.pick(recent);
const oldPair = ({ next, random }: Story): Row[] => random.shuffled(next.filter(isOld)).slice(0, 2);
const lacking = (story: Story, gone: readonly Row[]): Row[] =>
  story.next.filter((row) => !gone.includes(row));
const DAY_MS = 86_400_000;
const ofTheDay = (asked: number): number => Math.floor(asked / DAY_MS) * DAY_MS;
const now = (): string => `${new Date(Date.now() - 30_000).toISOString().slice(0, 19)}Z`;

const xml = (text: string | Uint8Array<ArrayBuffer>, status = 200, headers = {}): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/xml', ...headers } });
const html = (): Response =>
  new Response(`<!DOCTYPE html><p>${CANARY}`, { headers: { 'content-type': 'text/html' } });
const error = (code: string): Response => xml(document(`<error code="${code}">why</error>`));

/** Instead of answers to a list; `Identify` and questions about one record are answered as usual. */
const onLists =
  (answer: (usual: string, query: Readonly<Record<string, string>>) => Response): Answer =>
  (query, _, usual) =>
    /^List/.test(query['verb'] ?? '') ? answer(usual, query) : undefined;
const onceOnLists = (answer: (usual: string) => Response): Answer => {
  let told = false;
  return onLists((usual) => {
    if (told) return xml(usual);
    told = true;
    return answer(usual);
  });
};
/** Only a list that is read without `from` has several pages. */
const onLater =
  (page: number, answer: (usual: string) => Response): Answer =>
  (query, _, usual) => {
    const { at } = JSON.parse(
      Buffer.from(query['resumptionToken'] ?? '', 'base64url').toString() || '{"at":0}',
    ) as { at: number };
    return at === (page - 1) * 40 ? answer(usual) : undefined;
  };
const whenAskedFor =
  (answer: (usual: string) => Response): Answer =>
  ({ verb }, _, usual) =>
    verb === 'GetRecord' ? answer(usual) : undefined;
const everywhere =
  (answer: (usual: string) => Response): Answer =>
  (_, __, usual) =>
    answer(usual);
const identifying =
  (name: string, value: string): Answer =>
  ({ verb }, _, usual) =>
    verb === 'Identify'
      ? xml(usual.replace(new RegExp(`<${name}>[^<]*</${name}>`), `<${name}>${value}</${name}>`))
      : undefined;
const told =
  (answer: Answer | (() => Answer)) =>
  (provider: OaiProvider): void => {
    provider.lie = answer.length === 0 ? (answer as () => Answer)() : (answer as Answer);
  };
const bent =
  (bend: (listed: Listed) => void) =>
  (provider: OaiProvider): void => {
    provider.bend = bend;
  };

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
const TOKENS: readonly OaiLie[] = [
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

const SIZES: readonly OaiLie[] = (
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

const PAGES: readonly OaiLie[] = [
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
const DELETIONS: readonly OaiLie[] = [
  lie('deleted records among the others', READ, (provider, { removed }) =>
    markDeleted(provider, removed, now()),
  ),
  lie(
    'records that are deleted and were not',
    READ,
    (provider, story) => markDeleted(provider, oldPair(story), now()),
    {
      rows: (story) => lacking(story, oldPair(story)),
    },
  ),
  lie('every record is deleted', READ, (provider, { next }) => markDeleted(provider, next), {
    rows: () => [],
  }),
  lie('every record is deleted, forced', READ, (provider, { next }) => markDeleted(provider, next), {
    rows: () => [],
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
const RECORDS: readonly OaiLie[] = [
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

const IDENTITIES: readonly OaiLie[] = [
  ['protocolVersion', '1.1'],
  ['granularity', 'YYYY'],
  ['deletedRecord', 'sometimes'],
  ['earliestDatestamp', 'long ago'],
].map(([name = '', value = '']) =>
  lie(`Identify with ${name} ${value}`, FAILED, told(identifying(name, value))),
);

const ERRORS: readonly OaiLie[] = [
  ...['badArgument', 'badVerb', 'somethingNew'].map((code) =>
    lie(`the error ${code} with 200`, FAILED, told(onLists(() => error(code)))),
  ),
  lie(
    'the error cannotDisseminateFormat with 200',
    WRONG,
    told(onLists(() => error('cannotDisseminateFormat'))),
  ),
  lie('an error of Identify', FAILED, told(everywhere(() => error('badVerb')))),
  ...[204, 304, 400, 404, 410].map((code) =>
    lie(
      `status ${code}`,
      FAILED,
      told(onLists(() => new Response(code < 400 ? null : CANARY, { status: code }))),
    ),
  ),
  ...[401, 403].map((code) => lie(`status ${code}`, UNAUTHORIZED, told(onLists(() => xml(CANARY, code))))),
  ...[429, 500, 503].map((code) =>
    lie(
      `status ${code} once`,
      READ,
      told(() => onceOnLists(() => xml(CANARY, code, { 'retry-after': '0' }))),
    ),
  ),
  ...[500, 503].map((code) => lie(`status ${code} for ever`, FAILED, told(onLists(() => xml(CANARY, code))))),
  lie(
    '503 with Retry-After of a date long ago, once',
    READ,
    told(() => onceOnLists(() => xml(CANARY, 503, { 'retry-after': new Date(0).toUTCString() }))),
  ),
  lie(
    '503 with Retry-After: 999999999',
    FAILED,
    told(onLists(() => xml(CANARY, 503, { 'retry-after': '999999999' }))),
  ),
  lie(
    '302 to another origin',
    FAILED,
    told(onLists(() => xml('', 302, { location: 'http://127.0.0.2:1/oai' }))),
  ),
  lie('silence for ever', LATE, (provider) => {
    provider.lie = onLists(
      () => new Response(new ReadableStream({}), { headers: { 'content-type': 'text/xml' } }),
    );
  }),
  lie(
    'an end in mid page, for ever',
    AWAY,
    told(
      onLists((usual) => {
        const half = new TextEncoder().encode(usual.slice(0, usual.length / 2));
        let sent = false;
        return new Response(
          new ReadableStream({
            pull(controller) {
              if (sent) controller.error(new Error('broken off'));
              else controller.enqueue(half);
              sent = true;
            },
          }),
          { headers: { 'content-type': 'text/xml' } },
        );
      }),
    ),
  ),
];

const BOMB = `<?xml version="1.0"?><!DOCTYPE OAI-PMH [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>&b;</ListRecords></OAI-PMH>`;
const BODIES: readonly OaiLie[] = (
  [
    ['a page of HTML', html],
    ['a page of HTML as XML', () => xml(`<!DOCTYPE html><html><p>${CANARY}</html>`)],
    ['a bomb of entities', () => xml(BOMB)],
    ['XML of another kind', () => xml('<rss version="2.0"/>')],
    ['JSON', () => xml(`{"error": "${CANARY}"}`)],
    ['another verb', () => xml(document('<ListSets/>'))],
    ['neither records nor an error', () => xml(document(''))],
    ['tags that do not match', (usual) => xml(usual.replace('</header>', '</heading>'))],
    [
      'bytes that are not UTF-8',
      (usual) => xml(Buffer.from(usual.replace('</OAI-PMH>', 'ÿ</OAI-PMH>'), 'latin1')),
    ],
    ['no body', () => xml('')],
  ] as readonly [string, (usual: string) => Response][]
).map(([name, answer]) =>
  lie(name, name === 'no body' ? ends('failed', 'sourceUnreachable') : FAILED, told(onLists(answer))),
);

const CLOCKS: readonly OaiLie[] = [
  ['an hour ahead', 3_600_000],
  ['a year ahead', 366 * 86_400_000],
  ['an hour behind', -3_600_000],
  ['thirty years behind', -30 * 366 * 86_400_000],
].map(([name, ms]) =>
  lie(
    `a clock ${name}`,
    READ,
    told(
      everywhere((usual) => {
        const time = new Date(Date.now() + Number(ms));
        const date = `${time.toISOString().slice(0, 19)}Z`;
        return xml(usual.replace(/<responseDate>[^<]*/, `<responseDate>${date}`), 200, {
          date: time.toUTCString(),
        });
      }),
    ),
  ),
);

const ASKED: readonly OaiLie[] = [
  lie(
    'deleted records still answer',
    whenAsked(PART),
    (provider, { removed }) => {
      const there = new Map(removed.map((row) => [row.id, recordXml(oaiRecord(row), 'oai_dc')]));
      provider.lie = ({ verb, identifier = '' }) => {
        const record = verb === 'GetRecord' ? there.get(identifier) : undefined;
        return record === undefined ? undefined : xml(document(`<GetRecord>${record}</GetRecord>`));
      };
    },
    { answers: ({ removed }) => removed },
  ),
  lie('asked once more: 503 for ever', whenAsked(FAILED), told(whenAskedFor(() => xml('', 503)))),
  lie('asked once more: 401', whenAsked(UNAUTHORIZED), told(whenAskedFor(() => xml('', 401)))),
  lie('asked once more: a page of HTML', whenAsked(FAILED), told(whenAskedFor(html))),
  lie(
    'asked once more: no record',
    whenAsked(FAILED),
    told(whenAskedFor(() => xml(document('<GetRecord/>')))),
  ),
  lie(
    'asked once more: noRecordsMatch',
    whenAsked(FAILED),
    told(whenAskedFor(() => error('noRecordsMatch'))),
  ),
  lie(
    'asked once more: not in this format',
    READ,
    told(whenAskedFor(() => error('cannotDisseminateFormat'))),
  ),
  lie('half of the records are missing in the list of identifiers', READ, () => {}, {
    rows: ({ next }, mode) => (mode === 'ids' ? next.filter((_, at) => at % 2 === 0) : next),
  }),
];

export const OF_REPOSITORIES: readonly OaiLie[] = [
  ...(TOLD_ROWS as readonly OaiLie[]),
  ...TOKENS,
  ...SIZES,
  ...PAGES,
  ...DELETIONS,
  ...RECORDS,
  ...IDENTITIES,
  ...ERRORS,
  ...BODIES,
  ...CLOCKS,
  ...ASKED,
];
