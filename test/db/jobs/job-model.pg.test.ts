/**
 * The state machine (src/domain/status.ts) on a real Postgres: random programs of requests, workflows, executors
 * and reports, compared with a small model. Every move of a row must be one of the machine's, and each move of the
 * machine is made once.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from 'kysely';
import { requestCancel } from '../../../src/db/jobs/cancel.ts';
import { claimJob, findClaimable } from '../../../src/db/jobs/claim.ts';
import { connect } from '../../../src/db/connect.ts';
import { recordExecutorUpdate } from '../../../src/db/jobs/executor-updates.ts';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { setMaintenance } from '../../../src/db/maintenance.ts';
import { storeReport } from '../../../src/db/jobs/reports.ts';
import type { Db, JobRow } from '../../../src/db/schema.ts';
import { ACTIVE } from '../../../src/db/status-sql.ts';
import { beginStep, endStep, observeStep } from '../../../src/db/jobs/steps.ts';
import { submitJob } from '../../../src/db/jobs/submit.ts';
import { canMove, type Driver, isFinal, JOB_STATUSES, type JobStatus } from '../../../src/domain/status.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const PROGRAMS = 60;
/** The jobs of the last key have RUNNER=external. */
const KEYS = ['one', 'two', 'outside'] as const;
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

/** A job in the model. */
type Job = {
  readonly id: number;
  readonly options: string;
  readonly driver: Driver;
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
  /** The moves of rows in all programs, such as `workflow queued → starting`. */
  readonly moves: Set<string>;
};
/** `last`: the status of each row after the operation before. */
type Real = { readonly env: string; readonly last: Map<number, JobStatus> };
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

/** After every operation each row equals the model's and moved as the machine allows; no key has two active jobs. */
async function agree(model: Model, { env, last }: Real) {
  const rows = await db.selectFrom('jobs').selectAll().where('env', '=', env).orderBy('id').execute();
  expect(rows.map(({ id, status, run_id }) => ({ id, status, run_id }))).toEqual(
    [...model.jobs.values()].map(({ id, status, run }) => ({ id, status, run_id: run?.runId ?? null })),
  );
  for (const { id, status, runner } of rows) {
    const driver = runner === 'external' ? 'executor' : 'workflow';
    const before = last.get(id);
    if (before !== undefined && before !== status) {
      expect({ driver, before, status, allowed: canMove(before, status, driver) }).toMatchObject({
        allowed: true,
      });
      model.moves.add(move(driver, before, status));
    }
    last.set(id, status);
  }
  const holders = rows.filter(({ status }) => !isFinal(status)).map(({ target }) => target);
  expect(new Set(holders).size).toBe(holders.length);
}

function move(driver: Driver, from: JobStatus, to: JobStatus): string {
  return `${driver} ${from} → ${to}`;
}

function end(model: Model, job: Job, status: JobStatus) {
  job.status = status;
  for (const [key, holder] of model.active) if (holder === job) model.active.delete(key);
}

const submitOf = (key: KeyName, options: string) =>
  new Operation(`submit ${key} ${options}`, async (model, { env }) => {
    const uid = randomUUID();
    const parameters = { action_name: 'sync', action: 'sync', is_tag: 'v1', options, mam_main_query: null };
    const isExternal = key === 'outside';
    const runner = isExternal ? ('external' as const) : ('process' as const);
    const submission = { env, target: key, parameters, runner, steps: [], uid };
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
    const status = model.paused && !isExternal ? 'waiting' : 'queued';
    const driver = isExternal ? 'executor' : 'workflow';
    const job: Job = { id, options, driver, status, abandoned: false, attempt: 'none', seq: 0 };
    model.jobs.set(id, job);
    model.active.set(key, job);
    // The same uid again is the same job, whatever the answer was.
    expect(await submitJob(db, of)).toMatchObject({ kind: 'created', job: { id } });
  });

/** @param older by a workflow that began before the one that has the job */
const claimOf = (key: KeyName, older: boolean, abandoned: boolean) =>
  new Operation(
    `claim ${key}${older ? ' late' : ''}${abandoned ? ' of a dead run' : ''}`,
    async (model, { env }) => {
      const seen = await findClaimable(db, { env, target: key });
      const holder = key === 'outside' ? undefined : model.active.get(key);
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
      // A claim based on an earlier read comes too late, however new its workflow is.
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
    // A workflow that does not have the job ends nothing.
    expect(await finishJob(db, { jobId: job.id, runId: 'of nobody', outcome })).toBeUndefined();
    if (!job.run) return;
    const cancelled = kind === 'cancelled' || (job.status === 'cancelling' && !job.abandoned);
    const final = kind === 'completed' ? kind : cancelled ? 'deleted' : 'failed';
    const isNew = !isFinal(job.status);
    if (isNew) end(model, job, final);
    const finished = await finishJob(db, { jobId: job.id, runId: job.run.runId, outcome });
    expect(finished).toEqual({ status: job.status, isNew, source: null });
  });

