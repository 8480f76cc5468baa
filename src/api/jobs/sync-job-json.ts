/** The JSON of a sync job, a program's own record of its run; credentials masked. */
import { z } from '@hono/zod-openapi';
import type { SyncJobRow } from '../../db/views/sync-jobs.ts';
import { isoTime } from '../http/fields.ts';
import { masked } from '../http/mask.ts';

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
    id: z.int().describe('The id of the record.'),
    start_time: isoTime.describe('When the run started.'),
    end_time: isoTime.nullable().describe('When the run ended; null while it is active.'),
    data_source: z.string().nullable().describe('Where the program reads from.'),
    type: z.string().describe('The action of the run.'),
    total_records: z.int().describe('Records processed so far.'),
    completed: z.boolean().nullable().describe('Whether the run succeeded; null while it is active.'),
    options: z.string().nullable().describe('Options of the program, credentials masked.'),
    version: z.string().nullable().describe('Version of the program.'),
    target_datastore_url: z.string().nullable().describe('Where the program writes to, credentials masked.'),
    job_id: z.int().nullable().describe('The job of Syncrator; null for a run started outside of it.'),
    outside: z.boolean().describe('True for a run started outside of Syncrator.'),
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
