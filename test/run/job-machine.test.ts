/** The status machine on a real Postgres: random programs of requests, workflows and reports against a small model. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestCancel } from '../../src/db/cancel.ts';
import { claimJob, findClaimable } from '../../src/db/claim.ts';
import { connect } from '../../src/db/connect.ts';
import { finishJob } from '../../src/db/finish.ts';
import { setMaintenance } from '../../src/db/maintenance.ts';
import { storeReport } from '../../src/db/reports.ts';
import type { Db } from '../../src/db/schema.ts';
import { beginStep, endStep, observeStep } from '../../src/db/steps.ts';
import { type JobRow, submitJob } from '../../src/db/submit.ts';
import { isFinal, type JobStatus } from '../../src/domain/status.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const PROGRAMS = 60;
/** Until all that matters was seen. */
const MOST_PROGRAMS = 600;
const KEYS = ['one', 'two'] as const;
type KeyName = (typeof KEYS)[number];

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 3, applicationName: 'job-machine', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** What the model knows of a job. */
type Job = {
  readonly id: number;
  readonly options: string;
  status: JobStatus;
  run?: { readonly runId: string; readonly startedAt: number };
  abandoned: boolean;
  attempt: 'none' | 'begun' | 'reported' | 'ended';
  seq: number;
};
type Model = {
  paused: boolean;
  clock: number;
  readonly jobs: Map<number, Job>;
  readonly active: Map<KeyName, Job>;
  /** What any program has come to. */
  readonly seen: Set<string>;
};
type Real = { readonly env: string };
type Step = (model: Model, real: Real) => Promise<void>;

/** An operation that fast-check can show, shrink and run again. */
class Operation implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #step: Step;
  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }
  check = () => true;
  async run(model: Model, real: Real) {
    await this.#step(model, real);
    await agree(model, real);
  }
  toString = () => this.#name;
}

/** After every operation each row is as the model has it: so no final one has changed, and no key has two active. */
async function agree(model: Model, { env }: Real) {
  const rows = await db.selectFrom('jobs').selectAll().where('env', '=', env).orderBy('id').execute();
  expect(rows.map(({ id, status, run_id }) => ({ id, status, run_id }))).toEqual(
    [...model.jobs.values()].map(({ id, status, run }) => ({ id, status, run_id: run?.runId ?? null })),
  );
  for (const { status, attempt } of model.jobs.values()) model.seen.add(status).add(attempt);
  const holders = rows.filter(({ status }) => !isFinal(status)).map(({ target }) => target);
  expect(new Set(holders).size).toBe(holders.length);
}

function end(model: Model, job: Job, status: JobStatus) {
  job.status = status;
  for (const [key, holder] of model.active) if (holder === job) model.active.delete(key);
}

const submitOf = (key: KeyName, options: string) =>
  new Operation(`submit ${key} ${options}`, async (model, { env }) => {
    const uid = randomUUID();
    const parameters = { action_name: 'sync', action: 'sync', is_tag: 'v1', options, mam_main_query: null };
    const submission = { env, target: key, parameters, runner: 'process', steps: [], uid } as const;
    const of = { ...submission, trigger: 'api', requestedBy: 'model' } as const;
    const submitted = await submitJob(db, of);
    const holder = model.active.get(key);
    if (holder) {
      const same = holder.options === options && holder.status !== 'cancelling';
      expect(submitted).toMatchObject(
        same ? { kind: 'deduplicated', job: { id: holder.id } } : { kind: 'busy', holder: { id: holder.id } },
      );
      return;
    }
    if (submitted.kind !== 'created')
      throw new Error(`the key is free, and the submit says ${submitted.kind}`);
    const { id } = submitted.job;
    const status = model.paused ? 'waiting' : 'queued';
    const job: Job = { id, options, status, abandoned: false, attempt: 'none', seq: 0 };
    model.jobs.set(id, job);
    model.active.set(key, job);
    // The same uid again is the same job, whatever became of the answer.
    expect(await submitJob(db, of)).toMatchObject({ kind: 'created', job: { id } });
  });

