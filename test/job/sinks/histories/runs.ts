/** What a program is asked to do in one step of a job, and what that leads to. */
import type { Attempt } from '../../support/attempt.ts';
import {
  afterForgetting,
  afterRemoval,
  afterRestoration,
  afterRollback,
  type Restored,
} from './after-answer.ts';
import { afterDelete, afterDelta, afterSync } from './after-listing.ts';
import type { Effect } from './outcome.ts';
import type { Permission } from './rights.ts';
import type { Telling, Told } from './telling.ts';
import type { StepName, World } from './world.ts';

/** Of each kind about as many changes as its longest run makes on the server; a kill comes at one of them. */
export const CHANGES = {
  sync: 20,
  delta: 14,
  delete: 9,
  remove: 10,
  rollback: 9,
  restore: 9,
  forget: 9,
} as const;

export type Run = {
  readonly kind: keyof typeof CHANGES;
  readonly step: StepName;
  readonly telling: Telling;
  readonly of: Pick<Attempt, 'action'> & Partial<Attempt>;
  readonly effects: (world: World, heard: Heard) => readonly Effect[];
  readonly permission: (told: Told) => Permission;
};

export type Heard = {
  readonly told: Told;
  /** Records that an earlier attempt of this step has brought back. */
  readonly ours: ReadonlySet<string>;
};

export type Job = {
  readonly job: number;
  /** The first of the jobs that resume each other. */
  readonly origin?: number;
  readonly telling: Telling;
};

const stepOf = ({ job, origin = job }: Job, action: string, step = 0): StepName => ({
  job,
  origin,
  step,
  action,
});

export function listing(
  job: Job,
  of: {
    action: 'sync' | 'delta' | 'delete';
    force: boolean;
    partOfDiff?: boolean;
    chapter: number;
    keepsWhileLoading: boolean;
  },
): Run {
  const { action, partOfDiff = false, chapter, keepsWhileLoading } = of;
  // A delta has no use for it: what it is told waits, or goes, by the limits alone.
  const force = of.force && action !== 'delta';
  const step = stepOf(job, action, partOfDiff && action === 'delete' ? 1 : 0);
  return {
    kind: action,
    step,
    telling: job.telling,
    of: { action, force, partOfDiff },
    effects(world, { told }) {
      const run = { step, told, force, partOfDiff, chapter };
      if (action === 'sync') return [afterSync(world, run, { keepsWhileLoading })];
      return [action === 'delete' ? afterDelete(world, run) : afterDelta(world, run)];
    },
    permission: (told) => (action === 'delta' ? { kind: 'changes', told } : { kind: 'listing', told, force }),
  };
}

export function removal(job: Job, approved: readonly string[]): Run {
  const step = stepOf(job, 'remove');
  return {
    kind: 'remove',
    step,
    telling: job.telling,
    of: { action: 'remove', approved },
    effects: (world, { told }) => [afterRemoval(world, { step, approved, told })],
    permission: ({ answers }) => ({ kind: 'approval', ids: approved, answers }),
  };
}

export function rollback(job: Job, before: number | null): Run {
  const step = stepOf(job, 'rollback');
  return {
    kind: 'rollback',
    step,
    telling: job.telling,
    of: { action: 'rollback', before },
    effects: (world) => [afterRollback(world, { step, before })],
    permission: () => ({ kind: 'rollback' }),
  };
}

export function restoration(job: Job, what: Restored): Run {
  const step = stepOf(job, 'rollback');
  const limit =
    'ofJob' in what
      ? { before: what.ofJob, only: 'of the job' as const }
      : { before: null, only: { ids: what.ids } };
  return {
    kind: 'restore',
    step,
    telling: job.telling,
    of: { action: 'rollback', ...limit },
    effects: (world, { ours }) => afterRestoration(world, { step, what, ours }),
    permission: () => ({ kind: 'none' }),
  };
}

export function forgetting(job: Job, ids: readonly string[]): Run {
  const step = stepOf(job, 'forget-record');
  return {
    kind: 'forget',
    step,
    telling: job.telling,
    of: { action: 'forget-record', forgets: ids },
    effects: (world) => [afterForgetting(world, { step, ids })],
    permission: () => ({ kind: 'none' }),
  };
}
