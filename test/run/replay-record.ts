/**
 * Records what test/check/replay.test.ts replays: `npx node test/run/replay-record.ts [case ...]`. Servers and workers
 * are its own. Record one more case whenever a workflow changes; never re-record an old one to make a replay pass.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Rig, startRig } from '../../bench/rig.ts';
import type { ParamsFile } from '../support/params-files.ts';
import { workflowId } from '../../src/domain/names.ts';
import type { Notice } from '../../src/domain/notice.ts';
import { NOTIFY, TASK_QUEUE } from '../../src/domain/workflow.ts';
import { cancel } from '../../src/temporal/cancel.ts';
import { poke } from '../../src/temporal/poke.ts';
import { historyToJson } from '../histories/json.ts';

const HISTORIES = path.resolve(import.meta.dirname, '../histories');

/** The runs of a case by the name of their file. */
type Recorded = Record<string, { readonly workflowId: string; readonly runId: string }>;

const PARAMS: readonly ParamsFile[] = [
  { target: 'sync', action: 'sync', options: '--mute' },
  { target: 'diff', action: 'delta', options: '--mute' },
  { target: 'diff', action: 'delete', options: '--mute' },
  { target: 'failed-diff', action: 'delta', options: '--mute --exit 1' },
  { target: 'failed-diff', action: 'delete', options: '--mute' },
  { target: 'cancelled', action: 'sync', options: '--mute --seconds 60' },
  { target: 'web-ui', action: 'sync', options: '--mute --seconds 60' },
  { target: 'poked', action: 'sync', options: '--mute --seconds 2' },
  { target: 'killed', action: 'sync', options: '--mute --seconds 2' },
  { target: 'terminated', action: 'sync', options: '--mute --seconds 60' },
  { target: 'often', action: 'delta', options: '--mute', more: 'SCHEDULE=every 1s\n' },
];

