/** The banner of faulty params files. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeParams } from '../support/params-files.ts';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

let web: Web;
beforeAll(async () => {
  web = await startWeb({ params: [params('quick', 'sync', '--mute')] });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test('operators see each fault of the params files, until they are corrected', async () => {
  const { dataDir } = web.system;
  writeParams(dataDir, [params('bad', 'sync', '--mute', 'SCHEDULE=daily\n')]);
  expect((await web.system.call('POST', '/reload')).status).toBe(422);
  const { page, complaints } = await web.open();
  const banner = page.getByRole('status').filter({ hasText: 'The params files on disk are faulty' });
  await banner.getByText('job_params/dev/bad-sync.public_params:9').waitFor();
  await banner.getByText('The last good state stays in use').waitFor();
  // The views themselves work with it.
  await page.getByRole('rowheader', { name: 'quick' }).waitFor();
  rmSync(path.join(dataDir, 'job_params/dev/bad-sync.public_params'));
  expect((await web.system.call('POST', '/reload')).status).toBe(200);
  await page.reload();
  await page.getByRole('rowheader', { name: 'quick' }).waitFor();
  await expect.poll(() => banner.count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});
