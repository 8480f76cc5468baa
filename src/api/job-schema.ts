/** What a job looks like in an answer; job-json.ts makes it. */
import { z } from '@hono/zod-openapi';
import { anyActionParameters } from '../action-parameters.ts';
import { JOB_STATUSES } from '../domain/status.ts';
import { isoTime } from './fields.ts';
import { RUNNING_JOB } from './job-example.ts';
import { syncJobSchema } from './sync-job-json.ts';

const diagnosis = z
  .object({ code: z.string(), summary: z.string(), detail: z.string(), what_to_do: z.string() })
  .openapi('Diagnosis');
const count = z.int().nullable();

export const progressSchema = z
  .object({
    phase: z.string(),
    message: z.string().nullable(),
    records_done: count,
    records_total: count,
    added: count,
    updated: count,
    deleted: count,
    failed: count,
    percent: z.number().nullable(),
    rate: z.number().nullable().describe('Records per second of the attempt so far.'),
    reported_at: isoTime,
  })
  .openapi('Progress');

export const failedItemsSchema = z
  .array(z.object({ id: z.string(), why: z.string() }))
  .describe('Items that failed after all their tries; a resume does these alone. At most 1,000.')
  .openapi({ example: [] });

const step = z.object({
  step: z.int(),
  attempt: z.int(),
  action: z.string(),
  name: z.string(),
  created_at: isoTime,
  started_at: isoTime.nullable(),
  ended_at: isoTime.nullable(),
  outcome: z.enum(['completed', 'failed', 'cancelled']).nullable(),
  diagnosis: diagnosis.nullable(),
  progress: progressSchema.nullable(),
  sync_job: syncJobSchema.nullable(),
  log: z.string(),
  log_bytes: z.int().describe('Of its text so far, with what is left out of a long one.'),
  log_state: z
    .enum(['growing', 'complete', 'end_missing', 'removed'])
    .describe('`end_missing`: it could not be read to its end. `removed`: it is kept no longer.'),
});

const job = z.object({
  id: z.int().openapi({ example: 7 }),
  uid: z.uuid(),
  target: z.string().openapi({ example: 'avo' }),
  env: z.string().openapi({ example: 'qas' }),
  job_type: z.string().openapi({ example: 'sync' }),
  action: z.string().openapi({ example: 'sync' }),
  status: z.enum(JOB_STATUSES),
  status_reason: z.string().nullable(),
  status_detail: z.string().nullable(),
  phase: z.string().nullable().describe('The last status word of an external executor.'),
  description: z
    .string()
    .nullable()
    .describe('What it is about: as it was asked for, or as its external executor said since.'),
  sync_id: z.int().nullable(),
  sync_job: syncJobSchema.nullable().describe('Of the last step that has one.'),
  steps: z.array(step),
  progress: progressSchema.nullable(),
  failed_items: failedItemsSchema,
  diagnosis: diagnosis.nullable(),
  stalled: z
    .boolean()
    .describe('Running, and nothing was reported for as long as STALLED_AFTER says, 30 s by default.'),
  parameters: z.object({
    action_name: z.string(),
    action: z.string(),
    is_tag: z.string(),
    options: z.string(),
    mam_main_query: z.string().nullable(),
    ...anyActionParameters.shape,
  }),
  runner: z.string(),
  trigger: z.string(),
  requested_by: z.string(),
  resumes: z.int().nullable(),
  cancel_requested_at: isoTime.nullable(),
  cancel_requested_by: z.string().nullable(),
  temporal_url: z.string().nullable(),
  created_at: isoTime,
  updated_at: isoTime,
  started_at: isoTime.nullable(),
  finished_at: isoTime.nullable(),
  log: z.string().openapi({ example: '/jobs/7/logs' }),
  version: z.int(),
});

export type JobJson = z.infer<typeof job>;
export const jobSchema = job.openapi('Job', { example: RUNNING_JOB });
