/** How long an api of the image takes from nothing to ready, with Postgres and Temporal up: at most 3 s are promised. */
import { expect, inject, test } from 'vitest';
import { startContainer } from '../support/container.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem } from '../support/system.ts';

const STARTS = 5;
/** The promise is of a machine that does nothing else; this one may build and test meanwhile. */
const GENEROUS_MS = 9_000;

test('an api is soon ready', { timeout: 120_000 }, async () => {
  await using system = await startSystem({ params: [paramsFile({ target: 'cities', action: 'sync' })] });
  const { JOB_PARAMS: params = '', SYNCRATOR_DATA: _, ...environment } = system.environment;
  const readyAfterMs: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const began = performance.now();
    await using api = startContainer(inject('image'), {
      args: ['server'],
      environment,
      mounts: { '/job_params': params },
    });
    await expect
      .poll(() => isReady(system.apiUrl), { timeout: 20_000, interval: 10, message: api.output() })
      .toBe(true);
    readyAfterMs.push(Math.round(performance.now() - began));
  }
  const median = readyAfterMs.toSorted((one, other) => one - other)[Math.floor(STARTS / 2)];
  console.log(`api, cold start to ready: ${median} ms in the median of ${readyAfterMs.join(', ')}`);
  expect(median).toBeLessThan(GENEROUS_MS);
});

/** False also while nobody listens. */
async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.status === 200;
}