/** @param older by a workflow that began before the one that has the job */
const claimOf = (key: KeyName, older: boolean, abandoned: boolean) =>
  new Operation(
    `claim ${key}${older ? ' late' : ''}${abandoned ? ' of a dead run' : ''}`,
    async (model, { env }) => {
      const seen = await findClaimable(db, { env, target: key });
      const holder = model.active.get(key);
      expect(seen?.id).toBe(holder?.id);
      if (!seen || !holder) return;
      const startedAt = older ? (holder.run?.startedAt ?? model.clock) - 1 : (model.clock += 1);
      const run = { runId: randomUUID(), startedAt };
      const wasDead = abandoned && holder.run !== undefined;
      const claimed = await claim(seen, run, wasDead);
      const fenced = holder.run !== undefined && older;
      if (fenced || (!holder.run && model.paused)) {
        expect(claimed).toBeUndefined();
        return;
      }
      expect(claimed).toMatchObject({ id: holder.id, run_id: run.runId });
      // Whoever saw the row before this claim comes too late, however new its workflow is.
      expect(await claim(seen, { runId: randomUUID(), startedAt: model.clock + 1 }, false)).toBeUndefined();
      if (!holder.run) holder.status = 'starting';
      holder.run = run;
      holder.abandoned ||= wasDead;
    },
  );

function claim(seen: JobRow, run: { runId: string; startedAt: number }, abandoned: boolean) {
  return claimJob(db, seen, { runId: run.runId, runStartedAt: new Date(run.startedAt * 1_000) }, abandoned);
}

const cancelOf = (nth: number) =>
  new Operation(`cancel job ${nth}`, async (model) => {
    const job = pick(model, nth);
    if (!job) return;
    const before = job.status;
    if (!isFinal(before) && before !== 'cancelling') {
      if (job.run) job.status = 'cancelling';
      else end(model, job, 'deleted');
    }
    const effect = before === job.status ? 'none' : job.run ? 'cancelling' : 'ended';
    expect(await requestCancel(db, { id: job.id, principal: 'model' })).toMatchObject({ effect });
  });

const beginOf = (nth: number) =>
  new Operation(`begin the step of job ${nth}`, async (model) => {
    const job = pick(model, nth);
    if (!job?.run) return;
    const name = `model-${job.id}`;
    const ref = { jobId: job.id, step: 0, attempt: 1, runId: job.run.runId, action: 'sync', name };
    const may = ['starting', 'waiting', 'running'].includes(job.status);
    expect((await beginStep(db, ref)).begun).toBe(may);
    if (may && job.attempt === 'none') job.attempt = 'begun';
    const stranger = await beginStep(db, { ...ref, runId: 'of nobody', attempt: 2, name: `${name}-2` });
    expect(stranger).toEqual({ job: undefined, begun: false });
  });

const reportOf = (nth: number, seq: number) =>
  new Operation(`report ${seq} of job ${nth}`, async (model) => {
    const job = pick(model, nth);
    if (!job) return;
    const verdict = await storeReport(db, { jobId: job.id, step: 0, attempt: 1 }, { seq, phase: 'at work' });
    const expected =
      job.attempt === 'none'
        ? 'unknown'
        : job.attempt === 'ended' || isFinal(job.status)
          ? 'ended'
          : job.seq === 0 && job.status === 'cancelling'
            ? 'cancelling'
            : seq <= job.seq
              ? 'stale'
              : 'accepted';
    expect(verdict.kind).toBe(expected);
    if (expected !== 'accepted') return;
    job.seq = seq;
    if (job.status === 'starting' || job.status === 'waiting') job.status = 'running';
  });

const observeOf = (nth: number, state: 'starting' | 'waiting' | 'running') =>
  new Operation(`see job ${nth} ${state}`, async (model) => {
    const job = pick(model, nth);
    if (!job?.run || job.attempt === 'none') return;
    const saw = { runId: job.run.runId, state, reason: null, detail: null };
    const ref = { jobId: job.id, step: 0, attempt: 1 };
    if (job.status === 'starting' || job.status === 'waiting') job.status = state;
    const seen = await observeStep(db, ref, saw);
    expect(seen?.status).toBe(isFinal(job.status) ? undefined : job.status);
    expect(await observeStep(db, ref, { ...saw, runId: 'of nobody' })).toBeUndefined();
  });

