/** Which missing records are asked for by id: those that may go now come before those that wait already. */
import { expect, test } from 'vitest';
import { compareGenerations, lossesToAsk } from '../../../../src/job/sinks/generations/comparison.ts';
import type { Stamps } from '../../../../src/job/sinks/generations/compare.ts';
import type { HeldPages } from '../../../../src/job/sinks/generations/held-set.ts';
import { findRemovals } from '../../../../src/job/sinks/generations/removals.ts';

const SINCE = { at: '2026-11-22T01:00:00.000Z', seen: null, job_id: 1, job_uid: null };
const idOf = (nth: number): string => `r${String(nth).padStart(6, '0')}`;
const LIVE = Array.from({ length: 20_000 }, (_, nth) => idOf(nth));
/** Every second of the first 10,000. */
const HELD = LIVE.slice(0, 10_000).filter((_, nth) => nth % 2 === 0);
const FRESH = [idOf(3), idOf(5_001), idOf(15_000)];
const GONE = new Set([...HELD, ...FRESH]);
const LISTED = LIVE.filter((id) => !GONE.has(id));

async function* stampsOf(ids: readonly string[]): Stamps {
  yield await Promise.resolve(ids.map((id) => ({ id, updatedAt: 0, stamp: '0' })));
}

async function* held(): HeldPages {
  yield await Promise.resolve(HELD.map((id) => ({ id, since: SINCE })));
}

test.each(['a switch', 'a delete'])('%s asks for each new loss, however many wait already', async (what) => {
  const plan = { mayRemove: true, answered: null };
  const asked =
    what === 'a switch'
      ? lossesToAsk(
          (
            await compareGenerations({
              now: stampsOf(LIVE),
              next: stampsOf(LISTED),
              watermark: null,
              answered: null,
              held: held(),
            })
          ).gone,
          plan,
        )
      : (await findRemovals({ stamps: stampsOf(LIVE), held: held() }, new Set(LISTED), plan)).ask;
  expect(asked).toEqual(expect.arrayContaining(FRESH));
  expect(asked?.length).toBeLessThanOrEqual(1_000);
  expect(asked).toEqual(asked?.toSorted());
});
