/** Plans and applies in the setup of a program's run. */
import { expect } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import type { PlannedRecord, PlanTold } from './fake-receiver.ts';
import { uidOf } from './attempt.ts';
import type { TestedSink } from '../sinks/conformance/tested-sink.ts';
import type { Ended, Setup } from './setup.ts';

export type Made = {
  readonly uid: string;
  readonly summary: PlanTold;
  readonly records: readonly PlannedRecord[];
};

/** What every sink's setup can do. */
export type Planner = Pick<TestedSink, 'run' | 'receiver'>;

/** A job of the program with its number and uid. */
export async function runJob(
  t: Planner,
  job: number,
  options: string,
  environment: Record<string, string> = {},
): Promise<Ended> {
  return await t.run(`${options} --api_job_id ${job}`, { SYNCRATOR_JOB_UID: uidOf(job), ...environment });
}

/** @param options those of the planned action, which comes first */
export async function makePlan(
  t: Planner,
  job: number,
  options: string,
  environment: Record<string, string> = {},
): Promise<Made> {
  const ended = await runJob(t, job, `plan --of ${options}`, environment);
  expect(ended.code, ended.output).toBe(EXIT.ok);
  const { plan } = t.receiver;
  if (!plan) throw new Error(`no plan was told: ${ended.output}`);
  expect(ended.output).toContain(`apply --plan ${uidOf(job)} --digest ${plan.summary.digest}`);
  return { uid: uidOf(job), ...plan };
}

export async function apply(
  t: Planner,
  job: number,
  { uid, summary }: Pick<Made, 'uid' | 'summary'>,
  environment: Record<string, string> = {},
): Promise<Ended> {
  return await runJob(t, job, `apply --plan ${uid} --digest ${summary.digest}`, environment);
}

export type Trace = Record<string, unknown>;

/** All that a plan must leave as it is: the live rows, the watermark, what is kept, and the history. */
export async function traceOf(t: Setup): Promise<Trace> {
  return {
    rows: await t.md5(),
    sinks: await t.query('SELECT watermark, synced, proven, coarse_times, table_oid FROM syncrator.sinks'),
    kept: await t.query('SELECT * FROM syncrator.kept ORDER BY id'),
    rejected: await t.query('SELECT * FROM syncrator.rejected ORDER BY id'),
    sets: await t.query('SELECT * FROM syncrator.change_sets ORDER BY id'),
    changes: await t.query('SELECT * FROM syncrator.changes ORDER BY change_set, id'),
  };
}

/** Names of the staging tables. */
export async function stagesOf(t: Setup): Promise<string[]> {
  return (await t.tables('syncrator')).filter((name) => name.startsWith('staging'));
}
