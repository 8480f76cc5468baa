/**
 * The figures of the last runs of each action, for the baseline: what a Postgres sink reads from its history. They change with
 * the step whose figures they are. Pure.
 */
import { z } from 'zod';
import type { RunFigures } from '../../../domain/baseline.ts';
import type { Applied } from '../sink.ts';
import type { LeftBy, Step } from './state-parts.ts';

/** Of each action: two weeks of an hourly sync, in less than 20 kB of the state. */
const MOST_RUNS = 400;

const whole = z.number().int();
const measured = whole.nullable();

/**
 * Without names, since the state is written with each batch: when it was applied, in milliseconds; live, listed, added,
 * updated, removed; bytes, seconds.
 */
const run = z.tuple([whole, whole, whole, whole, whole, whole, measured, measured]);

/** By action, oldest first. */
export const earlierRuns = z.record(z.string(), z.array(run));

export type EarlierRuns = z.infer<typeof earlierRuns>;

/** The runs with this one. A first load is none: all that it adds is new. */
export function withRun(
  runs: EarlierRuns,
  { action, at }: Pick<LeftBy, 'action' | 'at'>,
  applied: Applied,
): EarlierRuns {
  if (!isRun(applied)) return runs;
  const { live, listed, added, updated, removed, bytes = null, seconds = null } = applied;
  const earlier = (runs[action] ?? []).slice(1 - MOST_RUNS);
  return {
    ...runs,
    [action]: [...earlier, [Date.parse(at), live, listed, added, updated, removed, bytes, seconds]],
  };
}

/** The runs without that of the last step, which was not done after all. */
export function withoutRun(runs: EarlierRuns, last: Step | undefined): EarlierRuns {
  const of = last && isRun(last.applied) ? runs[last.action] : undefined;
  return last && of ? { ...runs, [last.action]: of.slice(0, -1) } : runs;
}

/**
 * The runs without those that a rollback undoes: the one that replaced the restored generation, and all since.
 *
 * @param by null: unknown, so none is left
 */
export function runsBefore(runs: EarlierRuns, by: Pick<LeftBy, 'at'> | null): EarlierRuns {
  if (by === null) return {};
  const from = Date.parse(by.at);
  return Object.fromEntries(
    Object.entries(runs).map(([action, of]) => {
      const first = of.findIndex(([at]) => at >= from);
      return [action, first === -1 ? of : of.slice(0, first)];
    }),
  );
}

export function figuresOf(runs: EarlierRuns, action: string): RunFigures[] {
  return (runs[action] ?? []).map(([at, live, listed, added, updated, removed, bytes, seconds]) => ({
    at: new Date(at),
    live,
    listed,
    added,
    updated,
    removed,
    bytes,
    seconds,
  }));
}

function isRun({ live }: Pick<Applied, 'live'>): boolean {
  return live > 0;
}
