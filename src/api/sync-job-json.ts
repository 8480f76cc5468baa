/** A program's own record of its run, under the documented names, credentials masked. */
import { z } from '@hono/zod-openapi';
import type { SyncJobRow } from '../db/sync-jobs.ts';
import { isoTime } from './fields.ts';
import { masked } from './mask.ts';

export const SYNC_JOB = {
  id: 12,
  start_time: '2026-11-22T01:00:02.000Z',
  end_time: '2026-11-22T01:16:40.000Z',
  data_source: 'mam harvester-AvO',
  type: 'sync',
  total_records: 48_211,
  completed: true,
  options: '-n 1000 -c 1',
  version: '2.4.0',
  target_datastore_url: 'postgres://<FILTERED>@host:5432/db',
  job_id: 7,
  outside: false,
};

export const syncJobSchema = z
  .object({
    id: z.int(),
    start_time: isoTime,
    end_time: isoTime.nullable(),
    data_source: z.string().nullable(),
    type: z.string(),
    total_records: z.int(),
    completed: z.boolean().nullable(),
    options: z.string().nullable(),
    version: z.string().nullable(),
    target_datastore_url: z.string().nullable(),
    job_id: z.int().nullable().describe('Our job; null for a run started outside of us.'),
    outside: z.boolean(),
  })
  .openapi('SyncJob', { example: SYNC_JOB });

type Stored = Omit<SyncJobRow, 'start_time' | 'end_time'> & {
  readonly start_time: Date | string;
  readonly end_time: Date | string | null;
};

export function toSyncJob(row: Stored): z.infer<typeof syncJobSchema> {
  return {
    id: row.id,
    start_time: new Date(row.start_time).toISOString(),
    end_time: row.end_time === null ? null : new Date(row.end_time).toISOString(),
    data_source: masked(row.data_source),
    type: row.type,
    total_records: row.total_records,
    completed: row.completed,
    options: masked(row.options),
    version: masked(row.version),
    target_datastore_url: masked(row.target_datastore_url),
    job_id: row.job_id,
    outside: row.job_id === null,
  };
}
