/**
 * The time from which each schedule promises firings: since it was created, changed or resumed; and which schedules
 * Temporal refuses. Only the reconciler writes it.
 */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** By their ids. */
export async function readBaselines(db: Db): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await sql<{ schedule: string; since: Date }>`
    SELECT schedule, since FROM schedule_promises`.execute(db);
  return new Map(rows.map(({ schedule, since }) => [schedule, since]));
}

/**
 * Stores what is declared now, and removes the rest. An unchanged schedule keeps its time. Safe to repeat.
 * @param declared words by id
 */
export async function writeBaselines(db: Db, declared: ReadonlyMap<string, string>): Promise<void> {
  const ids = [...declared.keys()];
  await sql`DELETE FROM schedule_promises WHERE schedule <> ALL(${ids}::text[])`.execute(db);
  await sql`
    INSERT INTO schedule_promises AS was (schedule, text)
    SELECT * FROM unnest(${ids}::text[], ${[...declared.values()]}::text[]) AS declared(schedule, text)
    ON CONFLICT (schedule) DO UPDATE SET text = excluded.text,
      since = CASE WHEN was.text IS NULL THEN was.since ELSE excluded.since END
    WHERE was.text IS DISTINCT FROM excluded.text`.execute(db);
}

/** Why Temporal refuses schedules, by their ids; accepted ones are left out. */
export async function readRefusals(db: Db): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ schedule: string; refused: string }>`
    SELECT schedule, refused FROM schedule_promises WHERE refused IS NOT NULL`.execute(db);
  return new Map(rows.map(({ schedule, refused }) => [schedule, refused]));
}

/** Stores which schedules are refused now; all others are accepted. Safe to repeat. */
export async function writeRefusals(db: Db, refusals: ReadonlyMap<string, string>): Promise<void> {
  await sql`
    UPDATE schedule_promises was SET refused = now.refused
    FROM (SELECT schedule, said.refused FROM schedule_promises
      LEFT JOIN unnest(${[...refusals.keys()]}::text[], ${[...refusals.values()]}::text[]) AS said(schedule, refused)
      USING (schedule)) now
    WHERE now.schedule = was.schedule AND now.refused IS DISTINCT FROM was.refused`.execute(db);
}

/** Restarts the time of a schedule that was paused: firings during the pause were not promised. */
export async function resetBaseline(db: Db, schedule: string): Promise<void> {
  await sql`UPDATE schedule_promises SET since = now() WHERE schedule = ${schedule}`.execute(db);
}
