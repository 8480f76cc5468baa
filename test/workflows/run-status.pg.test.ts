/** Temporal's status of each run agrees with the record of its job, and so do its filters, counts and metrics. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { requestCancel } from '../../src/db/jobs/cancel.ts';
import { workflowId } from '../../src/domain/names.ts';
import { cancel } from '../../src/engine/cancel.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { describeRun } from '../../src/temporal/describe.ts';
import { params, startSystem, type System } from '../support/system.ts';

const PATIENT = { timeout: 20_000 };
const JOB_ID = defineSearchAttributeKey('SyncratorJobId', SearchAttributeType.INT);
const byNumber = (a = 0, b = 0) => a - b;
/** The cancelled job whose run had a successor, which Temporal calls ContinuedAsNew. */
let followed: number | undefined;
let system: System;

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('good', 'sync', '--mute'),
      params('bad', 'sync', '--mute --exit 1'),
      params('poked', 'sync', '--mute --exit 1'),
      params('poked-again', 'sync', '--mute --seconds 60'),
      params('late', 'sync', '--mute --seconds 60', 'TIMEOUT=1s\n'),
      params('asked', 'sync', '--mute --seconds 60'),
      params('unheard', 'sync', '--mute --seconds 60'),
      params('web-ui', 'sync', '--mute --seconds 60'),
      params('terminated', 'sync', '--mute --seconds 60'),
    ],
  });
  await system.startWorker('test/support/breakpoint-worker.ts', {
    HOLD_AT: JSON.stringify({ poked: 'forget:before:1', 'poked-again': 'forget:before:1' }),
  });
});
afterAll(() => system[Symbol.asyncDispose]());

async function submitted(target: string) {
  const result = await system.submit(target, 'sync');
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.job.id;
}

async function cancelOnceItRuns(id: number) {
  await system.until(id, 'running');
  await cancel(system, { id, principal: 'test' });
}

