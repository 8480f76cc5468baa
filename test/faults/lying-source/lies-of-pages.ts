/** Lies of a server across its answers: totals, pages, clocks, and what it answers when it is asked again. */

import {
  every,
  listing,
  once,
  onward,
  later,
  asked,
  lie,
  FAILED,
  PART,
  LOST,
  UNAUTHORIZED,
  whenAsked,
  status,
  total,
  body,
  page,
  inSeconds,
} from './http-words.ts';
import { ends, READ, type Lie, type Ask } from './lie.ts';

const TOTALS: readonly Lie[] = [
  lie('a total that is one too high', PART, listing(total((count) => count + 1))),
  lie('a total that is one too low', PART, listing(total((count) => count - 1))),
  lie('a total that is far too high', PART, listing(total((count) => count * 2))),
  lie('a total that is far too low', PART, listing(total((count) => Math.floor(count / 2)))),
  lie('a total of zero', PART, listing(total(() => 0))),
  lie('a total that is huge', PART, listing(total(() => '999999999999999'))),
  lie('a total of 16 digits', FAILED, listing(total(() => '9999999999999999'))),
  lie('a total that is negative', FAILED, listing(total(() => -1))),
  lie('a total that is not a number', FAILED, listing(total(() => 'many'))),
  lie('a total with decimals', FAILED, listing(total((count) => `${count}.0`))),
  lie('no total', FAILED, every(total(() => undefined))),
  lie('no total on a later page', FAILED, later(total(() => undefined))),
  lie(
    'two totals',
    FAILED,
    listing((a, ask) => void (a.total = `${ask.lines.length}\r\nx-total-count: ${ask.lines.length + 1}`)),
  ),
  lie(
    'totals that vary within a tenth',
    READ,
    listing(total((count, { nth }) => count + ([0, 1, -1][nth % 3] ?? 0))),
  ),
  lie(
    'totals that vary by a third',
    PART,
    listing(total((count, { nth }) => (nth % 2 === 0 ? count : Math.floor(count / 1.5)))),
  ),
  lie('a total of zero on a later page', PART, later(total(() => 0))),
  lie('another total at the first look', READ, (answer, ask) => {
    if (ask.kind === 'survey') answer.total = '7';
  }),
];

const PAGING: readonly Lie[] = [
  lie(
    'everything in one page',
    READ,
    listing((a, ask) => void ((a.lines = ask.lines), (a.more = false))),
  ),
  lie(
    'a last page without a record',
    READ,
    listing((a, ask) => {
      if (!a.more && a.lines.length > 0) a.more = true;
      else if (a.lines.length === 0) Object.assign(a, { more: false, total: String(ask.lines.length) });
    }),
  ),
  lie(
    'an empty page that promises more',
    FAILED,
    onward((a) => Object.assign(a, { lines: [], more: true })),
  ),
  lie(
    'a next for ever',
    FAILED,
    listing((a) => void (a.more = true)),
  ),
  lie(
    'no next',
    PART,
    listing((a) => void (a.more = false)),
  ),
  lie(
    'no next on a later page',
    PART,
    listing((a, { nth }) => void (nth === 1 && (a.more = false))),
  ),
  lie(
    'a page that comes again',
    FAILED,
    later((a, ask) => void (a.lines = ask.lines.slice(0, a.lines.length))),
  ),
  lie(
    'a page that repeats the last record of the one before',
    FAILED,
    later((a, ask) => {
      const at = ask.lines.findIndex(({ row }) => row.id === ask.after);
      a.lines = [...ask.lines.slice(at, at + 1), ...a.lines];
    }),
  ),
  lie(
    'a page that skips a record',
    PART,
    once((a) => void (a.lines = a.lines.slice(1))),
  ),
  lie(
    'a page backwards',
    ends('failed', 'incompleteListing'),
    once((a) => void (a.lines = a.lines.toReversed())),
  ),
  lie(
    'records without end',
    PART,
    listing((a, ask) => Object.assign(a, { body: endless(ask), more: true })),
  ),
  lie(
    'records without end, and totals that grow with them',
    PART,
    listing((a, ask) =>
      Object.assign(a, { body: endless(ask), more: true, total: String((ask.nth + 1) * 1000) }),
    ),
  ),
  lie(
    'whole records in the listing of ids',
    READ,
    listing(
      (a, { mode }) =>
        void (
          mode === 'ids' && (a.body = Buffer.from(a.lines.map(({ text }) => `${String(text)}\n`).join('')))
        ),
    ),
  ),
  lie('everything in the listing of changes', READ, (answer, ask) => {
    if (ask.kind === 'listing' && ask.mode === 'changes')
      Object.assign(answer, { lines: ask.everything, more: false, total: String(ask.everything.length) });
  }),
];

function endless({ nth, mode }: Ask): Buffer {
  const lines = Array.from({ length: 1000 }, (_, at) => {
    const id = `z${String(nth * 1000 + at).padStart(9, '0')}`;
    return mode === 'ids' ? `{"id":"${id}"}\n` : `{"id":"${id}","updated_at":"2026-11-29T00:00:00Z"}\n`;
  });
  return Buffer.from(lines.join(''));
}

const CLOCKS: readonly Lie[] = [
  ['an hour ahead', () => ({ date: inSeconds(3600) })],
  ['a year ahead', () => ({ date: inSeconds(366 * 86_400) })],
  ['in the year 2100', () => ({ date: 'Fri, 01 Jan 2100 00:00:00 GMT' })],
  ['an hour behind', () => ({ date: inSeconds(-3600) })],
  ['in 1970', () => ({ date: 'Thu, 01 Jan 1970 00:00:00 GMT' })],
  ['absurd', () => ({ date: 'the day after tomorrow' })],
  ['absent', () => ({ date: undefined })],
].map(([what, told]) =>
  lie(
    `a Date ${what as string}`,
    READ,
    (answer) => void Object.assign(answer.headers, (told as () => object)()),
  ),
);

const AGES: readonly Lie[] = ['900', '99999999999', '-900', 'old', '1.5', '0'].map((age) =>
  lie(`an Age of ${age}`, READ, (answer) => void (answer.headers['age'] = age)),
);

const ASKED: readonly Lie[] = [
  lie('asked once more: a page of HTML', whenAsked(FAILED), asked(body(page, 'text/html'))),
  lie('asked once more: 503 for ever', whenAsked(FAILED), asked(status(503))),
  lie('asked once more: 401', whenAsked(UNAUTHORIZED), asked(status(401))),
  lie(
    'asked once more: a reset for ever',
    whenAsked(LOST),
    asked((a) => void (a.instead = 'reset')),
  ),
  lie(
    'asked once more: no total',
    whenAsked(FAILED),
    asked((a) => void (a.total = undefined)),
  ),
  lie(
    'asked once more: bodies that end with the connection',
    whenAsked(PART),
    asked((a) => void (a.frame = 'close')),
  ),
  lie('asked once more: lines that are not JSON', whenAsked(PART), asked(body('{"id":\n'))),
  lie(
    'asked once more: nothing, and more to come',
    whenAsked(PART),
    asked((a) => Object.assign(a, { lines: [], more: true })),
  ),
  lie(
    'asked once more: ids backwards',
    whenAsked(PART),
    asked((a) => void (a.lines = a.lines.toReversed())),
  ),
  lie('asked once more: a reset once', READ, (answer, ask) => {
    if (ask.kind === 'asked' && ask.nth === 0) answer.instead = 'reset';
  }),
];

export const PAGES: readonly Lie[] = [...TOTALS, ...PAGING, ...CLOCKS, ...AGES, ...ASKED];
