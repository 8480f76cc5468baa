/**
 * Which schedules are paused according to Temporal, kept for a Temporal that has lost them. Only the reconciler
 * writes it.
 */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Notes of paused schedules, by their ids. */
export async function readPauses(db: Db): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ schedule: string; note: string }>`
    SELECT schedule, note FROM schedule_pauses`.execute(db);
  return new Map(rows.map(({ schedule, note }) => [schedule, note]));
}

/** @param note undefined: the schedule is not paused (any more) */
export async function writePause(db: Db, schedule: string, note: string | undefined): Promise<void> {
  if (note === undefined) await sql`DELETE FROM schedule_pauses WHERE schedule = ${schedule}`.execute(db);
  else
    await sql`INSERT INTO schedule_pauses (schedule, note) VALUES (${schedule}, ${note})
      ON CONFLICT (schedule) DO UPDATE SET note = ${note}`.execute(db);
}
