/** Facts of a report that outlive its progress: their schemas in a report and in a job, and how steps are combined. */
import { z } from '@hono/zod-openapi';
import { MEASURES } from '../../domain/baseline.ts';
import type { ReportFacts, RollbackPreview, UnusualFigure } from '../../domain/report.ts';
import { count, isoTime, MOST_INTEGER, orNull, text } from '../http/fields.ts';

const FAILED_ITEMS_LIMIT = 48 * 1024;

/** Years that stay valid in UTC. Data may be old, and a job must not fail at its end over a time that Postgres rejects. */
const YEARS = /^(0[1-9]\d\d|[1-8]\d{3}|9[0-8]\d\d|99[0-8]\d|999[0-8])-/;
const timeTold = z.iso
  .datetime({ offset: true, error: 'must be an ISO-8601 time such as 2026-11-22T00:00:00Z' })
  .regex(YEARS, 'must lie in 0100 to 9998')
  .transform((value) => new Date(value).toISOString())
  .openapi({
    type: 'string',
    format: 'date-time',
    pattern: YEARS.source,
    example: '2026-11-22T00:00:00.000Z',
  });
const timeToldOrNull = timeTold.nullable().openapi({
  type: ['string', 'null'],
  format: 'date-time',
  pattern: YEARS.source,
  example: '2026-11-22T00:00:00.000Z',
});

const failedItemsSchema = z
  .array(
    z
      .object({
        id: z.string().describe('The id of the item or record.'),
        why: z.string().describe('Why it failed.'),
      })
      .openapi('FailedItem'),
  )
  .describe('Items or records that failed and were set aside. A resume processes only failed items.')
  .openapi({ example: [] });

const rollbackPreviewSchema = z
  .strictObject({
    before: z
      .strictObject({
        job_id: z
          .int()
          .min(1)
          .max(MOST_INTEGER)
          .nullable()
          .describe('Its id; null if the sink does not know it.'),
        job_uid: z.uuid().nullable().describe('Its uid; null if the sink does not know it.'),
        action: text(40).describe('Its action.'),
        applied_at: timeTold.describe('When its changes were applied.'),
      })
      .describe('The job whose changes are undone first, as recorded in the sink.'),
    added: count.describe('Records that the rollback would add again.'),
    updated: count.describe('Records that the rollback would change.'),
    removed: count.describe('Records that the rollback would remove.'),
    changed_by_others: count.describe('Records among them that another program has changed since.'),
    digest: z
      .string()
      .regex(/^[0-9a-f]{16,64}$/, 'must be 16 to 64 of 0-9 and a-f')
      .describe('Hash of this effect. Pass it to POST /rollback as `expect` to allow no other effect.'),
    watermark: timeToldOrNull.describe(
      'The watermark after the rollback; null: the next delta compares everything.',
    ),
    some_records: z
      .boolean()
      .optional()
      .describe('True if the rollback is limited to some records; all other changes stay.'),
    sample: z
      .array(
        z.strictObject({
          id: text(1000).describe('The id of the record.'),
          change: z.enum(['added', 'updated', 'removed']).describe('How the rollback would change it.'),
          fields: z.array(text(200)).max(20).describe('The fields that differ.'),
        }),
      )
      .max(20)
      .describe('Up to 20 of the records.'),
  })
  .openapi('RollbackPreview', {
    example: {
      before: {
        job_id: 37,
        job_uid: '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55',
        action: 'sync',
        applied_at: '2026-11-22T01:08:20.000Z',
      },
      added: 9,
      updated: 120,
      removed: 3,
      changed_by_others: 0,
      digest: '3f0c9a71b2d84e65',
      watermark: '2026-11-21T00:00:00.000Z',
      sample: [{ id: 'k00042', change: 'updated', fields: ['name', 'population'] }],
    },
  }) satisfies z.ZodType<RollbackPreview>;

const unusualSchema = z
  .array(
    z
      .strictObject({
        measure: z.enum(MEASURES).describe('The counted thing.'),
        count: count.describe('Its count in this run.'),
        median: count.describe('The median of earlier runs, scaled to the size of the target now.'),
        least: count.describe('The lowest usual count.'),
        most: count.describe('The highest usual count.'),
        earlier: z
          .array(
            z.strictObject({
              at: timeTold.describe('When the run was applied.'),
              count: count.describe('Its count.'),
            }),
          )
          .max(14)
          .describe('The latest earlier runs, oldest first.'),
      })
      .openapi('UnusualFigure', {
        example: {
          measure: 'removed',
          count: 812,
          median: 10,
          least: 0,
          most: 110,
          earlier: [{ at: '2026-11-21T01:08:20.000Z', count: 9 }],
        },
      }),
  )
  .max(MEASURES.length)
  .describe('Counts of the run that are far from those of earlier runs (BASELINE).');