/** The run that has, or had, the job. */
async function runOf(id = 0) {
  const {
    env,
    target,
    run_id: runId,
  } = await system.db
    .selectFrom('jobs')
    .select(['env', 'target', 'run_id'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { env, target, runId: runId ?? '' };
}
type Run = Awaited<ReturnType<typeof runOf>>;

const handleOf = (run: Run) =>
  system.temporal.client.workflow.getHandle(workflowId(run), run.runId, { followRuns: false });

/** The run, once it is closed. */
async function closed(run: Run) {
  await vi.waitFor(
    async () => expect((await handleOf(run).describe()).status.name).not.toBe('RUNNING'),
    PATIENT,
  );
  return await handleOf(run).describe();
}

async function closing(run: Run) {
  await closed(run);
  return (await handleOf(run).fetchHistory()).events?.at(-1) ?? {};
}

async function beginning(run: Run) {
  const { events } = await handleOf(run).fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
}

async function stateOf(id: number) {
  const run = await runOf(id);
  const { status } = await closed(run);
  const message = (await closing(run)).workflowExecutionFailedEventAttributes?.failure?.message;
  return { status: status.name, message, seen: await describeRun(system.temporal, run, run.runId) };
}

/** The jobs that a filter of the Web UI shows. */
async function listed(query: string) {
  const ids: (number | undefined)[] = [];
  for await (const { typedSearchAttributes } of system.temporal.client.workflow.list({ query }))
    ids.push(typedSearchAttributes.get(JOB_ID));
  return ids.toSorted(byNumber);
}

async function recorded(status: 'failed' | 'deleted' | 'completed') {
  const rows = await system.db.selectFrom('jobs').select('id').where('status', '=', status).execute();
  return rows.map(({ id }) => id).toSorted(byNumber);
}

// Each test has its own targets.
describe.concurrent('while one worker runs', () => {
  test('the run of a job closes as Completed, Failed or Canceled, as its job ended', {
    timeout: 120_000,
  }, async () => {
    const good = await submitted('good');
    const bad = await submitted('bad');
    const late = await submitted('late');
    await system.until(good, 'completed');
    await system.until(bad, 'failed');
    await system.until(late, 'failed');
    expect(await stateOf(good)).toMatchObject({ status: 'COMPLETED', seen: 'closed' });
    expect(await stateOf(bad)).toEqual({
      status: 'FAILED',
      message: 'exit_code: The program ended with exit code 1.',
      seen: 'closed', // not killed: a database that forgot the end continues the job
    });
    expect((await stateOf(late)).message).toMatch(/^deadline: /);

    const asked = await submitted('asked');
    await system.until(asked, 'running');
    await cancel(system, { id: asked, principal: 'test' });
    await system.until(asked, 'deleted');
    expect(await stateOf(asked)).toMatchObject({ status: 'CANCELLED', seen: 'closed' });

    const inWebUi = await submitted('web-ui');
    await system.until(inWebUi, 'running');
    await system.temporal.client.workflow.getHandle(workflowId({ env: 'dev', target: 'web-ui' })).cancel();
    await system.until(inWebUi, 'deleted');
    expect((await stateOf(inWebUi)).status).toBe('CANCELLED');
  });

  test('a cancel whose request Temporal never got still closes the run as Canceled', async () => {
    const id = await submitted('unheard');
    await system.until(id, 'running');
    await requestCancel(system.db, { id, principal: 'test' });
    await system.until(id, 'deleted');
    expect((await stateOf(id)).status).toBe('CANCELLED');
  });

  test('the run that takes over from a terminated one fails its job and closes as Failed', {
    timeout: 90_000,
  }, async () => {
    const id = await submitted('terminated');
    await system.until(id, 'running');
    await system.temporal.client.workflow
      .getHandle(workflowId({ env: 'dev', target: 'terminated' }))
      .terminate('by a test');
    await system.until(id, 'failed', 80_000);
    expect(await stateOf(id)).toMatchObject({
      status: 'FAILED',
      message: expect.stringMatching(/^workflow_terminated: /) as string,
    });
  });

  test('a run that was poked as its job ended is followed by the next, without the reconciler', {
    timeout: 90_000,
  }, async () => {
    const ends = { poked: 'failed', 'poked-again': 'deleted' };
    const first = new Map<string, number>();
    for (const target of Object.keys(ends)) first.set(target, await submitted(target));
    for (const [target, id] of first) if (target === 'poked-again') await cancelOnceItRuns(id);
    // The end is stored, and the run is still open.
    for (const target of Object.keys(ends))
      await vi.waitUntil(() => existsSync(path.join(system.dataDir, 'held', target)), PATIENT);
    const second = new Map<string, number>();
    for (const target of Object.keys(ends)) second.set(target, await submitted(target));
    await writeFile(path.join(system.dataDir, 'release'), '');
    for (const [target, id] of second) {
      if (target === 'poked-again') await cancelOnceItRuns(id);
      await system.until(id, ends[target as keyof typeof ends]);
    }

    const [failed, next] = [await runOf(first.get('poked')), await runOf(second.get('poked'))];
    expect(await stateOf(first.get('poked') ?? 0)).toMatchObject({
      status: 'FAILED',
      message: expect.stringMatching(/^exit_code: /) as string,
      seen: 'closed',
    });
    expect((await closing(failed)).workflowExecutionFailedEventAttributes?.newExecutionRunId).toBe(
      next.runId,
    );
    expect(tsToMs((await beginning(next)).firstWorkflowTaskBackoff)).toBeLessThan(1_100); // rounded to a second
    followed = first.get('poked-again');
    const [cancelled, then] = [await runOf(first.get('poked-again')), await runOf(second.get('poked-again'))];
    expect((await closing(cancelled)).workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId).toBe(
      then.runId,
    );
    // A run that continues as new may fail, be poked and be followed, too.
    const { retryPolicy } = await beginning(then);
    expect(retryPolicy).toBeTruthy();
    expect(retryPolicy).toEqual((await beginning(cancelled)).retryPolicy);
  });
});

test('the filters of the Web UI list exactly the jobs that failed or were deleted', async () => {
  const failed = await recorded('failed');
  expect(failed.length).toBeGreaterThan(3);
  await expect.poll(() => listed('ExecutionStatus="Failed"')).toEqual(failed);
  const cancelled = (await recorded('deleted')).filter((id) => id !== followed);
  await expect.poll(() => listed('ExecutionStatus="Canceled"')).toEqual(cancelled);
  await expect.poll(() => listed('ExecutionStatus="Running"')).toEqual([]);
});

test('the metrics of the SDK count a failed job, and the log has no warning and no stack for it', async () => {
  await system.endParts('breakpoint-worker.ts');
  const port = String(await freePort());
  const settings = { LOG_LEVEL: 'debug', TEMPORAL_METRICS_PORT: port };
  const worker = await system.startWorker('src/worker.ts', settings);
  await system.until(await submitted('bad'), 'failed');
  const lines = () =>
    worker
      .output()
      .split('\n')
      .filter((line) => line.includes('Workflow failed'));
  await expect.poll(() => lines().length, PATIENT).toBe(1);
  expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
    level: 20,
    failure: expect.stringMatching(/^exit_code: /) as string,
  });
  expect(lines()[0]).not.toContain('stack');
  const told = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await expect.poll(told, PATIENT).toMatch(/^temporal_workflow_failed\{.*workflow_type="runJob".*\} 1$/m);
});
