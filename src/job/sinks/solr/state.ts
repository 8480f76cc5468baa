/**
 * The stored state of one alias: owner, fence, complete generations by collection name, the load in progress, the
 * move of the aliases in progress, and the last applied steps. Pure.
 */
import { z } from 'zod';
import { KEPT_REASONS } from '../sink.ts';

const owner = z.object({
  installation: z.string().nullable(),
  env: z.string().nullable(),
  target: z.string().nullable(),
});

const fence = z.object({
  job_id: z.number().int().nullable(),
  job_uid: z.string().nullable(),
  step: z.number().int(),
  attempt: z.number().int(),
  /** The run that opened the sink last and may write. */
  run: z.string().nullable(),
  at: z.iso.datetime().nullable(),
});

/** The job whose switch replaced a generation. */
const leftBy = z.object({
  job_id: z.number().int().nullable(),
  job_uid: z.string().nullable(),
  action: z.string(),
  at: z.iso.datetime(),
});

const generation = z.object({
  /** Creation time of the collection; another value means that it was recreated and lost this generation. */
  created: z.number().nullable(),
  /** false: complete, but loaded by another program. */
  synced: z.boolean(),
  /** null: unknown, or the source is always compared whole. */
  watermark: z.iso.datetime().nullable(),
  coarse_times: z.boolean(),
  /** Its listing was proven complete. */
  proven: z.boolean(),
  /** null: it is live, or version 0.1.0 replaced it. */
  left_by: leftBy.nullable(),
});

const rejected = z.object({ where: z.string(), id: z.string().nullable(), why: z.string() });

const load = z.object({
  id: z.uuid(),
  mode: z.enum(['everything', 'changes']),
  collection: z.string(),
  since: z.iso.datetime().nullable(),
  began: z.iso.datetime(),
  cursor: z.string().nullable(),
  /** Listed ids. */
  done: z.number().int(),
  /** Documents written to the collection, including carried-over ones. */
  written: z.number().int(),
  /** Only for `changes`, which are counted while they are written. */
  added: z.number().int(),
  updated: z.number().int(),
  rejected: z.array(rejected),
  /** The earliest time of a rejected record. */
  rejected_since: z.iso.datetime().nullable(),
});

/** The goal of a move of the aliases; stored before the first alias moves and removed after the last. */
const move = z.object({
  kind: z.enum(['switch', 'rollback']),
  primary: z.string(),
  standby: z.string(),
});

const applied = z.object({
  live: z.number().int(),
  listed: z.number().int(),
  added: z.number().int(),
  updated: z.number().int(),
  removed: z.number().int(),
  kept: z.partialRecord(z.enum(KEPT_REASONS), z.number().int()),
  missed: z.object({ count: z.number().int(), latestMs: z.number() }).nullable(),
  rejected: z.array(rejected),
});

const step = z.object({
  /** See stepKey (src/job/sinks/writer.ts). */
  key: z.string(),
  action: z.string(),
  /** Number of the step within its job. */
  step: z.number().int(),
  origin_uid: z.string().nullable(),
  applied,
});

const state = z.object({
  /** Above every job number, so that a program of version 0.1.0 is fenced. */
  highest_job_id: z.number().int(),
  format: z.literal(2),
  owner: owner.nullable(),
  fence,
  generations: z.record(z.string(), generation),
  load: load.nullable(),
  move: move.nullable(),
  /** In order, the newest last. */
  steps: z.array(step),
  /** From version 0.1.0: the job of the last rollback. */
  rolled_back_by: z.number().int().nullable(),
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
export type Generation = z.infer<typeof generation>;
export type LoadState = z.infer<typeof load>;
export type LeftBy = z.infer<typeof leftBy>;
export type Move = z.infer<typeof move>;
export type Step = z.infer<typeof step>;

const FENCED = Number.MAX_SAFE_INTEGER;

export const EMPTY: State = {
  highest_job_id: FENCED,
  format: 2,
  owner: null,
  fence: { job_id: null, job_uid: null, step: 0, attempt: 0, run: null, at: null },
  generations: {},
  load: null,
  move: null,
  steps: [],
  rolled_back_by: null,
};

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
  const known = Object.entries(generations).map(([name, { created, watermark }]) => {
    const synced = watermark !== null;
    return [name, { created, watermark, synced, coarse_times: false, proven: false, left_by: null }] as const;
  });
  return {
    ...EMPTY,
    fence: { ...EMPTY.fence, job_id: job === FENCED ? null : job },
    generations: Object.fromEntries(known),
    move: moving,
    rolled_back_by: rest.rolled_back_by,
  };
}
