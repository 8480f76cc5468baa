/**
 * A step that runs for seven days while its worker restarts every six hours, on the time-skipping server: real
 * workflows, real activities, a real program. The time cannot be skipped while a watch heartbeats in real time, so
 * the hours pass while no worker runs; the program runs through them all. Only that server's clock skips, so the
 * record in Postgres is dated back by as much.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { sql } from 'kysely';
import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { readInstallation } from '../../src/db/migrate.ts';
import { workflowId } from '../../src/domain/names.ts';
import { NO_LIMITS } from '../../src/domain/source-limit.ts';
import {
  SEARCH_ATTRIBUTES,
  type SearchAttribute,
  TASK_QUEUE,
  WATCH_TASK_QUEUE,
} from '../../src/domain/workflow.ts';
import { loadJobParams } from '../../src/job-params/load.ts';
import { readSupervisor } from '../../src/runner/process/run-folder.ts';
import { SECRET, type System, startSystem } from '../support/system.ts';
import { timeSkippingServer } from '../support/time-skipping-server.ts';

const RESTARTS = 28;
const BETWEEN_HOURS = 6;
const SEVEN_DAYS_MS = 7 * 24 * 3_600_000;
/** docs/faults.md row 45. */
const MOST_EVENTS = 500;
const MOST_BYTES = 1_000_000;

/** Skipping takes milliseconds: after this long something blocks it. */
const HELD_MS = 5_000;

const UNTIL_FILE = path.resolve(import.meta.dirname, '../support/programs/until-file.ts');
let dir: string;
let over: string;
let executable: string;
let skipping: TestWorkflowEnvironment;
let system: System;
let stop: () => Promise<void> = () => Promise.resolve();
/** Cuts the calls of a hanging run: a call retried after its connection closed would throw uncaught. */
let calls: AbortController;

beforeAll(async () => {
  executable = await timeSkippingServer((line) => console.log(`[test] ${line}`));
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}, 360_000);

beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-long-haul-'));
  over = path.join(dir, 'over');
  calls = new AbortController();
  skipping = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: executable } },
  });
  system = await startSystem({
    temporal: { address: skipping.address, namespace: 'default' },
    params: [
      [
        'dev/long-sync.public_params',
        'TARGET=long\nENV=dev\nACTION_NAME=sync\nACTION=sync\nIS_TAG=latest\nTIMEOUT=200h\n' +
          `OPTIONS=${over}\nCOMMAND=node ${UNTIL_FILE}\n`,
      ],
    ],
  });
  // A real worker lists schedules at its start, which this server does not support.
  await skipping.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, type === 'INT' ? 3 : 2]),
    ),
  });
});
afterEach(async () => {
  calls.abort();
  await stop();
  await system[Symbol.asyncDispose]();
  await skipping.teardown();
  rmSync(dir, { recursive: true, force: true });
});

/**
 * The worker of src/worker.ts without its reconciler.
 * @returns a function that stops it
 */
