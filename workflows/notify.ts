/** notify: delivers one notice to one receiver, with growing pauses between retries, for a day. */
import { type ActivityOptions, patched, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Notice } from '../src/domain/notice.ts';
import { NOTIFY_TASK_QUEUE } from '../src/domain/workflow.ts';

const OPTIONS: ActivityOptions = {
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '15 minutes' },
};
/** A delivery that began before this queue existed stays on the ordinary one. */
const QUEUE_OF_ITS_OWN = 'notify-on-a-queue-of-its-own';

export async function notify(notice: Notice, receiver: string): Promise<void> {
  const { notify: tell } = proxyActivities<Activities>(
    patched(QUEUE_OF_ITS_OWN) ? { ...OPTIONS, taskQueue: NOTIFY_TASK_QUEUE } : OPTIONS,
  );
  await tell({ notice, receiver });
}