/** The fields in a report; an omitted field keeps its last value. */
export const toldFacts = {
  waiting_for: text(1000).nullable().optional().describe('What the program is waiting for; null: nothing.'),
  warnings: z.array(text(500)).max(20).optional().describe('Warnings for the operator.'),
  failed_items: z
    .array(z.strictObject({ id: text(1000), why: text(1000) }))
    .max(1000)
    .refine(
      (items) => Buffer.byteLength(JSON.stringify(items)) <= FAILED_ITEMS_LIMIT,
      'must be at most 48 KiB of JSON',
    )
    .optional()
    .describe('Items or records that failed and were set aside.'),
  kept: count.optional().describe('Live records that the source does not list any more.'),
  held: count
    .optional()
    .describe('Those of them whose removal waits for an approval, because too many were missing.'),
  watermark: timeToldOrNull
    .optional()
    .describe(
      "The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything.",
    ),
  listing: z
    .enum(['complete', 'unproven'])
    .optional()
    .describe('`complete`: the listing of the source is proven complete. `unproven`: evidence is missing.'),
  rollback_preview: rollbackPreviewSchema.optional().describe('The effect that a rollback would have.'),
  unusual: unusualSchema.optional(),
};

/** The fields in a job. */
export const shownFacts = {
  warnings: z
    .array(z.string())
    .describe('Warnings for the operator; the job may have completed nevertheless.'),
  failed_items: failedItemsSchema,
  kept: z
    .int()
    .nullable()
    .describe('Live records that the source does not list any more; null if not reported.'),
  held: z
    .int()
    .nullable()
    .describe(
      'Those of them whose removal waits for an approval (GET /losses), because too many were missing; null if not reported.',
    ),
  watermark: isoTime
    .nullable()
    .describe(
      "The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything, or the job reported none.",
    ),
  listing: z
    .enum(['complete', 'unproven'])
    .nullable()
    .describe(
      "`complete`: the source's listing is proven complete. `unproven`: evidence is missing. Null if no listing was read.",
    ),
  rollback_preview: orNull(rollbackPreviewSchema).describe(
    'The effect of a rollback, if the job previews one.',
  ),
  unusual: unusualSchema,
};

type Shown = { readonly [Field in keyof typeof shownFacts]: z.infer<(typeof shownFacts)[Field]> };

/** The facts of a step; `failed_items` comes from the checkpoint, for programs that report them only there. */
export type StepFacts = {
  readonly step: number;
  readonly action: string;
  readonly facts: ReportFacts;
  readonly failed_items: unknown;
};

/**
 * Combines the facts of all steps: all warnings, each failed item once, otherwise the value of the last step that has one.
 * Ignores the watermark of a delete, which reads no changes.
 */
export function factsOf(attempts: readonly StepFacts[]): Shown {
  const last = <T>(of: (step: StepFacts) => T | undefined) =>
    attempts.map(of).findLast((told) => told !== undefined);
  const reading = attempts.filter(({ action }) => action !== 'delete');
  const newest = attempts.filter(({ step }, at) => attempts[at + 1]?.step !== step);
  return {
    warnings: [...new Set(newest.flatMap(({ facts }) => facts.warnings ?? []))],
    failed_items: failedItems(attempts),
    kept: last(({ facts }) => facts.kept) ?? null,
    held: last(({ facts }) => facts.held) ?? null,
    watermark: reading.map(({ facts }) => facts.watermark).findLast((told) => told !== undefined) ?? null,
    listing: last(({ facts }) => facts.listing) ?? null,
    rollback_preview: previewOf(last(({ facts }) => facts.rollback_preview)),
    unusual: newest.flatMap(({ facts }) => facts.unusual ?? []).map(copied),
  };
}

/** The items of each step from its newest attempt with any. Ignores other data in a foreign program's checkpoint. */
function failedItems(attempts: readonly StepFacts[]): Shown['failed_items'] {
  const byStep = new Map<number, Shown['failed_items']>();
  for (const { step, facts, failed_items: inCheckpoint } of attempts) {
    const { data } = failedItemsSchema.safeParse(facts.failed_items ?? inCheckpoint);
    if (data) byStep.set(step, data);
  }
  return [...new Map([...byStep.values()].flat().map((item) => [item.id, item])).values()];
}

function copied({ earlier, ...figure }: UnusualFigure): Shown['unusual'][number] {
  return { ...figure, earlier: earlier.map((run) => ({ ...run })) };
}

function previewOf(told: RollbackPreview | undefined): Shown['rollback_preview'] {
  return (
    (told && { ...told, sample: told.sample.map((record) => ({ ...record, fields: [...record.fields] })) }) ??
    null
  );
}
