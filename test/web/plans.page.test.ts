/** Plans on the page: made from the start form, looked at on their job, applied; a stand-in program plans what each test scripts. */
import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { grantOf } from '../../src/domain/permission.ts';
import { PLAN_DIGEST, plannedSet, writeTales } from '../support/tales.ts';
import { startWeb, type Web } from './support.ts';

const PASSWORD = 'a password of the tests';
const tales = writeTales();
let web: Web;

beforeAll(async () => {
  web = await startWeb({
    params: ['cities', 'moving', 'large', 'limited'].map((target) =>
      tales.params(target, 'sync', 'EXIT_CODES=syncrator\n'),
    ),
  });
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  tales[Symbol.dispose]();
});
afterEach(() => web.closeViews());

function tell(target: string, ...of: Parameters<typeof plannedSet>): void {
  tales.tell(target, {
    plan: { reports: [{ phase: 'done' }], plan: plannedSet(...of) },
    apply: { reports: [{ phase: 'done', added: 9, updated: 120, deleted: 3 }] },
  });
}

async function planned(target: string, ...of: Parameters<typeof plannedSet>): Promise<number> {
  tell(target, ...of);
  return await web.started(`/plan/sync/${target}/dev`, 'completed');
}

test('from the start form to a plan, its records field by field, and its application', async () => {
  tell('cities', { added: 9, updated: 120, removed: 3 });
  const { page, go } = await web.open();
  await go('/start?target=cities&env=dev&action=sync', 'Start a job');
  await page.getByRole('button', { name: 'Plan it: look before anything changes' }).click();
  const heading = page.getByRole('heading', { level: 1, name: /^Job \d+: plan-sync of cities in dev$/ });
  const id = Number(/\d+/.exec(await heading.innerText())?.[0]);
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.getByText('nothing is changed yet').waitFor();
  await plan.getByRole('list', { name: 'Changes: 9 added, 120 changed, 3 removed' }).waitFor();
  await plan.getByText('14,710 records of the source were compared with 14,700 live ones').waitFor();

  // The first kind is shown; there is no tab of a kind without records.
  await plan.getByRole('list', { name: 'Added records' }).getByRole('button', { name: 'k90001' }).waitFor();
  expect(await plan.getByRole('tab').allInnerTexts()).toEqual(['Added (9)', 'Changed (120)', 'Removed (3)']);
  await plan.getByRole('tab', { name: 'Changed (120)' }).click();
  await plan.getByText('the first 50 records').waitFor();
  await plan.getByRole('button', { name: 'Load more records' }).click();
  await plan.getByText('the first 100 records').waitFor();
  await plan.getByLabel('Part of an id').fill('k00042');
  await plan.getByText(/^1 record$/).waitFor();
  const changes = plan.getByRole('list', { name: 'Changed records' }).getByRole('listitem');
  expect((await changes.getByRole('term').allInnerTexts()).toSorted()).toEqual(['mayor', 'population']);
  await changes.getByText('{"name":"Ann k00042"}').waitFor();
  expect(await changes.getByRole('deletion').allInnerTexts()).toEqual(['(none)', '1000']);
  await plan.getByRole('button', { name: 'k00042' }).click();
  await plan.getByRole('region', { name: 'k00042 now' }).getByText('"population": 1000').waitFor();

  await plan.getByRole('button', { name: 'Apply…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Apply the plan of sync of cities in dev?' });
  for (const words of ['9 records will be added', '120 records will be changed', '3 records will be removed'])
    await dialog.getByText(words).waitFor();
  await dialog.getByRole('button', { name: 'No, leave it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await plan.getByRole('button', { name: 'Apply…' }).click();
  await dialog.getByRole('button', { name: 'Apply it' }).click();
  await page.getByRole('heading', { level: 1, name: /^Job \d+: apply-sync of cities in dev$/ }).waitFor();
  await page.getByText('✓ completed').waitFor();
  await page.getByRole('button', { name: 'Go back to before this job' }).waitFor();
  expect(await page.getByRole('button', { name: 'Run again' }).count()).toBe(0);
  const { options } = await web.system.job(id + 1);
  expect(options).toContain(`--digest ${PLAN_DIGEST}`);

  await page
    .getByRole('region', { name: 'Data' })
    .getByRole('link', { name: `job ${id}` })
    .click();
  await plan.getByText(`Job ${id + 1} has applied this plan.`).waitFor();
  expect(await plan.getByRole('button', { name: 'Apply…' }).count()).toBe(0);
});

test('a plan that has become stale while its dialog was open is refused, and the page says why', async () => {
  const id = await planned('moving', { updated: 2 });
  const { page, go } = await web.open({ expected: [409] });
  await go(`/jobs/${id}`, /^Job/);
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.getByRole('button', { name: 'Apply…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('2 records will be changed').waitFor();
  // The page has not heard of the other job yet.
  const { body: seen } = await web.system.call('GET', `/plans/${id}`);
  await page.route(`**/plans/${id}`, (route) => route.fulfill({ json: seen }));
  const later = await web.started('/sync/moving/dev', 'completed');
  await page.route(`**/plans/${id}/apply`, async (route) => {
    await page.unroute(`**/plans/${id}`);
    await route.continue();
  });
  const answer = page.waitForResponse(`**/plans/${id}/apply`);
  await dialog.getByRole('button', { name: 'Apply it' }).click();
  expect((await answer).status()).toBe(409);
  await plan.getByText(`Job ${later} of the same target has completed since`).waitFor();
  await plan.getByRole('link', { name: `Job ${later}` }).waitFor();
  const { body: jobs } = await web.system.call('GET', '/jobs?operation=apply-sync&target=moving');
  expect(jobs).toEqual([]);
});

test('a plan of which a part was uploaded says so; it fits a phone, also in the dark', async () => {
  const id = await planned('large', { added: 2, updated: 60, held: 1 }, { updated: 50_000, kept: 7 });
  for (const [width, dark] of [
    [390, true],
    [1280, false],
  ] as const) {
    const { page, go } = await web.open({ width, dark });
    await go(`/jobs/${id}`, /^Job/);
    const plan = page.getByRole('region', { name: 'Plan' });
    await plan.getByRole('tab', { name: 'Changed (50,000)' }).click();
    await plan.getByText('60 of 50,000 can be shown').waitFor();
    await plan.getByText('7 stay although the listing lacks them').waitFor();
    expect(
      await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
    ).toBe(0);
    const folder = process.env['PLAN_PICTURES'];
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: `${folder}/plan-${width}.png` });
    }
  }
});

test('who may not start the action sees the plan, and why it cannot be applied by them', async () => {
  const user = {
    username: 'otto',
    passwordHash: await hashPassword(PASSWORD),
    grant: grantOf('operator', [], ['delta']),
  };
  await addUser(web.system.db, user, { principal: 'test' });
  const id = await planned('limited', { removed: 1 });
  const { page, go } = await web.open({ signedIn: false });
  await page.getByLabel('Username').fill('otto');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await go(`/jobs/${id}`, /^Job/);
  const plan = page.getByRole('region', { name: 'Plan' });
  await plan.getByText("needs operator for the action 'sync'").waitFor();
  expect(await plan.getByRole('button', { name: 'Apply…' }).isEnabled()).toBe(false);
  await plan.getByRole('button', { name: 'k50001' }).waitFor();
});
