/** The page shows the start that waits for a job, and cancels it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

let web: Web;
let id = 0;

beforeAll(async () => {
  web = await startWeb({
    params: [
      params('long', 'delta', '--mute --seconds 600'),
      params('long', 'sync', '--mute', 'QUEUE=one\n'),
      params('last', 'sync', '--mute'),
    ],
  });
  id = await web.running('long', 'delta');
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test('a queued start leads to the job that it waits for, which shows it and cancels it', async () => {
  const { page, go, complaints } = await web.open();
  await go('/start?target=long&env=dev&action=sync', 'Start a job');
  await page.getByRole('button', { name: 'Start sync of long in dev' }).click();
  await page.getByRole('heading', { name: `Job ${id}: delta of long in dev` }).waitFor();
  await page.getByText('sync of long in dev starts when this job has ended; admin asked for it').waitFor();
  await page.getByRole('button', { name: 'Cancel the next start' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the next start' }).click();
  await page.getByText('starts when this job has ended').waitFor({ state: 'detached' });
  expect(await web.system.db.selectFrom('next_starts').selectAll().execute()).toEqual([]);
  expect(complaints).toEqual([]);
});
