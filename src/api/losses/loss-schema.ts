/** A loss and its records in an answer. */
import { z } from '@hono/zod-openapi';
import type { LossRecord } from '../../db/losses/records.ts';
import type { LossView } from '../../db/losses/losses.ts';
import { EXPIRES_AFTER_MS, LOSS_REASONS, LOSS_STATUSES, percentOfLive } from '../../domain/loss.ts';
import { isoTime } from '../http/fields.ts';

const approvalSchema = z
  .object({
    by: z.string().describe('Who approved.'),
    reason: z.string().describe('Why.'),
    at: isoTime.describe('When.'),
  })
  .openapi('LossApproval');

export const EXAMPLE_LOSS = {
  id: 7,
  env: 'qas',
  target: 'avo',
  status: 'waiting' as const,
  reason: 'over_threshold' as const,
  job_id: 37,
  started_by: 'schedule qas/avo/sync',
  count: 1204,
  live: 48_211,
  percent: 2.5,
  pinned: 4,
  digest: '3f0c9a71b2d84e653f0c9a71b2d84e65',
  born_at: '2026-11-22T01:08:20.000Z',
  changed_at: '2026-11-22T01:08:20.000Z',
  expires_at: '2026-11-29T01:08:20.000Z',
  overdue: false,
  approvals: [],
  approvals_needed: 1,
  removal_job_id: null,
  resolved_at: null,
};

/** What identifies the set that the caller has seen. */
export const digestField = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 of 0-9 and a-f: the digest of the loss as you have seen it');

export const lossSchema = z
  .object({
    id: z.int().describe('The id of the loss.'),
    env: z.string().describe('The environment.'),
    target: z.string().describe('The target.'),
    status: z
      .enum(LOSS_STATUSES)
      .describe('`waiting`: records wait for an answer. `resolved`: none is held any more.'),
    reason: z
      .enum(LOSS_REASONS)
      .describe(
        'Why the latest of them are held. `over_threshold`: more were missing than the guard allows. `anomaly`: fewer, but ' +
          'more than earlier runs removed (BASELINE=hold).',
      ),
    job_id: z.int().describe('The job that told the set last.'),
    started_by: z
      .string()
      .describe('Who asked for that job, and may not approve. A removal or rollback leaves it as it was.'),
    count: z.int().describe('Records that wait, without the pinned ones.'),
    live: z.int().describe('Live records of the target.'),
    percent: z.number().describe('`count` in percent of `live`, with one decimal.'),
    pinned: z
      .int()
      .describe('Held records that were answered with keep: they are not proposed until their time is over.'),
    digest: digestField.describe(
      'Identifies exactly the records that wait: the first 32 digits of the SHA-256 of their ids in byte order, each as a JSON string and a line feed.',
    ),
    born_at: isoTime.describe('When the first of the records was held.'),
    changed_at: isoTime.describe('When the set last changed.'),
    expires_at: isoTime.describe('When the loss becomes overdue. Nothing is removed by that.'),
    overdue: z.boolean().describe('True if it waits although that time is over.'),
    approvals: z.array(approvalSchema).describe('The approvals of exactly this set so far.'),
    approvals_needed: z
      .int()
      .describe('Approvals that start the removal: APPROVALS of the params file of the sync.'),
    removal_job_id: z
      .int()
      .nullable()
      .describe(
        'The job that removes the records: the active one, or the one that resolved the loss. Else null.',
      ),
    resolved_at: isoTime.nullable().describe('When it was resolved; null while it waits.'),
  })
  .openapi('Loss', { example: EXAMPLE_LOSS });
export type LossJson = z.infer<typeof lossSchema>;

export const lossRecordSchema = z
  .object({
    id: z.string().describe('The id of the record.'),
    missing_since: isoTime.describe('Since when the listing lacks it.'),
    last_seen: isoTime.nullable().describe('The last full listing that had it; null if unknown.'),
    updated_at: isoTime.nullable().describe('When the record was last changed; null if unknown.'),
    record: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        'The live record; null if its JSON is larger than 64 KiB, too deep to be shown, or forgotten.',
      ),
    pinned_until: isoTime
      .nullable()
      .describe('Until when it is kept and not proposed; null if it waits for an answer.'),
  })
  .openapi('LossRecord', {
    example: {
      id: 'k00042',
      missing_since: '2026-11-22T01:08:20.000Z',
      last_seen: '2026-11-21T01:08:11.000Z',
      updated_at: '2026-10-03T12:00:00.000Z',
      record: { id: 'k00042', name: 'Gent', population: 265_086 },
      pinned_until: null,
    },
  });
export type LossRecordJson = z.infer<typeof lossRecordSchema>;

/** @param now by the clock of the database */
export function toLoss(view: LossView, of: { approvalsNeeded: number; now: Date }): LossJson {
  const expiresAt = new Date(view.born_at.getTime() + EXPIRES_AFTER_MS);
  const { id, env, target, status, reason, job_id, started_by, count, live, pinned, digest } = view;
  return {
    id,
    env,
    target,
    status,
    reason,
    job_id,
    started_by,
    count,
    live,
    pinned,
    digest,
    percent: percentOfLive(count, live),
    born_at: view.born_at.toISOString(),
    changed_at: view.changed_at.toISOString(),
    expires_at: expiresAt.toISOString(),
    overdue: status === 'waiting' && expiresAt.getTime() <= of.now.getTime(),
    approvals: view.approvals.map(({ by, reason: why, at }) => ({
      by,
      reason: why,
      at: new Date(at).toISOString(),
    })),
    approvals_needed: of.approvalsNeeded,
    removal_job_id: view.removal_job_id,
    resolved_at: view.resolved_at?.toISOString() ?? null,
  };
}

export function toLossRecord(row: LossRecord): LossRecordJson {
  return {
    id: row.id,
    missing_since: row.missing_since.toISOString(),
    last_seen: row.last_seen?.toISOString() ?? null,
    updated_at: row.updated_at?.toISOString() ?? null,
    record: row.record === null ? null : { ...row.record },
    pinned_until: row.pinned_until?.toISOString() ?? null,
  };
}
