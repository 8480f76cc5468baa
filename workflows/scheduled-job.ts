/** scheduledJob: one firing of a schedule. All it does is submit, exactly once per nominal time. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { fireSchedule } = proxyActivities<Activities>({
  startToCloseTimeout: '15 seconds',
  // A firing that cannot be submitted for this long is a miss, which the catch-up window would not mend either.
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

export async function scheduledJob(schedule: string): Promise<string> {
  // Temporal sets it on every workflow that a Schedule starts: the time it was meant for.
  const [nominal] = workflowInfo().searchAttributes['TemporalScheduledStartTime'] ?? [];
  const nominalTime = nominal instanceof Date ? nominal : workflowInfo().startTime;
  return await fireSchedule({ schedule, nominalTime: nominalTime.toISOString() });
}
