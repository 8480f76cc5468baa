/** Sync jobs: the programs' own records of their runs, ours and those started elsewhere. */
import type { Selectable } from 'kysely';
import { audit, type By } from '../access/audit.ts';
import type { Db, Schema } from '../schema.ts';

export type SyncJobRow = Selectable<Schema['sync_jobs']>;
/** The fields that a program outside Syncrator may record of its run. */
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

/**
 * Records a run started outside Syncrator: it locks nothing.
 * @param recordedBy the id of its owner, which never changes
 */
export async function insertOutsideSyncJob(
  db: Db,
  input: SyncJobFacts & { type: string; start_time?: Date | undefined },
  { recordedBy, ...by }: By & { recordedBy: string },
): Promise<SyncJobRow> {
  return await db.transaction().execute(async (tx) => {
    const told = defined(input);
    const row = await tx
      .insertInto('sync_jobs')
      .values({ ...told, type: input.type, recorded_by: recordedBy })
      .returningAll()
      .executeTakeFirstOrThrow();
    await audit(tx, { ...by, verb: 'add', object: `sync job ${row.id}`, detail: told });
    return row;
  });
}

/** The fields of a record that never change: its run, and its owner. */
export type SyncJobOwner = {
  readonly type: string;
  /** Null for a run started outside Syncrator. */
  readonly jobId: number | null;
  /** The owner's id; null if an older version recorded it. */
  readonly recordedBy: string | null;
  /** The owner as the audit shows it; null if its line was purged. */
  readonly shownAs: string | null;
};

export async function findSyncJobOwner(db: Db, id: number): Promise<SyncJobOwner | undefined> {
  const found = await db
    .selectFrom('sync_jobs')
    .select(['type', 'job_id', 'recorded_by'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!found) return undefined;
  const line = await db
    .selectFrom('audit')
    .select('principal')
    .where('object', '=', `sync job ${id}`)
    .where('verb', '=', 'add')
    .where('refused', 'is', null)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  const { type, job_id: jobId, recorded_by: recordedBy } = found;
  return { type, jobId, recordedBy, shownAs: line?.principal ?? null };
}

/** The audit keeps the earlier values. Undefined for an unknown record, or one of our own runs. */
export async function updateOutsideSyncJob(
  db: Db,
  id: number,
  facts: SyncJobFacts,
  by: By,
): Promise<SyncJobRow | undefined> {
  return await db.transaction().execute(async (tx) => {
    const before = await tx
      .selectFrom('sync_jobs')
      .selectAll()
      .where('id', '=', id)
      .where('job_id', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (!before) return undefined;
    const told = defined(facts);
    const row = await tx
      .updateTable('sync_jobs')
      .set(told)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const fields = Object.keys(told) as (keyof SyncJobFacts)[];
    const valuesOf = (of: SyncJobRow) => Object.fromEntries(fields.map((field) => [field, of[field]]));
    const detail = { before: valuesOf(before), after: valuesOf(row) };
    await audit(tx, { ...by, verb: 'change', object: `sync job ${id}`, detail });
    return row;
  });
}

function defined<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
