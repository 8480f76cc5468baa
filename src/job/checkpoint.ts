/** Where an attempt had got to, as it travels through reports and back in `SYNCRATOR_CHECKPOINT`. */

import { z } from 'zod';

const syncCheckpoint = z.object({
  action: z.literal('sync'),
  /** Names the half-filled loading table; the sink's own cursor says how far it is. */
  load_id: z.uuid(),
  cursor: z.string().nullable(),
  /** How many records the source then had: a changed number makes the half-filled table worthless. */
  total: z.number().int().nullable(),
});

const deltaCheckpoint = z.object({
  action: z.literal('delta'),
  /** The sink's watermark this delta started from; a moved one makes the checkpoint void. */
  since: z.iso.datetime(),
  /** What the sink's watermark becomes once this delta is complete. */
  watermark: z.iso.datetime(),
  cursor: z.string(),
  done: z.number().int(),
  total: z.number().int().nullable(),
});

const itemsCheckpoint = z.object({
  action: z.literal('items'),
  /** What was asked for: all items, those that changed, or some by name. */
  asked: z.enum(['sync', 'delta', 'some']),
  /** The watermark a delta started from. */
  since: z.iso.datetime().nullable(),
  /** What the sink's watermark becomes once no item is left and none has failed. */
  watermark: z.iso.datetime().nullable(),
  /** Where the listing of items goes on; null once it has ended. */
  place: z.object({ query: z.string(), after: z.string() }).nullable(),
  done: z.number().int(),
  total: z.number().int().nullable(),
  /** To be done again, alone; shown to operators as the job's failed items. */
  failed: z.array(z.object({ id: z.string(), why: z.string() })),
});

const checkpoint = z.discriminatedUnion('action', [syncCheckpoint, deltaCheckpoint, itemsCheckpoint]);

export type SyncCheckpoint = z.infer<typeof syncCheckpoint>;
export type DeltaCheckpoint = z.infer<typeof deltaCheckpoint>;
export type ItemsCheckpoint = z.infer<typeof itemsCheckpoint>;
export type Checkpoint = z.infer<typeof checkpoint>;

/** Null for none, and for one this program cannot read: starting over is always correct. */
export function parseCheckpoint(text: string | null): Checkpoint | null {
  if (text === null) return null;
  try {
    return checkpoint.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
