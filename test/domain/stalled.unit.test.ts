/** A silent job, from its last report or, without one, from its start. */
import { expect, test } from 'vitest';
import { isStalled, noProgressSeconds, stalledSeconds } from '../../src/domain/stalled.ts';
import { JOB_STATUSES } from '../../src/domain/status.ts';

const now = new Date('2026-01-01T00:01:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

test('a running job is stalled once it has been silent for longer than the limit', () => {
  const stalled = (seconds: number) =>
    isStalled({ status: 'running', heardAt: ago(seconds), now, afterSeconds: 7 });
  expect([stalled(0), stalled(7), stalled(7.001)]).toEqual([false, false, true]);
});

test('no other job is stalled, nor one that has not started', () => {
  const stalled = JOB_STATUSES.filter((status) =>
    isStalled({ status, heardAt: ago(3600), now, afterSeconds: 30 }),
  );
  expect(stalled).toEqual(['running']);
  expect(isStalled({ status: 'running', heardAt: undefined, now, afterSeconds: 30 })).toBe(false);
});

test('the duration of a stall counts from the limit on', () => {
  const stalled = (seconds: number) =>
    stalledSeconds({ status: 'running', heardAt: ago(seconds), now, afterSeconds: 7 });
  expect([stalled(6), stalled(7), stalled(40)]).toEqual([0, 0, 33]);
});

test('a job without progress stalls too, except while its program names what it waits for', () => {
  const of = { status: 'running', now, afterSeconds: 7, waitingFor: null } as const;
  expect(noProgressSeconds({ ...of, progressedAt: ago(40) })).toBe(33);
  expect(noProgressSeconds({ ...of, progressedAt: ago(6) })).toBe(0);
  expect(noProgressSeconds({ ...of, progressedAt: undefined })).toBe(0);
  expect(noProgressSeconds({ ...of, progressedAt: ago(40), waitingFor: 'the source' })).toBe(0);
  expect(noProgressSeconds({ ...of, progressedAt: ago(40), status: 'cancelling' })).toBe(0);
});
