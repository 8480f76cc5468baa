/** The database's clock: all api processes compare times by it, whatever their own clocks say. */
import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** Clocks drift apart by milliseconds in this time. */
const EVERY_MS = 60_000;

/** Carries the time on between two looks: nobody sets a monotonic clock. */
type Look = { readonly time: number; readonly at: number };
const looks = new WeakMap<Db, Look>();
const asked = new WeakMap<Db, number>();

/** Looks at the database's clock at the start, once Postgres answers, and every minute after. */
export async function readDatabaseClock(db: Db): Promise<void> {
  asked.set(db, performance.now());
  const { rows } = await sql<{ time: number }>`
    SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS time`.execute(db);
  // The answer takes time to arrive: this clock may be late by that, never early.
  if (rows[0]) looks.set(db, { time: rows[0].time, at: performance.now() });
}

/**
 * The time by the database's clock. Never waits: while Postgres is away it continues from the last look. Before the
 * first look it is this machine's own time.
 */
export function databaseTime(db: Db): Date {
  const now = performance.now();
  const last = asked.get(db);
  // A failed look changes nothing: the next minute asks again.
  if (last === undefined || now - last > EVERY_MS) readDatabaseClock(db).catch(() => undefined);
  const look = looks.get(db);
  return look ? new Date(look.time + now - look.at) : new Date();
}
