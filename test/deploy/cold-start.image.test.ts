/**
 * Api and worker start in containers of the image, and the test prints how long that took with Postgres and
 * Temporal up: the figures of docs/measured.md. It checks no speed, since other work may run: `npm run bench --
 * cold` checks the bound of 3 s, with both as in the image.
 */
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { startContainer } from '../support/container.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem } from '../support/system.ts';

const STARTS = 5;

test('api and worker are ready after every start', { timeout: 240_000 }, async () => {
  await using system = await startSystem({ params: [paramsFile({ target: 'cities', action: 'sync' })] });
  const { JOB_PARAMS: params = '', SYNCRATOR_DATA: _, ...environment } = system.environment;
  const data = path.join(system.dataDir, 'data');
  mkdirSync(data);
  chownSync(data, 1000, 1000); // the image's user
  const mounts = { '/job_params': params, '/data:rw': data };
  /** @param isReady judges the output so far */
  const start = async (args: readonly string[], isReady: (said: string) => boolean | Promise<boolean>) => {
    const began = performance.now();
    await using part = startContainer(inject('image'), { args, environment, mounts });
    await expect
      .poll(() => isReady(part.output()), { timeout: 20_000, interval: 10, message: part.output() })
      .toBe(true);
    return Math.round(performance.now() - began);
  };
  const all = { api: [] as number[], worker: [] as number[] };
  for (let round = 0; round < STARTS; round += 1) {
    all.api.push(await start(['server'], () => answers(system.apiUrl)));
    all.worker.push(await start(['worker'], (said) => said.includes('worker is ready')));
  }
  for (const [part, readyAfterMs] of Object.entries(all)) {
    const median = readyAfterMs.toSorted((one, other) => one - other)[Math.floor(STARTS / 2)];
    console.log(`${part}, cold start to ready: ${median} ms in the median of ${readyAfterMs.join(', ')}`);
  }
});

/** False also while no server listens. */
async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.status === 200;
}
