/** Pokes the workflow of a key to look for a job. Safe to repeat; the reconciler makes up for a poke that failed. */
import { isGrpcServiceError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { Key } from '../domain/job.ts';
import { workflowId } from '../domain/names.ts';
import { POKED, RUN_JOB, TASK_QUEUE } from '../domain/workflow.ts';
import { type Temporal, within } from './connect.ts';

const TARGET = defineSearchAttributeKey('SyncratorTarget', SearchAttributeType.KEYWORD);
const ENV = defineSearchAttributeKey('SyncratorEnv', SearchAttributeType.KEYWORD);

/**
 * Starts the next run as soon as a poked run fails with its job (workflows/close.ts). Retries nothing else: all other
 * failures of the workflow are non-retryable.
 */
const FOLLOWED = { initialInterval: '10 ms', backoffCoefficient: 1 } as const;

/** gRPC's number for INVALID_ARGUMENT. */
const REFUSED: readonly number[] = [3];

/** Milliseconds that a request waits for Temporal at most. */
const POKE_DEADLINE_MS = 2_000;

/**
 * Signals the workflow that serves the key, starting it when none is open.
 * @throws TemporalUnavailable or the client's error; the reconciler pokes again
 */
export async function poke(temporal: Temporal, key: Key): Promise<void> {
  await within(POKE_DEADLINE_MS, temporal.connection, async () => {
    try {
      await signalWithStart(temporal, key, attributesOf(key));
    } catch (error) {
      if (!areRefused(error)) throw error;
      await signalWithStart(temporal, key, []);
    }
  });
}

async function signalWithStart(
  temporal: Temporal,
  key: Key,
  attributes: ConstructorParameters<typeof TypedSearchAttributes>[0],
): Promise<void> {
  await temporal.client.workflow.signalWithStart(RUN_JOB, {
    workflowId: workflowId(key),
    taskQueue: TASK_QUEUE,
    args: [key.env, key.target],
    signal: POKED,
    signalArgs: [],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    retry: FOLLOWED,
    typedSearchAttributes: new TypedSearchAttributes(attributes),
    staticSummary: `${key.target} in ${key.env}`,
  });
}

const attributesOf = (key: Key) => [
  { key: TARGET, value: key.target },
  { key: ENV, value: key.env },
];

/** True when the namespace lacks our search attributes, or has them with another type (search-attributes.ts). */
function areRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isGrpcServiceError(error) && REFUSED.includes(error.code))
    return /search attribute/i.test(error.message);
  return areRefused(error.cause);
}
