/**
 * Records the histories that test/workflows/replay.unit.test.ts replays, with its own servers and workers: `npx
 * node test/workflows/replay-record.ts [case ...]`. Record a new case whenever a workflow changes. Never record an
 * existing one again to make a replay pass.
 */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Rig, startRig } from '../../bench/rig.ts';
import type { ParamsFile } from '../support/params-files.ts';
import { workflowId } from '../../src/domain/names.ts';
import type { Notice } from '../../src/domain/notice.ts';
import { NOTIFY, TASK_QUEUE } from '../../src/domain/workflow.ts';
import { cancel } from '../../src/engine/cancel.ts';
import { poke } from '../../src/temporal/poke.ts';
import { historyToJson } from '../histories/json.ts';

const HISTORIES = path.resolve(import.meta.dirname, '../histories');

/** The runs of a case, by the name of their file. */
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
  { target: 'followed', action: 'sync', options: '--mute --exit 1' },
  { target: 'slow', action: 'sync', options: '--mute' },
  { target: 'killed', action: 'sync', options: '--mute --seconds 2' },
  { target: 'terminated', action: 'sync', options: '--mute --seconds 60' },
  { target: 'often', action: 'delta', options: '--mute', more: 'SCHEDULE=every 1s\n' },
];

/**
 * The code of today writes no histories like these any more, so no case records them:
 * - failed-delta-in-diff, cancelled-by-request, cancelled-in-web-ui, terminated-and-taken-over: every run completed,
 *   however its job ended;
 * - scheduled-job: it did not say by which schedule it was fired;
 * - notified-nobody: deliveries had no queue of their own;
 * - completed-sync, completed-diff, failed-run, canceled-run, canceled-run-in-web-ui, poked-again, nothing-to-claim,
 *   failed-after-takeover, failed-run-that-was-poked, run-that-followed, worker-killed: the activities `watch` and
 *   `conclude` ended the job.
 */
