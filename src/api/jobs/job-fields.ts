/** The fields of a job in an answer; job-json.ts fills them, job-schema.ts names them. */
import { z } from '@hono/zod-openapi';
import { anyActionParameters } from '../../job-params/action-parameters.ts';
import { JOB_STATUSES } from '../../domain/status.ts';
import { isoTime, orNull } from '../http/fields.ts';
import { shownFacts } from '../live/report-facts.ts';
import { syncJobSchema } from './sync-job-json.ts';

const diagnosis = z
  .object({
    code: z.string().describe('A stable identifier of the cause, for programs.'),
    summary: z.string().describe('The cause in one sentence.'),
    detail: z.string().describe('The evidence: messages of the program, Kubernetes or Postgres.'),
    what_to_do: z.string().describe('The fix.'),
  })
  .openapi('Diagnosis');
const count = z.int().nullable();

const progressSchema = z
  .object({
    phase: z.string().describe('The phase that the program reported.'),
    message: z.string().nullable().describe('A sentence of the program for the operator.'),
    records_done: count.describe('Records processed so far.'),
    records_total: count.describe('Records to process; null if unknown.'),
    added: count.describe('Records added.'),
    updated: count.describe('Records updated.'),
    deleted: count.describe('Records deleted.'),
    failed: count.describe('Records set aside because they failed.'),
    percent: z.number().nullable().describe('records_done of records_total, in percent.'),
    rate: z.number().nullable().describe('Records per second in this attempt; null if unknown.'),
    reported_at: isoTime.describe('When the report arrived.'),
  })
  .openapi('Progress');

const step = z
  .object({
    step: z.int().describe('The step, from 0.'),
    attempt: z.int().describe('The attempt of the step, from 1.'),
    action: z.string().describe('The action of the step.'),
    name: z.string().describe('Name of the Kubernetes Job or the process.'),
    created_at: isoTime.describe('When the attempt was created.'),
    started_at: isoTime.nullable().describe('When its program started; null if it has not.'),
    ended_at: isoTime.nullable().describe('When it ended; null while it is active.'),
    outcome: z
      .enum(['completed', 'failed', 'cancelled'])
      .nullable()
      .describe('How it ended; null while it is active.'),
    diagnosis: orNull(diagnosis).describe('Why it failed; null if it did not.'),
    progress: orNull(progressSchema).describe('Its newest report; null before the first one.'),
    sync_job: orNull(syncJobSchema).describe('The record of its program; null before it reports.'),
    log: z.string().describe('Path of its log.'),
    log_bytes: z.int().describe('Bytes of its log so far, including bytes omitted from a long log.'),
    log_state: z
      .enum(['growing', 'complete', 'end_missing', 'removed'])
      .describe('`end_missing`: its end could not be read. `removed`: it was deleted after KEEP_LOGS.'),
  })
  .openapi('JobStep');

export const jobFields = z.object({
  id: z.int().openapi({ description: 'The id of the job.', example: 7 }),
  uid: z.uuid().describe('Unique also across restored databases.'),
  target: z.string().openapi({ description: 'The target of the job.', example: 'avo' }),
  env: z.string().openapi({ description: 'The environment of the job.', example: 'qas' }),
  job_type: z
    .string()
    .openapi({ description: 'The ACTION_NAME by which it was requested.', example: 'sync' }),
  action: z.string().openapi({ description: 'The ACTION that it performs.', example: 'sync' }),
  status: z.enum(JOB_STATUSES).describe('The status of the job.'),
  status_reason: z.string().nullable().describe('Code of the reason for the status; null if there is none.'),
  status_detail: z
    .string()
    .nullable()
    .describe(
      'The reason for the status in words. Running: what the program is waiting for. Ended: what could not be cleaned up.',
    ),
  phase: z.string().nullable().describe('The last status that an external executor reported.'),
  description: z
    .string()
    .nullable()
    .describe('Purpose of the job, from the request or from its external executor.'),
  sync_id: z.int().nullable().describe('The id of `sync_job`.'),
  sync_job: orNull(syncJobSchema).describe('The sync job of the last step that has one.'),
  steps: z.array(step).describe('All attempts of all steps, in order.'),
  progress: orNull(progressSchema).describe(
    'Progress of the newest attempt, with counts summed over all steps.',
  ),
  ...shownFacts,
  plan_id: z
    .int()
    .nullable()
    .describe('The plan that it has made (its own id) or that it applies (GET /plans/{id}); else null.'),
  rollback_before: z
    .int()
    .nullable()
    .describe(
      'For a rollback: the job before which it restores the target. Null for the last sync, or if that job was deleted.',
    ),
  diagnosis: orNull(diagnosis).describe('Why the job failed; null if it did not.'),
  stalled: z
    .boolean()
    .describe(
      'True while a running job is silent or makes no progress for longer than its params file allows.',
    ),
  stalled_by: z
    .enum(['silence', 'no_progress'])
    .nullable()
    .describe(
      '`silence`: no report for STALLED_AFTER (30 s by default). `no_progress`: unchanged reports for NO_PROGRESS_AFTER ' +
        '(30 min by default), while the program waits for nothing.',
    ),
  parameters: z
    .object({
      action_name: z.string().describe('ACTION_NAME.'),
      action: z.string().describe('ACTION.'),
      is_tag: z.string().describe('Tag of the image.'),
      options: z.string().describe('Options of the program, credentials masked.'),
      mam_main_query: z.string().nullable().describe('MAM_MAIN_QUERY; null if not set.'),
      ...anyActionParameters.shape,
    })
    .describe('Parameters of the request.'),
  runner: z.enum(['kubernetes', 'process', 'external']).describe('Where the job runs.'),
  trigger: z
    .enum(['api', 'schedule', 'cli', 'batch', 'hook', 'rollback', 'resume'])
    .describe('How the job was requested.'),
  requested_by: z.string().describe('The user, program or schedule that requested the job.'),
  resumes: z.int().nullable().describe('The failed job that this job resumes; null if none.'),
  cancel_requested_at: isoTime.nullable().describe('When a cancel was requested; null if none was.'),
  cancel_requested_by: z
    .string()
    .nullable()
    .describe('Who requested the cancel; null if none was requested.'),
  temporal_url: z
    .string()
    .nullable()
    .describe("The workflow in Temporal's Web UI; null without TEMPORAL_UI_URL."),
  created_at: isoTime.describe('When the job was requested.'),
  updated_at: isoTime.describe('When the job last changed.'),
  started_at: isoTime.nullable().describe('When its first program started; null if none has.'),
  finished_at: isoTime.nullable().describe('When the job ended; null while it is active.'),
  log: z.string().openapi({ description: 'Path of its log.', example: '/jobs/7/logs' }),
  version: z.int().describe('Grows with every change of any job.'),
});

export type JobFields = z.infer<typeof jobFields>;
