/** A job as the document shows it: half-way, being cancelled, gone, just accepted, or in the hands of an external executor. */
import type { JobJson } from './job-schema.ts';
import { SYNC_JOB } from './sync-job-json.ts';

const PROGRESS = {
  phase: 'reading',
  message: null,
  records_done: 24_000,
  records_total: 48_211,
  added: 12,
  updated: 2_988,
  deleted: null,
  failed: 1,
  percent: 49.7,
  rate: 48,
  reported_at: '2026-11-22T01:08:20.000Z',
};
const RUNNING_SYNC = { ...SYNC_JOB, end_time: null, total_records: 24_000, completed: null };

export const RUNNING_JOB: JobJson = {
  id: 7,
  uid: '0b0f6d1e-5a34-4c9e-9d1c-2f7f2f6c1a55',
  target: 'avo',
  env: 'qas',
  job_type: 'sync',
  action: 'sync',
  status: 'running',
  status_reason: null,
  status_detail: null,
  phase: null,
  description: null,
  sync_id: RUNNING_SYNC.id,
  sync_job: RUNNING_SYNC,
  steps: [
    {
      step: 0,
      attempt: 1,
      action: 'sync',
      name: 'syn-sync-0b0f6d1e2f6c1a55-0-1',
      created_at: '2026-11-22T01:00:00.300Z',
      started_at: '2026-11-22T01:00:00.900Z',
      ended_at: null,
      outcome: null,
      diagnosis: null,
      progress: PROGRESS,
      sync_job: RUNNING_SYNC,
      log: '/jobs/7/logs?step=0&attempt=1',
      log_bytes: 18_204,
      log_state: 'growing',
    },
  ],
  progress: PROGRESS,
  failed_items: [{ id: '1811', why: 'commits: answered 500' }],
  diagnosis: null,
  stalled: false,
  parameters: {
    action_name: 'sync',
    action: 'sync',
    is_tag: 'latest',
    options: '-n 1000 -c 1',
    mam_main_query: null,
  },
  runner: 'kubernetes',
  trigger: 'api',
  requested_by: 'admin',
  resumes: null,
  cancel_requested_at: null,
  cancel_requested_by: null,
  temporal_url: 'http://127.0.0.1:8233/namespaces/default/workflows/syncrator%2Fqas%2Favo',
  created_at: '2026-11-22T01:00:00.000Z',
  updated_at: '2026-11-22T01:08:20.000Z',
  started_at: '2026-11-22T01:00:00.900Z',
  finished_at: null,
  log: '/jobs/7/logs',
  version: 41,
};

export const CANCELLING_JOB: JobJson = {
  ...RUNNING_JOB,
  status: 'cancelling',
  status_reason: 'requested',
  cancel_requested_at: '2026-11-22T01:08:21.000Z',
  cancel_requested_by: 'admin',
  updated_at: '2026-11-22T01:08:21.000Z',
  version: 42,
};

export const QUEUED_JOB: JobJson = {
  ...RUNNING_JOB,
  status: 'queued',
  sync_id: null,
  sync_job: null,
  steps: [],
  progress: null,
  failed_items: [],
  updated_at: '2026-11-22T01:00:00.000Z',
  started_at: null,
  version: 38,
};

/** Cancelled before it began. */
export const DELETED_JOB: JobJson = {
  ...QUEUED_JOB,
  status: 'deleted',
  cancel_requested_at: '2026-11-22T01:00:00.100Z',
  cancel_requested_by: 'admin',
  updated_at: '2026-11-22T01:00:00.100Z',
  finished_at: '2026-11-22T01:00:00.100Z',
  version: 39,
};

export const VALIDATING_JOB: JobJson = {
  ...QUEUED_JOB,
  target: 'MY_DATASET',
  env: 'prd',
  job_type: 'ADD',
  action: 'ADD',
  status: 'running',
  phase: 'validating',
  description: 'Income of 2026',
  parameters: {
    action_name: 'ADD',
    action: 'ADD',
    is_tag: 'latest',
    options: '',
    mam_main_query: null,
    description: 'Income of 2026',
  },
  runner: 'external',
  trigger: 'batch',
  temporal_url: null,
  started_at: '2026-11-22T01:00:05.000Z',
  updated_at: '2026-11-22T01:00:05.000Z',
  version: 40,
};
