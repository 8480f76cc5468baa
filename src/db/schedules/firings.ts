/** The outcome of each firing of a schedule; its primary key makes a firing happen once. */
import { sql } from 'kysely';
import type { JobParameters, Key } from '../../domain/job.ts';
import type { Db, Schema } from '../schema.ts';
import { UNSUCCESSFUL } from '../status-sql.ts';

export type FiringOutcome = Schema['schedule_firings']['outcome'];
export type Firing = {
  readonly schedule: string;
  readonly nominal_time: Date;
  readonly job_id: number | null;
  readonly outcome: FiringOutcome;
  readonly detail: string | null;
  readonly at: Date;
};

export async function findFiring(
  db: Db,
  of: { schedule: string; nominalTime: Date },
): Promise<Firing | undefined> {
  return await db
    .selectFrom('schedule_firings')
    .selectAll()
    .where('schedule', '=', of.schedule)
    .where('nominal_time', '=', of.nominalTime)
    .executeTakeFirst();
}

export async function insertFiring(db: Db, firing: Omit<Firing, 'at'>): Promise<void> {
  await db.insertInto('schedule_firings').values(firing).execute();
}

/** The newest firings of every given schedule, newest first, at most `each` per schedule. */
export async function listFirings(db: Db, schedules: readonly string[], each: number): Promise<Firing[]> {
  if (schedules.length === 0) return [];
  return await db
    .selectFrom((from) =>
      from
        .selectFrom('schedule_firings')
        .selectAll()
        .select((eb) =>
          eb.fn
            .agg<number>('row_number')
            .over((over) => over.partitionBy('schedule').orderBy('nominal_time', 'desc'))
            .as('nth'),
        )
        .where('schedule', 'in', schedules)
        .as('numbered'),
    )
    .select(['schedule', 'nominal_time', 'job_id', 'outcome', 'detail', 'at'])
    .where('nth', '<=', each)
    .orderBy('nominal_time', 'desc')
    .execute();
}

/** The id of a job with these parameters created at or after a time: it has done the firing's work already. */
export async function findNewerTwin(
  db: Db,
  key: Key,
  parameters: JobParameters,
  since: Date,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('jobs')
    .select('id')
    .where('env', '=', key.env)
    .where('target', '=', key.target)
    .where('action_name', '=', parameters.action_name)
    .where('action', '=', parameters.action)
    .where('is_tag', '=', parameters.is_tag)
    .where('options', '=', parameters.options)
    .where('mam_main_query', 'is not distinct from', parameters.mam_main_query)
    .where('created_at', '>=', since)
    .where(sql<boolean>`status NOT IN ${UNSUCCESSFUL}`)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}
