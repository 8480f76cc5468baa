/** The baseline on synthetic histories of 90 days: how often it is wrong, and whether it sees planted losses. */
import { expect, test } from 'vitest';
import { anomaliesOf, anomalyWords, LEAST_RUNS, type RunFigures } from '../../src/domain/baseline.ts';
import { createRandom, type Random } from '../faults/random.ts';

const DAYS = 90;
const TARGETS = 200;
const FIRST = Date.UTC(2026, 0, 5);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

type Day = (of: { day: number; live: number; random: Random }) => {
  removed: number;
  added: number;
  updated: number;
};

/** Shares of the live records that change on a day, with noise of a factor of about two. */
const noisy = (share: number, live: number, random: Random): number =>
  Math.round(live * share * 2 ** (random.number() + random.number() + random.number() - 1.5));

const KINDS: Readonly<Record<string, Day>> = {
  steady: ({ live, random }) => ({
    removed: noisy(0.001, live, random),
    added: noisy(0.001, live, random),
    updated: noisy(0.01, live, random),
  }),
  growing: ({ live, random }) => ({
    removed: noisy(0.0005, live, random),
    added: noisy(0.015, live, random),
    updated: noisy(0.02, live, random),
  }),
  'weekday pattern': ({ day, live, random }) => ({
    removed:
      day % 7 === 6 ? Math.round(live * (0.045 + random.number() * 0.01)) : noisy(0.0005, live, random),
    added: day % 7 === 0 ? Math.round(live * (0.045 + random.number() * 0.01)) : noisy(0.0005, live, random),
    updated: day % 7 < 5 ? noisy(0.02, live, random) : 0,
  }),
  'one-off bulk load': ({ day, live, random }) => ({
    removed: noisy(0.001, live, random),
    added: day === 40 ? Math.round(live * 0.6) : noisy(0.001, live, random),
    updated: noisy(0.01, live, random),
  }),
};

/**
 * Plays 90 nights. An alarm is answered by a person: the run counts as good afterwards.
 * @returns alarms by day
 */
function play(kind: Day, random: Random, planted: ReadonlyMap<number, number> = new Map()): number[] {
  const history: RunFigures[] = [];
  let live = Math.round(200 * 10 ** (random.number() * 4));
  const alarms: number[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const usual = kind({ day, live, random });
    const lost = Math.round(live * (planted.get(day) ?? 0));
    const listed = live + usual.added - usual.removed - lost;
    const run: RunFigures = {
      ...usual,
      removed: usual.removed + lost,
      live,
      listed,
      bytes: Math.round(listed * 500 * (1 + random.number() / 50)),
      seconds: noisy(0.0005, listed, random),
      at: new Date(FIRST + day * DAY_MS),
    };
    const found = anomaliesOf(history, run);
    if (found.length > 0) alarms.push(day);
    const isLoss = found.some(({ measure }) => measure === 'removed');
    // Held records stay live: the run has removed none.
    const applied = isLoss ? { ...run, removed: 0 } : run;
    history.push(applied);
    live += applied.added - applied.removed;
  }
  return alarms;
}

test.each(Object.keys(KINDS))('%s: at most one false alarm per target and quarter', (name) => {
  const kind = KINDS[name];
  if (!kind) throw new Error(name);
  const random = createRandom(20261130);
  const alarms = Array.from({ length: TARGETS }, () => play(kind, random).length);
  const sum = alarms.reduce((a, b) => a + b, 0);
  console.log(`${name}: ${sum} false alarms in ${TARGETS} quarters, at most ${Math.max(...alarms)} in one`);
  expect(Math.max(...alarms)).toBeLessThanOrEqual(1);
});

test.each(Object.keys(KINDS))('%s: each of five planted losses of 6 to 9 percent is seen', (name) => {
  const kind = KINDS[name];
  if (!kind) throw new Error(name);
  const random = createRandom(7);
  let seen = 0;
  for (let target = 0; target < TARGETS; target += 1) {
    const planted = new Map([12, 27, 45, 62, 81].map((day) => [day, 0.06 + random.number() * 0.03]));
    const alarms = new Set(play(kind, random, planted));
    seen += [...planted.keys()].filter((day) => alarms.has(day)).length;
  }
  console.log(`${name}: ${seen} of ${TARGETS * 5} planted losses seen`);
  expect(seen).toBe(TARGETS * 5);
});

