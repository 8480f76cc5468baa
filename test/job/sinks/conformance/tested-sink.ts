/** A sink under test, the adapter that makes one, and what the tests of every sink share. */
import { expect } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type FakeRow, someRows } from '../../support/fake-source.ts';
import { type Ended, namesOf, type Setup } from '../../support/setup.ts';

export type TestedSink = AsyncDisposable &
  Pick<Setup, 'source' | 'receiver'> & {
    /** Runs the program in this process. */
    run(options: string, environment?: Record<string, string>): Promise<Ended>;
    /** Starts the program as a child process. */
    spawn(options: string, environment?: Record<string, string>): ReturnType<Setup['spawn']>;
    /** id -> name, as readers see it. */
    names(): Promise<Record<string, string>>;
  };

export type SinkAdapter = {
  /** Starts the server of all tests. */
  start(): Promise<{
    setup(rows?: readonly FakeRow[]): Promise<TestedSink>;
    stop(): Promise<void>;
  }>;
  /** A record that the sink refuses after this, and why. */
  readonly refused: {
    readonly fields: Record<string, unknown>;
    readonly why: RegExp;
    readonly environment?: Record<string, string>;
    prepare?(t: TestedSink): Promise<void>;
  };
  /** A rollback brings back what waited then; otherwise the records that wait go on waiting. */
  readonly rollbackVoidsHeld: boolean;
  /** The setting that names the place, with which a run of another target reaches it too. */
  readonly place: (t: TestedSink) => Record<string, string>;
};

/** Makes the sink of one test. */
export type SetUp = (rows?: readonly FakeRow[]) => Promise<TestedSink>;

export const now = (): string => new Date().toISOString();
export const last = (t: TestedSink) => t.receiver.reports.at(-1);
export const expected = (t: TestedSink) => namesOf(t.source.rows.values());
export const uid = (nth: number): string => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;
export const job = (
  nth: number,
  more: { origin?: number; attempt?: number } = {},
): Record<string, string> => ({
  SYNCRATOR_JOB_UID: uid(nth),
  SYNCRATOR_ORIGIN_UID: uid(more.origin ?? nth),
  SYNCRATOR_ATTEMPT: String(more.attempt ?? 1),
});
export const changed = (count: number, name = 'changed') =>
  someRows(count, now()).map((row) => ({ ...row, name }));

/** Two syncs, by jobs 1 and 2: the second one is bad. */
export async function goodThenBad(t: TestedSink): Promise<void> {
  expect(await t.run('sync --api_job_id 1', job(1))).toMatchObject({ code: EXIT.ok });
  for (const { id } of someRows(2)) t.source.rows.delete(id);
  t.source.put({ id: 'r00009', updated_at: now(), name: 'bad', pages: 1 });
  t.source.put({ id: 'zzz', updated_at: now(), name: 'bad' });
  expect(await t.run('sync --api_job_id 2', job(2))).toMatchObject({ code: EXIT.ok });
}
