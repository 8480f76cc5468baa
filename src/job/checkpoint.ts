/** The progress of an attempt: sent in reports, and handed to the next attempt in `SYNCRATOR_CHECKPOINT`. */
import { z } from 'zod';

const loadCheckpoint = z.object({
  action: z.literal('load'),
  mode: z.enum(['everything', 'changes', 'ids']),
  /** Names the unfinished load; the sink stores its cursor. */
  load_id: z.uuid(),
  /** Start of the listed changes; a load with another start cannot be resumed. */
  since: z.iso.datetime().nullable(),
  /** Records in the source when the load began; a load with another total cannot be resumed. */
  total: z.number().int().nullable(),
  /** Fingerprint of the source's settings and FIELDS; a load under other ones cannot be resumed. */
  fields: z.string().optional(),
});

const itemsCheckpoint = z.object({
  action: z.literal('items'),
  /** The requested items: all, those that changed, or some by id. */
  asked: z.enum(['sync', 'delta', 'some']),
  /** The watermark a delta started from. */
  since: z.iso.datetime().nullable(),
  /** The sink's next watermark, once every item is done and none has failed. */
  watermark: z.iso.datetime().nullable(),
  /** The next page of the listing; null once the listing has ended. */
  place: z.object({ query: z.string(), after: z.string() }).nullable(),
  done: z.number().int(),
  total: z.number().int().nullable(),
  /** A resume retries only these; operators see them as the job's failed items. */
  failed: z.array(z.object({ id: z.string(), why: z.string() })),
});

const checkpoint = z.discriminatedUnion('action', [loadCheckpoint, itemsCheckpoint]);

export type LoadCheckpoint = z.infer<typeof loadCheckpoint>;
export type ItemsCheckpoint = z.infer<typeof itemsCheckpoint>;
export type Checkpoint = z.infer<typeof checkpoint>;

/** Null for a missing or unreadable checkpoint: starting over is always correct. */
export function parseCheckpoint(text: string | null): Checkpoint | null {
  if (text === null) return null;
  try {
    return checkpoint.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
