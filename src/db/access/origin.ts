/** Which job a chain of resumes began with: what its program did once is not done again under another number. */
import { sql } from 'kysely';
import type { Db, JobRow } from '../schema.ts';

/** Its own uid, if it resumes none. A job that another one resumes is never purged. */
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
