/**
 * From when on each schedule is held to: since it was made, changed or resumed; and which of them Temporal refuses. The
 * reconciler alone writes it.
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
 * What is declared now, and nothing else. One that was there with the same words keeps its time. Safe to repeat.
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

/** Why Temporal refuses them, by their ids; of those alone that it refuses. */
export async function readRefusals(db: Db): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ schedule: string; refused: string }>`
    SELECT schedule, refused FROM schedule_promises WHERE refused IS NOT NULL`.execute(db);
  return new Map(rows.map(({ schedule, refused }) => [schedule, refused]));
}

/** These are refused now, and no others. Safe to repeat. */
export async function writeRefusals(db: Db, refusals: ReadonlyMap<string, string>): Promise<void> {
  await sql`
    UPDATE schedule_promises was SET refused = now.refused
    FROM (SELECT schedule, said.refused FROM schedule_promises
      LEFT JOIN unnest(${[...refusals.keys()]}::text[], ${[...refusals.values()]}::text[]) AS said(schedule, refused)
      USING (schedule)) now
    WHERE now.schedule = was.schedule AND now.refused IS DISTINCT FROM was.refused`.execute(db);
}

/** It was paused until now: what it left out was not promised. */
export async function resetBaseline(db: Db, schedule: string): Promise<void> {
  await sql`UPDATE schedule_promises SET since = now() WHERE schedule = ${schedule}`.execute(db);
}
