/** The programs' own records of their runs, ours and those started outside of us (design.md §1). */
import type { Selectable } from 'kysely';
import { audit, type By } from './audit.ts';
import type { Db, Schema } from './schema.ts';

export type SyncJobRow = Selectable<Schema['sync_jobs']>;
/** What an outside program may say of its run. */
export type SyncJobFacts = {
  readonly end_time?: Date | null | undefined;
  readonly data_source?: string | null | undefined;
  readonly total_records?: number | undefined;
  readonly completed?: boolean | null | undefined;
  readonly options?: string | null | undefined;
  readonly version?: string | null | undefined;
  readonly target_datastore_url?: string | null | undefined;
};

/** Newest first. */
export async function listSyncJobs(db: Db, page: { limit: number; offset: number }): Promise<SyncJobRow[]> {
  return await db
    .selectFrom('sync_jobs')
    .selectAll()
    .orderBy('start_time', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
}

/** A run started outside of us: a record, never a lock. */
export async function insertOutsideSyncJob(
  db: Db,
  input: SyncJobFacts & { type: string; start_time?: Date | undefined },
  by: By,
): Promise<SyncJobRow> {
  return await db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('sync_jobs')
      .values({ ...defined(input), type: input.type })
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(tx, { ...by, verb: 'add', object: `sync job ${row.id}` });
    return row;
  });
}

/** `ours` when the run belongs to one of our jobs, whose program alone may write it. */
export async function updateOutsideSyncJob(
  db: Db,
  id: number,
  facts: SyncJobFacts,
  by: By,
): Promise<SyncJobRow | 'unknown' | 'ours'> {
  return await db.transaction().execute(async (tx) => {
    const found = await tx
      .selectFrom('sync_jobs')
      .select('job_id')
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (!found) return 'unknown';
    if (found.job_id !== null) return 'ours';
    const row = await tx
      .updateTable('sync_jobs')
      .set(defined(facts))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(tx, { ...by, verb: 'change', object: `sync job ${id}` });
    return row;
  });
}

function defined<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