const CASES: Record<string, (rig: Rig) => Promise<Recorded>> = {
  async 'ends-completed-sync'(rig) {
    const id = await rig.submit('sync', 'sync');
    await rig.until(id, 'completed');
    return { 'ends-completed-sync': await lastRun(rig, 'sync') };
  },

  async 'ends-completed-diff'(rig) {
    const id = await rig.submit('diff', 'delta', 'delete');
    await rig.until(id, 'completed');
    return { 'ends-completed-diff': await lastRun(rig, 'diff') };
  },

  async 'ends-failed'(rig) {
    const id = await rig.submit('failed-diff', 'delta', 'delete');
    await rig.until(id, 'failed');
    return { 'ends-failed': await lastRun(rig, 'failed-diff') };
  },

  async 'ends-cancelled'(rig) {
    const id = await rig.submit('cancelled', 'sync');
    await rig.until(id, 'running');
    await cancel(rig, { id, principal: 'recorder' });
    await rig.until(id, 'deleted');
    return { 'ends-cancelled': await lastRun(rig, 'cancelled') };
  },

  async 'ends-cancelled-in-web-ui'(rig) {
    const id = await rig.submit('web-ui', 'sync');
    await rig.until(id, 'running');
    await rig.temporal.client.workflow.getHandle(keyId('web-ui')).cancel();
    await rig.until(id, 'deleted');
    return { 'ends-cancelled-in-web-ui': await lastRun(rig, 'web-ui') };
  },

  async 'ends-poked'(rig) {
    const id = await rig.submit('poked', 'sync');
    await rig.until(id, 'running');
    const first = await openRun(rig, 'poked');
    const completed = rig.until(id, 'completed');
    let over = false;
    const stop = completed.then(() => {
      over = true;
    });
    while (!over) await poke(rig.temporal, { env: 'dev', target: 'poked' });
    await stop;
    const last = await lastRun(rig, 'poked');
    if (last.runId === first.runId) throw new Error('it did not continue as new');
    return { 'ends-poked': first, 'nothing-to-claim-after-it': last };
  },

  async 'ends-after-takeover'(rig) {
    const id = await rig.submit('terminated', 'sync');
    await rig.until(id, 'running');
    await rig.temporal.client.workflow.getHandle(keyId('terminated')).terminate('to be recorded');
    await rig.until(id, 'failed');
    return { 'ends-after-takeover': await lastRun(rig, 'terminated') };
  },

  async 'scheduled-by-its-schedule'(rig) {
    const handle = rig.temporal.client.schedule.getHandle('dev.often.delta');
    for (let tries = 0; tries < 600; tries++) {
      const ran = await handle.describe().catch(() => undefined);
      const [action] = ran?.info.recentActions ?? [];
      if (action && ran && ran.info.recentActions.length > 1) {
        const { workflowId: id, firstExecutionRunId: runId } = action.action.workflow;
        return { 'scheduled-by-its-schedule': { workflowId: id, runId } };
      }
      await wait(100);
    }
    throw new Error('the schedule never fired');
  },

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
    await handle.result().catch(() => undefined); // no receiver has this name
    return {
      'notified-on-its-own-queue': { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
    };
  },

  async 'ends-failed-and-poked'(rig) {
    const held = await rig.startWorker('test/support/breakpoint-worker.ts', {
      HOLD_AT: JSON.stringify({ followed: 'forget:before:1' }),
    });
    const id = await rig.submit('followed', 'sync');
    while (!existsSync(path.join(rig.dataDir, 'held/followed'))) await wait(20);
    await rig.until(id, 'failed');
    const first = await openRun(rig, 'followed');
    await poke(rig.temporal, { env: 'dev', target: 'followed' });
    await writeFile(path.join(rig.dataDir, 'release'), '');
    const last = await lastRun(rig, 'followed');
    if (last.runId === first.runId) throw new Error('no run followed it');
    await held.kill();
    await rm(path.join(rig.dataDir, 'release'));
    return { 'ends-failed-and-poked': first, 'follows-a-failed-run': last };
  },

  // The breakpoint outlasts the try inside the workflow task, so Temporal queues the activity.
  async 'ends-with-a-queued-clean-up'(rig) {
    const held = await rig.startWorker('test/support/breakpoint-worker.ts', {
      HOLD_AT: JSON.stringify({ slow: 'forget:before:1' }),
    });
    const id = await rig.submit('slow', 'sync');
    await rig.until(id, 'completed');
    const recorded = { 'ends-with-a-queued-clean-up': await lastRun(rig, 'slow') };
    await held.kill();
    return recorded;
  },

  async 'ends-after-a-killed-worker'(rig) {
    const held = await rig.startWorker('test/support/breakpoint-worker.ts', {
      HOLD_AT: JSON.stringify({ killed: 'observe:before:1' }),
    });
    const id = await rig.submit('killed', 'sync');
    while (!existsSync(path.join(rig.dataDir, 'held/killed'))) await wait(20);
    await held.kill();
    await rig.startWorker();
    await rig.until(id, 'completed');
    return { 'ends-after-a-killed-worker': await lastRun(rig, 'killed') };
  },
};

const keyId = (target: string) => workflowId({ env: 'dev', target });

async function openRun(rig: Rig, target: string) {
  const { runId } = await rig.temporal.client.workflow.getHandle(keyId(target)).describe();
  return { workflowId: keyId(target), runId };
}

/** The newest run, once no run of the key is open. */
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
    // Process and host of the recording, which a replay does not need.
    const text = JSON.stringify(json, (key, value: unknown) => (key === 'identity' ? 'recorder' : value), 1);
    await writeFile(path.join(HISTORIES, `${name}.json`), `${text}\n`);
    console.log(`recorded ${name}`);
  }
}

/** The last cases: they have their own worker. */
const HELD = ['ends-failed-and-poked', 'ends-with-a-queued-clean-up', 'ends-after-a-killed-worker'];
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
  if (wanted.length === 0 && existsSync(path.join(HISTORIES, `${name}.json`))) continue;
  if (HELD.includes(name)) await ordinary.kill();
  await record(rig, await run(rig));
}
