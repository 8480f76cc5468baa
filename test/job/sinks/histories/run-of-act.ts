/** What an act means as things stand: a chapter selects by fractions, a run names ids and jobs. Pure. */
import type { Act } from './chapters.ts';
import { forgetting, type Job, removal, restoration, rollback, type Run } from './runs.ts';
import type { World } from './world.ts';

/** Most often a live one, which refuses the others. */
const FIRST = 'r10';

export function runOf(
  act: Exclude<Act, { kind: 'job' }>,
  job: Job,
  { world: { copies, live, kept }, held }: { world: World; held: readonly string[] },
): Run {
  switch (act.kind) {
    case 'remove': {
      const other = [...live.keys()].filter((id) => !held.includes(id)).slice(0, 1);
      return removal(job, [...picks(act.approved, held), ...other]);
    }
    case 'rollback': {
      if (act.before === 'last') return rollback(job, null);
      if (act.before === 'switched') return rollback(job, kept?.by.job ?? 1);
      return rollback(job, 1 + Math.floor(act.before * (job.job - 1)));
    }
    case 'restore': {
      const jobs = [...new Set(copies.map((copy) => copy.job))];
      return restoration(job, { ofJob: (act.job === 'newest' ? jobs.at(-1) : pick(act.job, jobs)) ?? 1 });
    }
    case 'restore ids': {
      const gone = [...new Set(copies.map(({ id }) => id))].filter((id) => !live.has(id));
      const ids = picks(act.ids, gone);
      const all = act.alsoLive || ids.length === 0 ? [...new Set([...ids, FIRST])] : ids;
      return restoration(job, { ids: all });
    }
    case 'forget':
      return forgetting(job, picks(act.ids, [...live.keys(), ...copies.map(({ id }) => id)]));
  }
}

function pick<T>(share: number, all: readonly T[]): T | undefined {
  return all[Math.floor(share * all.length)];
}

function picks(shares: readonly number[], all: readonly string[]): string[] {
  return [...new Set(shares.flatMap((share) => pick(share, all) ?? []))];
}
