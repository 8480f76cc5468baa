/** The buckets of job_totals are counted by SQL of a migration and labelled by src/db/views/totals.ts. */
import { expect, test } from 'vitest';
import * as counted from '../../../src/db/migrations/0007-totals.ts';
import { RUN_SECONDS, WAIT_SECONDS } from '../../../src/db/views/totals.ts';

test('histogram buckets have the bounds that the migration counts by', () => {
  expect(RUN_SECONDS).toEqual(counted.RUN_SECONDS);
  expect(WAIT_SECONDS).toEqual(counted.WAIT_SECONDS);
});
