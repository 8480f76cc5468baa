/** poke(key): "look at your key". Harmless to repeat, and its failure never changes an answer (design.md §3.2). */
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { POKED, RUN_JOB, TASK_QUEUE } from '../domain/workflow.ts';
import { type Temporal, within } from './connect.ts';

const TARGET = defineSearchAttributeKey('SyncratorTarget', SearchAttributeType.KEYWORD);
const ENV = defineSearchAttributeKey('SyncratorEnv', SearchAttributeType.KEYWORD);

/** Milliseconds a request waits for Temporal at most. */
export const POKE_DEADLINE_MS = 2_000;

/**
 * Signals the workflow that serves the key, starting it when none is open.
 * @throws TemporalAway or the client's error; the reconciler pokes again
 */
export async function poke(temporal: Temporal, key: Key): Promise<void> {
  await within(POKE_DEADLINE_MS, temporal.connection, () =>
    temporal.client.workflow.signalWithStart(RUN_JOB, {
      workflowId: workflowId(key),
      taskQueue: TASK_QUEUE,
      args: [key.env, key.target],
      signal: POKED,
      signalArgs: [],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: TARGET, value: key.target },
        { key: ENV, value: key.env },
      ]),
      staticSummary: `${key.target} in ${key.env}`,
    }),
  );
}
