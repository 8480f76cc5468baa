/** A job's progress over time: its reports, thinned where there are many. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

export type ReportPoint = {
  readonly step: number;
  readonly attempt: number;
  readonly at: Date;
  readonly phase: string;
  readonly records_done: number | null;
  readonly records_total: number | null;
};

/**
 * In the order of steps, attempts and reports; at most `most`. Always includes the first and the last of each
 * attempt, so that every curve keeps its ends; the remaining points are spread evenly over the others.
 */
export async function listReportPoints(db: Db, jobId: number, most: number): Promise<ReportPoint[]> {
  const { rows } = await sql<ReportPoint>`
    WITH told AS (
      SELECT step, attempt, seq, at, phase, records_done, records_total,
        row_number() OVER up = 1 OR row_number() OVER down = 1 AS is_end
      FROM reports WHERE job_id = ${jobId}
      WINDOW up AS (PARTITION BY step, attempt ORDER BY seq),
        down AS (PARTITION BY step, attempt ORDER BY seq DESC)
    ), counted AS (
      SELECT *, row_number() OVER (PARTITION BY is_end ORDER BY step, attempt, seq) AS nth,
        count(*) OVER (PARTITION BY is_end) AS of_kind,
        greatest(${most}::bigint - count(*) FILTER (WHERE is_end) OVER (), 0) AS room
      FROM told
    )
    SELECT step, attempt, at, phase, records_done, records_total FROM counted
    -- Of n there are taken those at which the count of taken ones grows: exactly the room, evenly.
    WHERE is_end OR of_kind <= room OR nth * room / of_kind > (nth - 1) * room / of_kind
    ORDER BY step, attempt, seq`.execute(db);
  return rows;
}
