/** A firing on a worker whose params files are older than those of the worker that made the schedule. */
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { scheduleActivities } from '../../activities/schedules.ts';
import type { Db } from '../../src/db/schema.ts';
import { JobParams } from '../../src/job-params/load.ts';
import type { Temporal } from '../../src/temporal/connect.ts';

it('a schedule that this worker does not know is tried again, as other workers may know it', async () => {
  const { fireSchedule } = scheduleActivities({
    // Not reached.
    db: {} as Db,
    temporal: {} as Temporal,
    params: new JobParams([]),
    defaults: { runner: 'process', image: 'syncrator' },
  });
  const firing = { schedule: 'dev.new.sync', nominalTime: new Date().toISOString() };
  const failed: unknown = await new MockActivityEnvironment()
    .run(fireSchedule, firing)
    .catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ApplicationFailure);
  expect(failed).toMatchObject({ nonRetryable: false, message: expect.stringContaining('dev.new.sync') });
});
