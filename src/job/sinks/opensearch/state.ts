/**
 * The stored state of one alias: owner, fence, the generations by the name of their index, the load and the move of the
 * alias in progress, the kept plan, and indexes to delete. Pure.
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
} from '../generations/state-parts.ts';

const ofIndex = generation.extend({
  /** Another value means that somebody made this index anew. */
  uuid: z.string(),
});

const load = progress.extend({ index: z.string() });

/** The goal of a move of the alias; stored before the alias moves and removed after it. */
const move = z.object({
  kind: z.enum(['switch', 'rollback']),
  /** null: the first switch. */
  from: z.string().nullable(),
  to: z.string(),
  /** The job that a rollback undoes; null: a switch, or unknown. */
  undoes: leftBy.nullable().default(null),
});

export const stateSchema = z.object({
  /** 2 while something is held: an earlier version, which does not know that, must not read it. */
  format: z.literal([1, 2]),
  /** When the run took the fence, in milliseconds, yet always above the last one; the version of the documents that it writes. */
  epoch: z.number().int(),
  owner: owner.nullable(),
  fence,
  /** The live one, and at most one kept for a rollback. */
  generations: z.record(z.string(), ofIndex),
  load: load.nullable(),
  move: move.nullable(),
  /** Indexes that we made and no longer need. */
  obsolete: z.array(z.string()),
  /** Lists of held records that are no longer needed. */
  dropped_sets: z.array(heldSet).default([]),
  /** In order, the newest last. */
  steps: z.array(step),
  /** An earlier version drops them whenever it changes the state. */
  earlier_runs: earlierRuns.default({}),
  planned: planned.nullable().default(null),
});

export type State = z.infer<typeof stateSchema>;
export type IndexGeneration = z.infer<typeof ofIndex>;
export type IndexLoad = z.infer<typeof load>;
export type Move = z.infer<typeof move>;

export const EMPTY: State = {
  format: 1,
  epoch: 0,
  owner: null,
  fence: NO_FENCE,
  generations: {},
  load: null,
  move: null,
  obsolete: [],
  dropped_sets: [],
  steps: [],
  earlier_runs: {},
  planned: null,
};

export function storedForm(state: State): State {
  return { ...state, format: isHolding(state) ? 2 : 1 };
}

/** The state without a load; the index of a load of everything is obsolete. */
export function withoutLoad(state: State): State {
  const { load, obsolete } = state;
  return {
    ...state,
    load: null,
    obsolete: load?.mode === 'everything' ? [...obsolete, load.index] : obsolete,
  };
}
