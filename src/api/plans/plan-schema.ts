/** A plan and its records in an answer. */
import { z } from '@hono/zod-openapi';
import type { PlanRecord } from '../../db/plans/records.ts';
import type { PlanView } from '../../db/plans/plans.ts';
import { PLANNABLE } from '../../domain/action.ts';
import { LEAST_DIGEST, PLAN_DAYS, PLAN_KINDS, PLAN_STATES } from '../../domain/change-plan.ts';
import { isSameJson } from '../../domain/same-json.ts';
import { isoTime } from '../http/fields.ts';

export const EXAMPLE_PLAN = {
  id: 7,
  env: 'qas',
  target: 'avo',
  action: 'sync',
  of: 'sync' as const,
  state: 'ready' as const,
  digest: '3f0c9a71b2d84e653f0c9a71b2d84e653f0c9a71b2d84e653f0c9a71b2d84e65',
  live: 48_211,
  listed: 48_207,
  added: 31,
  updated: 1_204,
  removed: 12,
  held: 0,
  kept: 0,
  watermark: '2026-11-22T01:00:00.000Z',
  shown: { added: 31, updated: 1_204, removed: 12, held: 0 },
  started_by: 'schedule qas.avo.sync',
  born_at: '2026-11-22T01:08:20.000Z',
  expires_at: '2026-11-29T01:08:20.000Z',
  applied_by: null,
  replaced_by: null,
};

/** What identifies the plan that the caller has seen. */
export const digestPrefix = z
  .string()
  .regex(
    new RegExp(`^[0-9a-f]{${LEAST_DIGEST},64}$`),
    `must be ${LEAST_DIGEST} to 64 of 0-9 and a-f: the digest of the plan as you have seen it, or its beginning`,
  );

const shownCounts = z
  .object({
    added: z.int().describe('Added records.'),
    updated: z.int().describe('Updated records.'),
    removed: z.int().describe('Removed records.'),
    held: z.int().describe('Held records.'),
  })
  .openapi('ShownCounts');

export const planSchema = z
  .object({
    id: z.int().describe('The id of the plan: that of the job that made it.'),
    env: z.string().describe('The environment.'),
    target: z.string().describe('The target.'),
    action: z.string().describe('The planned action, by its name in the params file.'),
    of: z.enum(PLANNABLE).describe('What the planned action does.'),
    state: z
      .enum(PLAN_STATES)
      .describe(
        '`ready`: it can be applied. `applied`: a job has done so. `stale`: another job of the target has completed since. ' +
          `\`expired\`: it is older than ${PLAN_DAYS} days.`,
      ),
    digest: z.string().describe('Identifies everything that applying the plan would do.'),
    live: z.int().describe('Live records of the target.'),
    listed: z.int().describe('Records that were read from the source.'),
    added: z.int().describe('Records that it adds.'),
    updated: z.int().describe('Records that it changes.'),
    removed: z.int().describe('Records that it removes.'),
    held: z.int().describe('Records that it holds: their removal waits for an answer.'),
    kept: z
      .int()
      .describe(
        'Records that stay although the source lacks them, for any reason: held ones are among them.',
      ),
    watermark: isoTime
      .nullable()
      .describe('Where the next delta then reads from; null: it compares everything.'),
    shown: shownCounts.describe(
      'Records that can be looked at: fewer than the counts if there are too many to upload.',
    ),
    started_by: z.string().describe('Who asked for the plan.'),
    born_at: isoTime.describe('When it was made.'),
    expires_at: isoTime.describe('Until when it can be applied and its records are shown.'),
    applied_by: z.int().nullable().describe('The job that has applied it; else null.'),
    replaced_by: z.int().nullable().describe('The job that has made it stale; else null.'),
  })
  .openapi('Plan', { example: EXAMPLE_PLAN });
export type PlanJson = z.infer<typeof planSchema>;

const content = z.record(z.string(), z.unknown()).nullable();

export const planRecordSchema = z
  .object({
    kind: z.enum(PLAN_KINDS).describe('What applying the plan does with it.'),
    id: z.string().describe('The id of the record.'),
    before: content.describe(
      'The live record. Null if there is none; also if it is larger than 64 KiB, too deep, or forgotten.',
    ),
    after: content.describe(
      'What it becomes. Null if it goes; also if it is larger, too deep, or forgotten.',
    ),
    changed: z
      .array(z.string())
      .nullable()
      .describe('Of an updated record: the fields that differ, sorted; null if its contents are not shown.'),
  })
  .openapi('PlanRecord', {
    example: {
      kind: 'updated',
      id: 'k00042',
      before: { id: 'k00042', name: 'Gent', population: 265_086 },
      after: { id: 'k00042', name: 'Ghent', population: 265_086 },
      changed: ['name'],
    },
  });
export type PlanRecordJson = z.infer<typeof planRecordSchema>;

export function toPlan(view: PlanView): PlanJson {
  const {
    job_id: id,
    env,
    target,
    action_name: action,
    action: of,
    state,
    digest,
    later_job_id: later,
  } = view;
  const { live, listed, added, updated, removed, held, kept, started_by } = view;
  const [shownAdded = 0, shownUpdated = 0, shownRemoved = 0, shownHeld = 0] = view.shown;
  return {
    id,
    env,
    target,
    action,
    of,
    state,
    digest,
    live,
    listed,
    added,
    updated,
    removed,
    held,
    kept,
    watermark: view.watermark?.toISOString() ?? null,
    shown: { added: shownAdded, updated: shownUpdated, removed: shownRemoved, held: shownHeld },
    started_by,
    born_at: view.born_at.toISOString(),
    expires_at: view.expires_at.toISOString(),
    applied_by: state === 'applied' ? later : null,
    replaced_by: state === 'stale' ? later : null,
  };
}

export function toPlanRecord({ kind, id, before, after }: PlanRecord): PlanRecordJson {
  return {
    kind,
    id,
    before: before && { ...before },
    after: after && { ...after },
    changed: kind === 'updated' && before && after ? changedFields(before, after) : null,
  };
}

function changedFields(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const isIn = (content: object, field: string) => Object.hasOwn(content, field);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => isIn(before, field) !== isIn(after, field) || !isSameJson(before[field], after[field]))
    .toSorted();
}
