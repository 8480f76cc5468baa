/**
 * The parts of a stored state that sinks with generations share: owner, fence, the job that replaced a generation, the
 * progress of a load, the last applied steps, and the kept plan. Pure.
 */
import { z } from 'zod';
import { PLANNABLE } from '../../../domain/action.ts';
import { KEPT_REASONS } from '../sink.ts';

export const owner = z.object({
  installation: z.string().nullable(),
  env: z.string().nullable(),
  target: z.string().nullable(),
});

export const fence = z.object({
  job_id: z.number().int().nullable(),
  job_uid: z.string().nullable(),
  step: z.number().int(),
  attempt: z.number().int(),
  /** The run that opened the sink last and may write. */
  run: z.string().nullable(),
  at: z.iso.datetime().nullable(),
});

/** The job whose switch replaced a generation. */
export const leftBy = z.object({
  job_id: z.number().int().nullable(),
  job_uid: z.string().nullable(),
  action: z.string(),
  at: z.iso.datetime(),
});

/** A list of ids whose removal waits for an answer. It lies beside the state, in as many documents as `pieces` says. */
export const heldSet = z.object({
  id: z.uuid(),
  count: z.number().int(),
  pieces: z.number().int(),
});

export const generation = z.object({
  /** false: complete, but loaded by another program. */
  synced: z.boolean(),
  /** null: unknown, or the source is always compared whole. */
  watermark: z.iso.datetime().nullable(),
  coarse_times: z.boolean(),
  /** Its listing was proven complete. */
  proven: z.boolean(),
  /** null: it is live, or version 0.1.0 replaced it. */
  left_by: leftBy.nullable(),
  /** Its records whose removal waits for an answer; null: none. */
  held: heldSet.nullable().default(null),
  /** When the newest full listing was applied to it; null: unknown. */
  listed_at: z.iso.datetime().nullable().default(null),
  /** Where its source goes on; null: nowhere. An earlier version drops it whenever it changes the state. */
  source_state: z.string().nullable().default(null),
});

const rejected = z.object({ where: z.string(), id: z.string().nullable(), why: z.string() });

export const progress = z.object({
  id: z.uuid(),
  mode: z.enum(['everything', 'changes']),
  since: z.iso.datetime().nullable(),
  began: z.iso.datetime(),
  cursor: z.string().nullable(),
  /** Listed ids. */
  done: z.number().int(),
  /** Written documents, including carried-over ones. */
  written: z.number().int(),
  /** Of the written records, as JSON; null: not measured, or an earlier version has written some of them. */
  bytes: z.number().int().nullable().default(null),
  /** Only for `changes`, which are counted while they are written. */
  added: z.number().int(),
  updated: z.number().int(),
  /** Records that the source says it has deleted. */
  gone: z.number().int().default(0),
  rejected: z.array(rejected),
  /** The earliest time of a rejected record. */
  rejected_since: z.iso.datetime().nullable(),
  /** The held records that are being carried over into the complete load. */
  carried: heldSet.nullable().default(null),
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
  heldAsUnusual: z.literal(true).optional(),
  withoutCopy: z.number().int().optional(),
  bytes: z.number().int().optional(),
  seconds: z.number().int().optional(),
});

export const step = z.object({
  /** See stepKey (src/job/sinks/writer.ts). */
  key: z.string(),
  action: z.string(),
  /** Number of the step within its job. */
  step: z.number().int(),
  origin_uid: z.string().nullable(),
  applied,
});

/** A plan of changes that an apply can make. An earlier version drops it whenever it changes the state. */
export const planned = z.object({
  /** The uid of the plan's job; that of the run without a job. */
  uid: z.string(),
  action: z.enum(PLANNABLE),
  digest: z.string(),
  born: z.iso.datetime(),
  /** The collection or index that readers see; null: none yet. */
  live: z.string().nullable(),
  /** Of a sync: the load that becomes live. It stays the load of the state. */
  load: z.uuid().nullable(),
  /** Of a delta: the listed records, in pieces as a list of held records is. */
  records: heldSet.nullable(),
  /** Of a delta or delete: the records that go. */
  gone: heldSet.nullable(),
  /** Those that wait; of a delta, only those that its source told. */
  held: heldSet.nullable(),
  /** An apply has begun to change the live data in place. */
  begun: z.boolean(),
  /** What the live generation gets. */
  watermark: z.iso.datetime().nullable(),
  source_state: z.string().nullable(),
  coarse_times: z.boolean(),
  proven: z.boolean(),
  may_reject: z.number().int(),
  applied,
});

export type Owner = z.infer<typeof owner>;
export type Fence = z.infer<typeof fence>;
export type LeftBy = z.infer<typeof leftBy>;
export type HeldSet = z.infer<typeof heldSet>;
export type Generation = z.infer<typeof generation>;
export type Progress = z.infer<typeof progress>;
export type Step = z.infer<typeof step>;
export type Planned = z.infer<typeof planned>;

export const NO_FENCE: Fence = { job_id: null, job_uid: null, step: 0, attempt: 0, run: null, at: null };

/** The generation of data that another program has loaded. */
export const UNKNOWN: Generation = {
  synced: false,
  watermark: null,
  coarse_times: false,
  proven: false,
  left_by: null,
  held: null,
  listed_at: null,
  source_state: null,
};
