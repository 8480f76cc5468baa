/** All lies of a repository of OAI-PMH: in its lists, its errors, its answers that are none, and its clock. */

import { document, recordXml } from '../../support/oai-pmh/repository.ts';
import { oaiRecord } from './oai-place.ts';
import { DELETIONS, PAGES, RECORDS, SIZES, TOKENS } from './lies-of-lists.ts';
import {
  error,
  everywhere,
  html,
  identifying,
  lie,
  type OaiLie,
  onceOnLists,
  onLists,
  told,
  whenAsked,
  whenAskedFor,
  xml,
} from './oai-words.ts';
import { ends, READ } from './lie.ts';
import { AWAY, FAILED, LATE, PART, TOLD_ROWS, UNAUTHORIZED, WRONG } from './row-lie.ts';
import { CANARY } from './story.ts';

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
