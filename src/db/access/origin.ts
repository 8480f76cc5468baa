/** Finds the first job of a chain of resumes: a program does certain work once for the whole chain. */
import { sql } from 'kysely';
import type { Db, JobRow } from '../schema.ts';

/** The job's own uid if it resumes none. The purge keeps every job that another one resumes. */
export async function readOriginUid(db: Db, job: Pick<JobRow, 'uid' | 'resumes'>): Promise<string> {
  if (job.resumes === null) return job.uid;
  const { rows } = await sql<{ uid: string }>`
    WITH RECURSIVE line AS (
      SELECT uid, resumes FROM jobs WHERE id = ${job.resumes}
      UNION ALL
      SELECT j.uid, j.resumes FROM line JOIN jobs j ON j.id = line.resumes
    )
    SELECT uid FROM line WHERE resumes IS NULL`.execute(db);
  return rows[0]?.uid ?? job.uid;
}
