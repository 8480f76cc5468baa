/**
 * The stored state of one alias: owner, fence, complete generations by collection name, the load in progress, the
 * move of the aliases in progress, the last applied steps, and the kept plan. Pure.
 */
import { z } from 'zod';
import { earlierRuns } from '../generations/earlier-runs.ts';
import { isHolding } from '../generations/held-set.ts';
import {
  fence,
  generation,
  heldSet,
  leftBy,
  NO_FENCE,
  owner,
  planned,
  progress,
  step,
  UNKNOWN,
} from '../generations/state-parts.ts';

const ofCollection = generation.extend({
  /** Creation time of the collection; another value means that it was recreated and lost this generation. */
  created: z.number().nullable(),
});

const load = progress.extend({ collection: z.string() });

/** The goal of a move of the aliases; stored before the first alias moves and removed after the last. */
const move = z.object({
  kind: z.enum(['switch', 'rollback']),
  primary: z.string(),
  standby: z.string(),
  /** The job that a rollback undoes; null: a switch, or unknown. */
  undoes: leftBy.nullable().default(null),
});

const state = z.object({
  /** Above every job number, so that a program of version 0.1.0 is fenced. */
  highest_job_id: z.number().int(),
  /** 3 while a record is held, or was in one of the steps: version 0.2.0 cannot read it, and would remove the record. */
  format: z.literal([2, 3]),
  owner: owner.nullable(),
  fence,
  generations: z.record(z.string(), ofCollection),
  load: load.nullable(),
  move: move.nullable(),
  /** In order, the newest last. */
  steps: z.array(step),
  /** An earlier version drops them whenever it changes the state. */
  earlier_runs: earlierRuns.default({}),
  /** From version 0.1.0: the job of the last rollback. */
  rolled_back_by: z.number().int().nullable().default(null),
  /** Lists of held records that are no longer needed. */
  dropped_sets: z.array(heldSet).default([]),
  planned: planned.nullable().default(null),
});

/** The state as version 0.1.0 wrote it. */
const oldState = z.object({
  highest_job_id: z.number().int().nullable(),
  generations: z.record(
    z.string(),
    z.object({ created: z.number().nullable(), watermark: z.iso.datetime().nullable() }),
  ),
  move: move.nullable(),
  rolled_back_by: z.number().int().nullable(),
});

export type State = z.infer<typeof state>;
export type Generation = z.infer<typeof ofCollection>;
export type LoadState = z.infer<typeof load>;
export type Move = z.infer<typeof move>;

const FENCED = Number.MAX_SAFE_INTEGER;

export const EMPTY: State = {
  highest_job_id: FENCED,
  format: 2,
  owner: null,
  fence: NO_FENCE,
  generations: {},
  load: null,
  move: null,
  steps: [],
  earlier_runs: {},
  rolled_back_by: null,
  dropped_sets: [],
  planned: null,
};

/** The collection of the load keeps what it holds until the next load empties it. */
export function withoutLoad(state: State): State {
  return { ...state, load: null };
}

/** The state as it is stored. Without `rolled_back_by`, neither version 0.2.0 nor 0.1.0 takes it for one of theirs. */
export function storedForm({ rolled_back_by: by, ...rest }: State): object {
  return isHolding(rest) ? { ...rest, format: 3 } : { ...rest, format: 2, rolled_back_by: by };
}

/** Parses a state of this version or of 0.1.0. @returns the state, or the error */
export function parseState(json: unknown): State | z.ZodError {
  const found = state.safeParse(json);
  if (found.success) return found.data;
  const old = oldState.safeParse(json);
  return old.success ? adopted(old.data) : found.error;
}

/** Migrates the state of version 0.1.0 without its load, whose checkpoint had another form. */
function adopted({
  highest_job_id: job,
  generations,
  move: moving,
  ...rest
}: z.infer<typeof oldState>): State {
  const known = Object.entries(generations).map(
    ([name, of]) => [name, { ...UNKNOWN, ...of, synced: of.watermark !== null }] as const,
  );
  return {
    ...EMPTY,
    fence: { ...EMPTY.fence, job_id: job === FENCED ? null : job },
    generations: Object.fromEntries(known),
    move: moving,
    rolled_back_by: rest.rolled_back_by,
  };
}