async function startWorker(): Promise<() => Promise<void>> {
  const environment = inject('workerEnvironment');
  const [codePath = ''] = Object.values(environment).filter((value) => value.endsWith('.js'));
  const activities = createActivities({
    db: system.db,
    temporal: system.temporal,
    searchAttributes: { usable: () => new Set(Object.keys(SEARCH_ATTRIBUTES) as SearchAttribute[]) },
    runner: await system.runner(),
    params: await loadJobParams(system.environment['JOB_PARAMS'] ?? ''),
    installation: await readInstallation(system.db),
    defaults: { runner: 'process', image: 'none' },
    receivers: [],
    publicUrl: undefined,
    secrets: [SECRET],
    reportBaseUrl: 'http://127.0.0.1:9',
    sourceLimits: NO_LIMITS,
    logLimit: 1024 * 1024,
  });
  const shared = {
    connection: skipping.nativeConnection,
    activities,
    shutdownGraceTime: '10 ms',
    shutdownForceTime: '10 s',
  } as const;
  const workers = await Promise.all([
    // No sticky queue: this server would wait for ever for a worker that is gone.
    Worker.create({ ...shared, taskQueue: TASK_QUEUE, workflowBundle: { codePath }, maxCachedWorkflows: 0 }),
    Worker.create({ ...shared, taskQueue: WATCH_TASK_QUEUE }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
}

/**
 * The server stops its clock while an activity is scheduled, attempted or not: this releases one hold. A worker
 * that ended in the middle of an attempt sometimes leaves another; if the time does not advance, that one is
 * released, too.
 */
async function skipHours(): Promise<void> {
  const { testService } = skipping.connection;
  if (!testService) throw new Error('this server cannot skip time');
  let holds = 0;
  const letGo = async () => {
    await testService.unlockTimeSkipping({});
    holds += 1;
  };
  await letGo();
  const slept = skipping.sleep(`${BETWEEN_HOURS} hours`).then(() => true);
  while (!(await Promise.race([slept, wait(HELD_MS, false)]))) await letGo();
  for (; holds > 0; holds -= 1) await testService.lockTimeSkipping({});
}

async function supervisorOf(jobId: number) {
  const [step] = (await system.job(jobId)).steps;
  return await readSupervisor(path.join(system.dataDir, 'runs', step?.name ?? ''));
}

// The library's server stopped answering in two of four whole runs of the suite, and never alone or under load; the
// cause is unknown. So a hanging run is repeated with a new server and everything else new.
test('seven days with a worker restart every six hours stay below 500 events', {
  timeout: 100_000,
  retry: 2,
}, async () => {
  stop = await startWorker();
  const submitted = await system.submit('long', 'sync');
  if (submitted.kind !== 'created') throw new Error(submitted.kind);
  const { id } = submitted.job;
  const beganAt = await skipping.currentTimeMs();
  const handle = system.temporal.client.workflow.getHandle(workflowId({ env: 'dev', target: 'long' }));
  /** Resolves once a watch of the present worker has observed the step, and stored that. */
  const watched = async () => {
    const since = Date.now();
    const observedAt = async () => (await system.job(id)).observed_at?.getTime();
    await expect.poll(observedAt, { timeout: 20_000, interval: 20 }).toBeGreaterThan(since);
  };
  await system.until(id, 'running');
  const eventsAtFirst = (await handle.describe()).historyLength;
  const supervisor = await supervisorOf(id);
  expect(supervisor?.pid).toBeGreaterThan(0);

  for (let restart = 0; restart < RESTARTS; restart++) {
    await stop();
    await skipping.connection.withAbortSignal(calls.signal, skipHours);
    await sql`UPDATE steps SET started_at = started_at - make_interval(hours => ${BETWEEN_HOURS}) WHERE job_id = ${id}`.execute(
      system.db,
    );
    stop = await startWorker();
    await watched();
    // A schedule and a person request the same job meanwhile.
    expect((await system.submit('long', 'sync')).kind).toBe('deduplicated');
    expect((await handle.describe()).historyLength).toBe(eventsAtFirst);
  }
  expect(await skipping.currentTimeMs()).toBeGreaterThan(beganAt + SEVEN_DAYS_MS);
  expect(await supervisorOf(id)).toEqual(supervisor);

  writeFileSync(over, '');
  const job = await system.until(id, 'completed');
  await handle.result();
  const [step] = job.steps;
  expect(job.steps).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
  expect(Date.parse(step?.ended_at ?? '') - Date.parse(step?.started_at ?? '')).toBeGreaterThan(
    SEVEN_DAYS_MS,
  );
  const { events } = await handle.fetchHistory();
  const bytes = JSON.stringify(events).length;
  console.log(`[test] 7 days, ${RESTARTS} restarts: ${events?.length} events, ${bytes} bytes of JSON`);
  expect(events?.length).toBeGreaterThan(10);
  expect(events?.length).toBeLessThan(MOST_EVENTS);
  expect(bytes).toBeLessThan(MOST_BYTES);
});
