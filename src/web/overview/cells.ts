/** Computes the rows and cells of the overview, worst first. Pure. */
import type { JobJson, SchedulesJson, TargetJson } from '../../client/client.ts';
import { type Freshness, freshnessOf } from './freshness.ts';

type Env = TargetJson['environments'][number];
type Schedule = SchedulesJson['schedules'][number];

export type Cell = {
  readonly target: string;
  readonly env: Env;
  readonly active: JobJson | undefined;
  readonly schedules: readonly Schedule[];
  readonly freshness: Freshness | undefined;
  /** 0 failed, 1 late, 2 active, 3 succeeded or never run. */
  readonly rank: number;
};

export type Row = {
  readonly target: string;
  readonly rank: number;
  readonly cells: ReadonlyMap<string, Cell>;
};

export function rowsOf(
  targets: readonly TargetJson[],
  active: readonly JobJson[],
  schedules: readonly Schedule[],
  now: number,
): { envs: string[]; rows: Row[] } {
  const envs = [
    ...new Set(targets.flatMap((target) => target.environments.map(({ env }) => env))),
  ].toSorted();
  const rows = targets.map((target) => {
    const cells = new Map(
      target.environments.map((env) => [env.env, cellOf(target.name, env, active, schedules, now)]),
    );
    return { target: target.name, rank: Math.min(...[...cells.values()].map(({ rank }) => rank)), cells };
  });
  return {
    envs,
    rows: rows.toSorted((a, b) => a.rank - b.rank || a.target.localeCompare(b.target)),
  };
}

function cellOf(
  target: string,
  env: Env,
  active: readonly JobJson[],
  schedules: readonly Schedule[],
  now: number,
): Cell {
  const job = active.find((one) => one.target === target && one.env === env.env);
  const ids = new Set(env.actions.map(({ schedule }) => schedule));
  const own = schedules.filter(({ id }) => ids.has(id));
  const all = own
    .filter(({ paused }) => paused !== true)
    .map(({ previous, next, last_firings: firings, left_out: leftOut }) =>
      freshnessOf({
        lastSuccess: env.last_success_at,
        previous,
        next,
        hasFired: firings.length > 0 || (leftOut?.too_late ?? 0) > 0,
        isActive: job !== undefined,
        now,
      }),
    );
  const freshness = (['late', 'due', 'fresh'] as const).find((worst) => all.includes(worst));
  const failed = env.last_job?.status === 'failed';
  const rank = failed ? 0 : freshness === 'late' ? 1 : job ? 2 : 3;
  return { target, env, active: job, schedules: own, freshness, rank };
}
