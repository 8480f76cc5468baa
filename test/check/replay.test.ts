/** Every recorded history is replayed by the workflow code of today: what runs now must go on after a deployment. */
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

test('the cases that matter are recorded, each to its end', () => {
  expect(names).toEqual(
    expect.arrayContaining([
      'cancelled-by-request',
      'cancelled-in-web-ui',
      'completed-diff',
      'completed-sync',
      'failed-delta-in-diff',
      'nothing-to-claim',
      'notified-nobody',
      'notified-on-its-own-queue',
      'poked-again',
      'scheduled-job',
      'terminated-and-taken-over',
      'worker-killed',
    ]),
  );
  expect(read('poked-again').events.at(-1)?.eventType).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  // Whom nobody knows cannot be told.
  const untold = ['notified-nobody', 'notified-on-its-own-queue'];
  for (const name of untold)
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_FAILED');
  // One that began on the ordinary queue, with an older version, goes on there.
  expect(untold.map(queueOfActivity)).toEqual(['syncrator', 'syncrator-notify']);
  for (const name of names.filter((other) => !['poked-again', ...untold].includes(other)))
    expect(read(name).events.at(-1)?.eventType, name).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
  const types = names.map(
    (name) => read(name).events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name,
  );
  expect(new Set(types)).toEqual(new Set(['notify', 'runJob', 'scheduledJob']));
});

test.each(names)('%s is replayed as it was recorded', async (name) => {
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