const endOf = (nth: number) =>
  new Operation(`end the step of job ${nth}`, async (model) => {
    const job = pick(model, nth);
    if (!job) return;
    await endStep(db, { jobId: job.id, step: 0, attempt: 1 }, { kind: 'completed', diagnosis: null });
    if (job.attempt !== 'none') job.attempt = 'ended';
  });

const FAILED = { code: 'exit_code', summary: '', detail: '', what_to_do: '' };
const finishOf = (nth: number, kind: 'completed' | 'failed' | 'cancelled') =>
  new Operation(`finish job ${nth}: ${kind}`, async (model) => {
    const job = pick(model, nth);
    if (!job) return;
    const outcome = kind === 'failed' ? { kind, diagnosis: FAILED } : { kind };
    // A workflow that no longer has the job, or never had it, ends nothing.
    expect(await finishJob(db, { jobId: job.id, runId: 'of nobody', outcome })).toBeUndefined();
    if (!job.run) return;
    const cancelled = kind === 'cancelled' || (job.status === 'cancelling' && !job.abandoned);
    const final = kind === 'completed' ? kind : cancelled ? 'deleted' : 'failed';
    if (!isFinal(job.status)) end(model, job, final);
    expect(await finishJob(db, { jobId: job.id, runId: job.run.runId, outcome })).toBe(job.status);
  });

const pauseOf = (paused: boolean) =>
  new Operation(paused ? 'pause' : 'go on', async (model) => {
    await setMaintenance(db, { paused, msg: '', principal: 'model' });
    model.paused = paused;
    for (const job of model.active.values()) if (!job.run) job.status = paused ? 'waiting' : 'queued';
  });

/** The nth job, from the newest: what is newest is where most can go wrong. */
function pick({ jobs }: Model, nth: number): Job | undefined {
  return [...jobs.values()].at(-1 - nth);
}

const key = fc.constantFrom(...KEYS);
const nth = fc.constantFrom(0, 0, 0, 1, 1, 2);
const operations = [
  fc.tuple(key, fc.constantFrom('', '--debug')).map((of) => submitOf(...of)),
  fc.tuple(key, fc.boolean(), fc.boolean()).map((of) => claimOf(...of)),
  key.map((of) => claimOf(of, false, false)),
  nth.map(cancelOf),
  nth.map(beginOf),
  fc.tuple(nth, fc.integer({ min: 1, max: 6 })).map((of) => reportOf(...of)),
  fc.tuple(nth, fc.constantFrom('starting', 'waiting', 'running')).map((of) => observeOf(...of)),
  nth.map(endOf),
  fc.tuple(nth, fc.constantFrom('completed', 'failed', 'cancelled')).map((of) => finishOf(...of)),
  fc.boolean().map(pauseOf),
];

/** Where things can go wrong: a search that never comes there is of no use. */
const EVERY = ['waiting', 'cancelling', 'running', 'completed', 'failed', 'deleted', 'ended'];

test('whatever is asked in whatever order, the rows are as the model has them', async () => {
  let programs = 0;
  const seen = new Set<string>();
  const search = (numRuns: number) =>
    fc.assert(
      fc.asyncProperty(fc.commands(operations, { maxCommands: 40, size: '+1' }), async (commands) => {
        const model: Model = { paused: false, clock: 1_000, jobs: new Map(), active: new Map(), seen };
        // Keys of its own, so that what an earlier program left is no part of this one.
        const env = `p${(programs += 1)}`;
        await setMaintenance(db, { paused: false, msg: '', principal: 'model' });
        await fc.asyncModelRun(() => ({ model, real: { env } }), commands);
      }),
      { numRuns },
    );
  await search(PROGRAMS);
  while (programs < MOST_PROGRAMS && EVERY.some((status) => !seen.has(status))) await search(PROGRAMS);
  expect([...seen]).toEqual(expect.arrayContaining(EVERY));
});
