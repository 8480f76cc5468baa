/** Keeps the session of a run from survey to the end of a listing, and maps the errors of its database. */
import { HttpFault } from '../../http/http-fault.ts';
import { JobError } from '../../job-error.ts';
import { type ClockReader, createClockReader } from '../source-clock.ts';
import type { SourceClock } from '../source.ts';
import type { Dialect, Part, Snapshot } from './dialect.ts';
import { prepareSession, type Session } from './session.ts';
import { sqlError } from './sql-fault.ts';
import type { SqlSettings } from './sql-settings.ts';

export type Sessions = {
  /** Counts the rows of a part; opens a session if none is open. */
  readonly count: (part: Part) => Promise<number>;
  /** Runs `work` with the open session, or with a new one. @throws HttpFault, JobError */
  readonly use: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
  readonly read: <T>(work: (session: Session) => AsyncIterable<T>) => AsyncGenerator<T>;
  /** Ends the session, also within a statement. */
  readonly close: () => Promise<void>;
  readonly clock: () => SourceClock;
};

export function createSessions(
  settings: SqlSettings,
  dialect: Dialect,
  { shownAs, stop }: { shownAs: string; stop: AbortSignal },
): Sessions {
  const clock = createClockReader();
  let snapshot: Snapshot | null = null;
  let session: Session | null = null;
  /** The last count of this session: survey and reading need the same. */
  let counted: { readonly key: string; readonly rows: number } | null = null;

  async function current(): Promise<Session> {
    stop.throwIfAborted();
    if (session) return session;
    snapshot = await dialect.open();
    stop.throwIfAborted();
    session = await prepareSession(settings, snapshot);
    const { clock: now, lagMs = 0 } = snapshot;
    const { updatedAt, deletedAt } = session.selection;
    const lateMs = Math.max(updatedAt?.lateMs ?? 0, deletedAt?.lateMs ?? 0);
    if (now !== null) hearClock(clock, now, lagMs + lateMs);
    return session;
  }

  async function close(): Promise<void> {
    const ended = snapshot;
    snapshot = session = counted = null;
    await ended?.close();
  }

  function mapped(error: unknown): unknown {
    stop.throwIfAborted();
    if (error instanceof HttpFault || error instanceof JobError) return error;
    return sqlError(dialect.faultOf(error), shownAs, error);
  }

  async function use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await work(await current());
    } catch (error) {
      await close();
      throw mapped(error);
    }
  }

  stop.addEventListener('abort', () => void close(), { once: true });
  return {
    use,
    close,
    clock: clock.read,
    async count(part) {
      const key = JSON.stringify(part);
      if (counted?.key !== key) counted = { key, rows: await use((open) => open.count(part)) };
      return counted.rows;
    },
    async *read(work) {
      try {
        yield* work(await current());
      } catch (error) {
        await close();
        throw mapped(error);
      }
    },
  };
}

/** @param lateMs how late the times of rows may be; the second reading does not count as a wrong clock */
function hearClock(clock: ClockReader, now: Date, lateMs: number): void {
  for (const age of [0, lateMs]) {
    // Whole seconds: a little early is safe.
    const told: Readonly<Record<string, string>> = { date: now.toUTCString(), age: String(age / 1000) };
    clock.hear((name) => told[name] ?? null);
  }
}