const nights = (count: number, figures: Partial<RunFigures> = {}): RunFigures[] =>
  Array.from({ length: count }, (_, day) => ({
    at: new Date(FIRST + day * DAY_MS),
    live: 10_000,
    removed: 10,
    added: 12,
    updated: 100,
    listed: 10_000,
    bytes: 5_000_000,
    seconds: 40,
    ...figures,
  }));
const tonight = (figures: Partial<RunFigures>): RunFigures => ({
  ...(nights(1)[0] as RunFigures),
  at: new Date(FIRST + 30 * DAY_MS),
  ...figures,
});

test('fewer than seven runs say nothing', () => {
  expect(anomaliesOf(nights(LEAST_RUNS - 1), tonight({ removed: 900 }))).toEqual([]);
  expect(anomaliesOf(nights(LEAST_RUNS), tonight({ removed: 900 }))).toHaveLength(1);
});

test('names the count, the median and the most that is usual', () => {
  const [found, ...others] = anomaliesOf(nights(20), tonight({ removed: 800 }));
  expect(others).toEqual([]);
  expect(found).toMatchObject({ measure: 'removed', count: 800, median: 10, least: 0, most: 110 });
  expect(found?.earlier).toEqual(
    nights(20)
      .slice(-14)
      .map(({ at }) => ({ at, count: 10 })),
  );
  expect(found && anomalyWords(found)).toBe('800 to remove; usual are up to 110 (median 10 of 14 runs)');
});

test('an hourly sync with a large change each night is usual at night, and unusual at noon', () => {
  const hourly = Array.from({ length: 24 * 9 }, (_, hour) => ({
    ...tonight({ at: new Date(FIRST + hour * HOUR_MS) }),
    removed: hour % 24 === 2 ? 600 : 0,
  }));
  const at = (hour: number) => new Date(FIRST + (24 * 9 + hour) * HOUR_MS);
  expect(anomaliesOf(hourly, tonight({ removed: 620, at: at(2) }))).toEqual([]);
  expect(anomaliesOf(hourly, tonight({ removed: 620, at: at(12) }))).toHaveLength(1);
});

test('less than one percent is never unusual, nor are five records of a small target', () => {
  expect(anomaliesOf(nights(14), tonight({ removed: 110 }))).toEqual([]);
  const small = { live: 40, removed: 0, added: 0, updated: 0 };
  expect(anomaliesOf(nights(14, small), tonight({ ...small, removed: 5 }))).toEqual([]);
  expect(anomaliesOf(nights(14, small), tonight({ ...small, removed: 6 }))).toHaveLength(1);
});

test('one earlier loss on the same weekday does not make the next one usual', () => {
  const history = nights(28).map((run, day) => (day === 23 ? { ...run, removed: 800 } : run));
  const sameWeekday = new Date(FIRST + 30 * DAY_MS);
  expect(anomaliesOf(history, tonight({ removed: 800, at: sameWeekday }))).toHaveLength(1);
});

test('a listing of far larger or smaller records is unusual, however many it has', () => {
  const found = (figures: Partial<RunFigures>) =>
    anomaliesOf(nights(14), tonight(figures)).map((anomaly) => [anomaly.measure, anomalyWords(anomaly)]);
  expect(found({ bytes: 6_200_000 })).toEqual([]);
  expect(found({ bytes: 7_000_000 })).toEqual([
    ['bytes', 'a listing of 7,000,000 bytes; usual are 3,750,000 to 6,250,000 (median 5,000,000 of 14 runs)'],
  ]);
  expect(found({ bytes: 3_000_000 })).toHaveLength(1);
  expect(found({ listed: 20_000, bytes: 10_000_000, live: 20_000 })).toEqual([]);
});

test('reading that takes far longer is unusual, and less than a minute more never is', () => {
  const found = (seconds: number | null) => anomaliesOf(nights(14), tonight({ seconds }));
  expect(found(120)).toEqual([]);
  expect(found(0)).toEqual([]);
  expect(found(null)).toEqual([]);
  expect(found(121).map(anomalyWords)).toEqual([
    '121 seconds to read; usual are up to 120 (median 40 of 14 runs)',
  ]);
  const quick = nights(14, { seconds: 2 });
  expect(anomaliesOf(quick, tonight({ seconds: 62 }))).toEqual([]);
  expect(anomaliesOf(quick, tonight({ seconds: 63 }))).toHaveLength(1);
});

test('runs that were not measured say nothing about bytes', () => {
  const history = [...nights(6), ...nights(20, { bytes: null })];
  expect(anomaliesOf(history, tonight({ bytes: 9_000_000 }))).toEqual([]);
});
