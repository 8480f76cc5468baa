/** All activities, built over their dependencies; `Activities` is the type that workflows import. */
import { type JobDeps, jobActivities } from './jobs.ts';
import { type NotifyDeps, notifyActivities } from './notify.ts';
import { type ScheduleDeps, scheduleActivities } from './schedules.ts';
import type { StepDeps } from './step-deps.ts';
import { stepActivities } from './steps.ts';

export type ActivityDeps = JobDeps & StepDeps & ScheduleDeps & NotifyDeps;

export function createActivities(deps: ActivityDeps) {
  return {
    ...jobActivities(deps),
    ...stepActivities(deps),
    ...scheduleActivities(deps),
    ...notifyActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
