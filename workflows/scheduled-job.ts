/** scheduledJob: one firing of a schedule; starts its job exactly once per nominal time. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { fireSchedule } = proxyActivities<Activities>({
  startToCloseTimeout: '15 seconds',
  // A firing that cannot start its job for this long counts as missed; it equals the schedule's catch-up window.
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

export async function scheduledJob(schedule: string): Promise<string> {
  // Temporal sets both on every workflow that a Schedule starts: the nominal time and the schedule's id.
  const [nominal] = workflowInfo().searchAttributes['TemporalScheduledStartTime'] ?? [];
  const [by] = workflowInfo().searchAttributes['TemporalScheduledById'] ?? [];
  const nominalTime = nominal instanceof Date ? nominal : workflowInfo().startTime;
  const firedBy = typeof by === 'string' ? by : null;
  return await fireSchedule({ schedule, nominalTime: nominalTime.toISOString(), firedBy });
}