const pauseOf = (paused: boolean) =>
  new Operation(paused ? 'pause' : 'go on', async (model) => {
    await setMaintenance(db, { paused, msg: '', principal: 'model' });
    model.paused = paused;
    for (const job of model.active.values())
      if (!job.run && job.driver === 'workflow') job.status = paused ? 'waiting' : 'queued';
  });

const KEEP = { head: 1_000, tail: 1_000 };
const updateOf = (nth: number, status: string) =>
  new Operation(`the executor of job ${nth} says ${status}`, async (model) => {
    const job = pick(model, nth);
    if (!job) return;
    const input = { id: job.id, word: { status }, keep: KEEP, principal: 'model' };
    const { kind } = await recordExecutorUpdate(db, input);
    const isOver = isFinal(job.status);
    expect(kind).toBe(job.driver === 'workflow' ? 'not_external' : isOver ? 'final' : 'updated');
    if (kind !== 'updated') return;
    if (status === 'completed' || status === 'failed') end(model, job, status);
    else job.status = 'running';
  });

/** The nth job, newest first: the newest one has most of the faults. */
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
  fc.tuple(nth, fc.constantFrom('working', 'completed', 'failed')).map((of) => updateOf(...of)),
];

const newModel = (moves: Set<string>): Model => ({
  paused: false,
  clock: 1_000,
  jobs: new Map(),
  active: new Map(),
  moves,
});

let programs = 0;
/** Each program has its own env, because earlier programs leave jobs behind. */
async function newReal(): Promise<Real> {
  await setMaintenance(db, { paused: false, msg: '', principal: 'model' });
  return { env: `p${(programs += 1)}`, last: new Map() };
}

test('in any order of requests, rows only move as the state machine allows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(operations, { maxCommands: 40, size: '+1' }), async (commands) => {
      const real = await newReal();
      await fc.asyncModelRun(() => ({ model: newModel(new Set()), real }), commands);
    }),
    { numRuns: PROGRAMS },
  );
});

const STARTING = [submitOf('one', ''), claimOf('one', false, false), beginOf(0)];
/** How a job gets into a status; the newest job is number 0. */
const WAYS: Record<Driver, Partial<Record<JobStatus, readonly Operation[]>>> = {
  workflow: {
    queued: [submitOf('one', '')],
    starting: STARTING,
    waiting: [...STARTING, observeOf(0, 'waiting')],
    running: [...STARTING, observeOf(0, 'running')],
    cancelling: [...STARTING, cancelOf(0)],
  },
  executor: {
    queued: [submitOf('outside', '')],
    running: [submitOf('outside', ''), updateOf(0, 'working')],
  },
};

/** The operations that move the newest job from one status to another. */
function stepsTo(driver: Driver, from: JobStatus, to: JobStatus): readonly Operation[] {
  if (driver === 'executor') return to === 'deleted' ? [cancelOf(0)] : [updateOf(0, to)];
  if (from === 'queued')
    return to === 'waiting'
      ? [pauseOf(true)]
      : to === 'starting'
        ? [claimOf('one', false, false)]
        : [cancelOf(0)];
  if (to === 'starting' || to === 'waiting' || to === 'running') return [observeOf(0, to)];
  if (to === 'cancelling') return [cancelOf(0)];
  // A cancelled job fails only if its workflow was terminated.
  const abandon = from === 'cancelling' && to === 'failed' ? [claimOf('one', false, true)] : [];
  return [...abandon, finishOf(0, to === 'deleted' ? 'cancelled' : to === 'failed' ? to : 'completed')];
}

const EVERY_MOVE = (['workflow', 'executor'] as const).flatMap((driver) =>
  JOB_STATUSES.flatMap((from) =>
    JOB_STATUSES.filter((to) => canMove(from, to, driver)).map((to) => [driver, from, to] as const),
  ),
);

test.each(EVERY_MOVE)('the statements move a job of a %s from %s to %s', async (driver, from, to) => {
  const program =
    to === 'queued'
      ? [pauseOf(true), submitOf('one', ''), pauseOf(false)]
      : [...(WAYS[driver][from] ?? []), ...stepsTo(driver, from, to)];
  const model = newModel(new Set());
  const real = await newReal();
  for (const operation of program) await operation.run(model, real);
  expect([...model.moves]).toContain(move(driver, from, to));
});

test('the list of active statuses matches the partial index that finds the job of a key', async () => {
  await db.transaction().execute(async (tx) => {
    await sql`SET LOCAL enable_seqscan = off`.execute(tx);
    const { rows } = await sql<{ 'QUERY PLAN': string }>`
      EXPLAIN SELECT id FROM jobs WHERE env = 'x' AND target = 'y' AND status IN ${ACTIVE}`.execute(tx);
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('jobs_one_active');
  });
});
