/**
 * The progress of an item bank run and where a resume continues, also with more failures than the checkpoint can
 * hold.
 */
import { expect, test } from 'vitest';
import {
  failure,
  type ListingPosition,
  ImportProgress,
} from '../../../../src/job/compat/item-bank/import-progress.ts';

const place = (after: number): ListingPosition => ({ query: `page=${after}`, after: String(after) });
const progressOf = (earlier: ConstructorParameters<typeof ImportProgress>[0]['earlier'] = null) =>
  new ImportProgress({ asked: 'sync', since: null, earlier });

function page(progress: ImportProgress, at: number, failing: readonly string[]): void {
  progress.beginPage({ place: place(at), total: 5_000, watermark: new Date('2026-11-25T00:00:00Z') });
  for (const id of failing) progress.note(id, failure(id, 'commits: answered 500'), false);
  progress.endPage(place(at + 100));
}
const ids = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => String(from + n));

test('the checkpoint moves after each page and holds the failed items', () => {
  const progress = progressOf();
  page(progress, 0, ['7']);
  page(progress, 100, []);
  expect(progress.checkpoint()).toMatchObject({ place: place(200), done: 1, failed: [{ id: '7' }] });
});

test('the checkpoint repeats an unfinished page completely', () => {
  const progress = progressOf();
  page(progress, 0, []);
  progress.beginPage({ place: place(100), total: null, watermark: null });
  progress.note('107', failure('107', 'x'), false);
  expect(progress.checkpoint()).toMatchObject({ place: place(100), failed: [] });
});

test('the checkpoint stops moving when it cannot hold more failed items', () => {
  const progress = progressOf();
  for (let at = 0; at < 1_500; at += 100) page(progress, at, ids(at + 1, 100));
  const checkpoint = progress.checkpoint();
  expect(progress.failedCount).toBe(1_500);
  expect(checkpoint.failed).toHaveLength(Number(checkpoint.place?.after));
  expect(checkpoint.failed.length).toBeGreaterThan(800);
  expect(checkpoint.failed.at(-1)?.id).toBe(checkpoint.place?.after);
  expect(JSON.stringify(checkpoint).length).toBeLessThan(56 * 1024);
});

test('a long reason is truncated, so that the checkpoint can hold other items', () => {
  const progress = progressOf();
  progress.beginPage({ place: place(0), total: null, watermark: null });
  progress.note('1', failure('1', 'x'.repeat(10_000)), false);
  progress.endPage(null);
  expect(progress.checkpoint().failed[0]?.why).toHaveLength(120);
});

test('a retried item that fails again replaces its earlier failure and is counted once', () => {
  const progress = progressOf({
    action: 'items',
    asked: 'sync',
    since: null,
    watermark: '2026-11-25T00:00:00.000Z',
    place: null,
    done: 40,
    total: 40,
    failed: [failure('3', 'x'), failure('4', 'x')],
  });
  progress.note('3', 'updated', true);
  progress.note('4', failure('4', 'y'), true);
  progress.endRetry();
  expect(progress.checkpoint()).toMatchObject({ place: null, done: 40, failed: [{ id: '4', why: 'y' }] });
  expect(progress.counts()).toMatchObject({ records_done: 40, updated: 1, failed: 1 });
});
