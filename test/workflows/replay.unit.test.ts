/** Replays every recorded history with the workflow code of today: runs of older versions must survive a deployment. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { historyFromJson } from '../histories/json.ts';

const FOLDER = path.resolve(import.meta.dirname, '../histories');
const WORKFLOWS = path.resolve(import.meta.dirname, '../../workflows/index.ts');

type RecordedEvent = {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowType: { name: string } };
  activityTaskScheduledEventAttributes?: { activityType: { name: string }; taskQueue: { name: string } };
};
type Recorded = { events: RecordedEvent[] };

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => path.basename(file, '.json'));

function read(name: string): Recorded {
  return JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')) as Recorded;
}

function queueOfActivity(name: string): string | undefined {
  const scheduled = read(name).events.find((event) => event.activityTaskScheduledEventAttributes);
  return scheduled?.activityTaskScheduledEventAttributes?.taskQueue.name;
}

async function replay(recorded: Recorded): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle }, historyFromJson(recorded));
}

let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, shutdownSignals: [] });
  workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
});

test('every ending of a run is recorded, and the last event of each history is that ending', () => {
  expect(names).toEqual(
    expect.arrayContaining([
      'canceled-run',
      'canceled-run-in-web-ui',
      'cancelled-by-request',
      'cancelled-in-web-ui',
      'completed-diff',
      'completed-sync',
      'ends-after-a-killed-worker',
      'ends-after-takeover',
      'ends-cancelled',
      'ends-cancelled-in-web-ui',
      'ends-completed-diff',
      'ends-completed-sync',
      'ends-failed',
      'ends-failed-and-poked',
      'ends-poked',
      'ends-with-a-queued-clean-up',
      'failed-after-takeover',
      'failed-delta-in-diff',
      'failed-run',
      'failed-run-that-was-poked',
      'nothing-to-claim',
      'notified-nobody',
      'notified-on-its-own-queue',
      'poked-again',
      'run-that-followed',
      'scheduled-by-its-schedule',
      'scheduled-job',
      'terminated-and-taken-over',
      'worker-killed',
    ]),
  );
  const poked = ['poked-again', 'ends-poked'];
  for (const name of poked)
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  // The delivery fails: no receiver has that name.
  const untold = ['notified-nobody', 'notified-on-its-own-queue'];
  const failed = [
    'failed-run',
    'failed-run-that-was-poked',
    'failed-after-takeover',
    'ends-failed',
    'ends-failed-and-poked',
    'ends-after-takeover',
  ];
  for (const name of [...untold, ...failed])
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_FAILED');
  const canceled = ['canceled-run', 'canceled-run-in-web-ui', 'ends-cancelled', 'ends-cancelled-in-web-ui'];
  for (const name of canceled)
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED');
  // A delivery that an older version began on the ordinary queue stays there.
  expect(untold.map(queueOfActivity)).toEqual(['syncrator', 'syncrator-notify']);
  for (const name of names.filter((other) => ![...poked, ...untold, ...failed, ...canceled].includes(other)))
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
  const types = names.map(
    (name) => read(name).events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name,
  );
  expect(new Set(types)).toEqual(new Set(['notify', 'runJob', 'scheduledJob']));
});

test.each(names)('%s replays as recorded', async (name) => {
  await replay(read(name));
});

test('a history that the workflow code did not write is refused', async () => {
  const tampered = read('completed-diff');
  const launch = tampered.events
    .map((event) => event.activityTaskScheduledEventAttributes?.activityType)
    .find((type) => type?.name === 'launch');
  if (!launch) throw new Error('nothing was launched');
  launch.name = 'sweep';
  await expect(replay(tampered)).rejects.toThrow(/Nondeterminism/i);
});
