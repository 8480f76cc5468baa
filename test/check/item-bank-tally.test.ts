/** What a run of the item bank has done and where a resume goes on, also with more failures than can be kept. */
import { expect, test } from 'vitest';
import { failure, type Place, Tally } from '../../src/job/item-bank/tally.ts';

const place = (after: number): Place => ({ query: `page=${after}`, after: String(after) });
const tallyOf = (earlier: ConstructorParameters<typeof Tally>[0]['earlier'] = null) =>
  new Tally({ asked: 'sync', since: null, earlier });

function page(tally: Tally, at: number, failing: readonly string[]): void {
  tally.beginPage({ place: place(at), total: 5_000, watermark: new Date('2026-11-25T00:00:00Z') });
  for (const id of failing) tally.note(id, failure(id, 'commits: answered 500'), false);
  tally.endPage(place(at + 100));
}
const ids = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => String(from + n));

test('goes on after each page, with those that failed so far', () => {
  const tally = tallyOf();
  page(tally, 0, ['7']);
  page(tally, 100, []);
  expect(tally.checkpoint()).toMatchObject({ place: place(200), done: 1, failed: [{ id: '7' }] });
});

test('a page under way is to be done again, whole', () => {
  const tally = tallyOf();
  page(tally, 0, []);
  tally.beginPage({ place: place(100), total: null, watermark: null });
  tally.note('107', failure('107', 'x'), false);
  expect(tally.checkpoint()).toMatchObject({ place: place(100), failed: [] });
});

test('more failures than can be kept: a resume does what follows the last kept page again', () => {
  const tally = tallyOf();
  for (let at = 0; at < 1_500; at += 100) page(tally, at, ids(at + 1, 100));
  const checkpoint = tally.checkpoint();
  expect(tally.failedCount).toBe(1_500);
  expect(checkpoint.failed).toHaveLength(Number(checkpoint.place?.after));
  expect(checkpoint.failed.length).toBeGreaterThan(800);
  expect(checkpoint.failed.at(-1)?.id).toBe(checkpoint.place?.after);
  expect(JSON.stringify(checkpoint).length).toBeLessThan(56 * 1024);
});

test('a long reason is cut, so that it crowds out no others', () => {
  const tally = tallyOf();
  tally.beginPage({ place: place(0), total: null, watermark: null });
  tally.note('1', failure('1', 'x'.repeat(10_000)), false);
  tally.endPage(null);
  expect(tally.checkpoint().failed[0]?.why).toHaveLength(120);
});

test('tried again: those that fail again take the place of the ones before, and are counted as done once', () => {
  const tally = tallyOf({
    action: 'items',
    asked: 'sync',
    since: null,
    watermark: '2026-11-25T00:00:00.000Z',
    place: null,
    done: 40,
    total: 40,
    failed: [failure('3', 'x'), failure('4', 'x')],
  });
  tally.note('3', 'updated', true);
  tally.note('4', failure('4', 'y'), true);
  tally.endRetry();
  expect(tally.checkpoint()).toMatchObject({ place: null, done: 40, failed: [{ id: '4', why: 'y' }] });
  expect(tally.counts()).toMatchObject({ records_done: 40, updated: 1, failed: 1 });
});