const CASES: Record<string, (rig: Rig) => Promise<Recorded>> = {
  async 'completed-sync'(rig) {
    const id = await rig.submit('sync', 'sync');
    await rig.until(id, 'completed');
    return { 'completed-sync': await lastRun(rig, 'sync') };
  },

  async 'completed-diff'(rig) {
    const id = await rig.submit('diff', 'delta', 'delete');
    await rig.until(id, 'completed');
    return { 'completed-diff': await lastRun(rig, 'diff') };
  },

  async 'failed-delta-in-diff'(rig) {
    const id = await rig.submit('failed-diff', 'delta', 'delete');
    await rig.until(id, 'failed');
    return { 'failed-delta-in-diff': await lastRun(rig, 'failed-diff') };
  },

  async 'cancelled-by-request'(rig) {
    const id = await rig.submit('cancelled', 'sync');
    await rig.until(id, 'running');
    await cancel(rig, { id, principal: 'recorder' });
    await rig.until(id, 'deleted');
    return { 'cancelled-by-request': await lastRun(rig, 'cancelled') };
  },

  async 'cancelled-in-web-ui'(rig) {
    const id = await rig.submit('web-ui', 'sync');
    await rig.until(id, 'running');
    await rig.temporal.client.workflow.getHandle(keyId('web-ui')).cancel();
    await rig.until(id, 'deleted');
    return { 'cancelled-in-web-ui': await lastRun(rig, 'web-ui') };
  },

  async 'poked-again'(rig) {
    const id = await rig.submit('poked', 'sync');
    await rig.until(id, 'running');
    const first = await openRun(rig, 'poked');
    // Only a poke while the job is being concluded counts; with this many, one of them comes just then.
    const completed = rig.until(id, 'completed');
    let over = false;
    const stop = completed.then(() => {
      over = true;
    });
    while (!over) await poke(rig.temporal, { env: 'dev', target: 'poked' });
    await stop;
    const last = await lastRun(rig, 'poked');
    if (last.runId === first.runId) throw new Error('it did not continue as new');
    return { 'poked-again': first, 'nothing-to-claim': last };
  },

  async 'terminated-and-taken-over'(rig) {
    const id = await rig.submit('terminated', 'sync');
    await rig.until(id, 'running');
    await rig.temporal.client.workflow.getHandle(keyId('terminated')).terminate('to be recorded');
    await rig.until(id, 'failed');
    return { 'terminated-and-taken-over': await lastRun(rig, 'terminated') };
  },

  async 'scheduled-job'(rig) {
    const handle = rig.temporal.client.schedule.getHandle('dev.often.delta');
    for (let tries = 0; tries < 600; tries++) {
      const ran = await handle.describe().catch(() => undefined);
      const [action] = ran?.info.recentActions ?? [];
      if (action && ran && ran.info.recentActions.length > 1) {
        const { workflowId: id, firstExecutionRunId: runId } = action.action.workflow;
        return { 'scheduled-job': { workflowId: id, runId } };
      }
      await wait(100);
    }
    throw new Error('the schedule never fired');
  },

  // notified-nobody is from before deliveries had a queue of their own: this code writes no such history any more.
  async 'notified-on-its-own-queue'(rig) {
    const of = { workflowId: 'syncrator-notify/recorded', taskQueue: TASK_QUEUE };
    const notice: Notice = {
      id: 1,
      event: 'failed',
      env: 'dev',
      target: 'sync',
      jobId: 1,
      schedule: null,
      at: '2026-11-25T03:00:00.000Z',
    };
    const handle = await rig.temporal.client.workflow.start(NOTIFY, { ...of, args: [notice, 'nobody'] });
    await handle.result().catch(() => undefined); // no receiver is called that
    return {
      'notified-on-its-own-queue': { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
    };
  },

  // The last: it kills the worker.
  async 'worker-killed'(rig) {
    const held = await rig.startWorker('test/support/held-worker.ts', {
      HOLD_AT: JSON.stringify({ killed: 'observe:before:1' }),
    });
    const id = await rig.submit('killed', 'sync');
    while (!existsSync(path.join(rig.dataDir, 'held/killed'))) await wait(20);
    await held.kill();
    await rig.startWorker();
    await rig.until(id, 'completed');
    return { 'worker-killed': await lastRun(rig, 'killed') };
  },
};

const keyId = (target: string) => workflowId({ env: 'dev', target });

async function openRun(rig: Rig, target: string) {
  const { runId } = await rig.temporal.client.workflow.getHandle(keyId(target)).describe();
  return { workflowId: keyId(target), runId };
}

/** The newest run, once nothing of the key is open. */
async function lastRun(rig: Rig, target: string) {
  const handle = rig.temporal.client.workflow.getHandle(keyId(target));
  for (;;) {
    const { status, runId } = await handle.describe();
    if (status.name !== 'RUNNING') return { workflowId: keyId(target), runId };
    await wait(50);
  }
}

async function record(rig: Rig, recorded: Recorded): Promise<void> {
  for (const [name, run] of Object.entries(recorded)) {
    const handle = rig.temporal.client.workflow.getHandle(run.workflowId, run.runId);
    const json = historyToJson(await handle.fetchHistory());
    // Process and host of the recording: of no use to a replay.
    const text = JSON.stringify(json, (key, value: unknown) => (key === 'identity' ? 'recorder' : value), 1);
    await writeFile(path.join(HISTORIES, `${name}.json`), `${text}\n`);
    console.log(`recorded ${name}`);
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(CASES, name));
if (unknown.length > 0) {
  console.error(`no case ${unknown.join(', ')}; cases: ${Object.keys(CASES).join(', ')}`);
  process.exit(1);
}
await using rig = await startRig({ params: PARAMS, durable: false });
const ordinary = await rig.startWorker();
for (const [name, run] of Object.entries(CASES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (name === 'worker-killed') await ordinary.kill();
  await record(rig, await run(rig));
}
