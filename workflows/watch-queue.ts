/** Activities that may wait for days for a runner: on a task queue of their own, so that they hold up no launch. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { WATCH_TASK_QUEUE } from '../src/domain/workflow.ts';

/** Retried without a limit: a job that cannot be watched, stopped or recorded must not free its key. */
export const queued = proxyActivities<Activities>({
  taskQueue: WATCH_TASK_QUEUE,
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '5 seconds' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});
