/** The database's clock: api processes compare times by it, whatever their own clocks say. */
import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** Clocks drift by milliseconds in this time. */
const EVERY_MS = 60_000;

/** Between two looks this machine's monotonic clock carries it on: nobody sets that one. */
type Look = { readonly time: number; readonly at: number };
const looks = new WeakMap<Db, Look>();
const asked = new WeakMap<Db, number>();

/** Looks at the database's clock, once it can be reached at the start and every minute after. */
export async function readDatabaseClock(db: Db): Promise<void> {
  asked.set(db, performance.now());
  const { rows } = await sql<{ time: number }>`
    SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS time`.execute(db);
  // The answer's way back is in it: so it is late by that, never early.
  if (rows[0]) looks.set(db, { time: rows[0].time, at: performance.now() });
}

/**
 * The time by the database's clock. Never waits: while Postgres is away it goes on from the last look, and is this
 * machine's own before the first.
 */
export function databaseTime(db: Db): Date {
  const now = performance.now();
  const last = asked.get(db);
  // A failure changes nothing: what is known goes on, and the next minute asks again.
  if (last === undefined || now - last > EVERY_MS) readDatabaseClock(db).catch(() => undefined);
  const look = looks.get(db);
  return look ? new Date(look.time + now - look.at) : new Date();
}
