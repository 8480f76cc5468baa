/** From when on each schedule is held to: since it was made, changed or resumed. The reconciler alone writes it. */
import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** By their ids. */
export async function readPromises(db: Db): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await sql<{ schedule: string; since: Date }>`
    SELECT schedule, since FROM schedule_promises`.execute(db);
  return new Map(rows.map(({ schedule, since }) => [schedule, since]));
}

/**
 * What is declared now, and nothing else. One that was there with the same words keeps its time. Safe to repeat.
 * @param declared words by id
 */
export async function writePromises(db: Db, declared: ReadonlyMap<string, string>): Promise<void> {
  const ids = [...declared.keys()];
  await sql`DELETE FROM schedule_promises WHERE schedule <> ALL(${ids}::text[])`.execute(db);
  await sql`
    INSERT INTO schedule_promises AS was (schedule, text)
    SELECT * FROM unnest(${ids}::text[], ${[...declared.values()]}::text[]) AS declared(schedule, text)
    ON CONFLICT (schedule) DO UPDATE SET text = excluded.text,
      since = CASE WHEN was.text IS NULL THEN was.since ELSE excluded.since END
    WHERE was.text IS DISTINCT FROM excluded.text`.execute(db);
}

/** It was paused until now: what it left out was not promised. */
export async function renewPromise(db: Db, schedule: string): Promise<void> {
  await sql`UPDATE schedule_promises SET since = now() WHERE schedule = ${schedule}`.execute(db);
}
