/** notify: one message to one receiver, again and again with growing pauses, for a day. */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Notice } from '../src/domain/notice.ts';

const { notify: tell } = proxyActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '15 minutes' },
});

export async function notify(notice: Notice, receiver: string): Promise<void> {
  await tell({ notice, receiver });
}
