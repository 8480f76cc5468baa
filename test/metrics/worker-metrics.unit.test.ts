/** The metrics of a worker before its first pass. */
import { expect, test } from 'vitest';
import { JobParams } from '../../src/job-params/load.ts';
import { createWorkerMetrics } from '../../src/metrics/worker-metrics.ts';

test('the time of the last reconcile has no value before the first one', async () => {
  const metrics = createWorkerMetrics(new JobParams([]));
  const told = async () =>
    /^syncrator_reconcile_last_pass_timestamp_seconds (\S+)$/m.exec(await metrics.scrape());
  expect(await told()).toBeNull();
  metrics.passed();
  expect(Number((await told())?.[1])).toBeGreaterThan(Date.now() / 1000 - 60);
});
