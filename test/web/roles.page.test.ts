/** Roles on the page: actions that the server would deny are disabled, with the server's reason beside them. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { audit } from '../../src/db/access/audit.ts';
import { addUser, changeUser } from '../../src/db/access/users.ts';
import { type Grant, grantOf, unlimited } from '../../src/domain/permission.ts';
import { params } from '../support/system.ts';
import { startWeb, type View, type Web } from './support.ts';

const PASSWORD = 'a password of the tests';
let web: Web;
let id = 0;

beforeAll(async () => {
  web = await startWeb({
    params: [
      params('long', 'sync', '--mute --seconds 600'),
      params('quick', 'delta', '--mute'),
      params('nightly', 'sync', '--mute', 'SCHEDULE=0 3 1 1 *\n'),
    ],
  });
  id = await web.running('long');
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());
afterEach(() => web.closeViews());

async function viewOf(username: string, grant: Grant): Promise<View> {
  const user = { username, passwordHash: await hashPassword(PASSWORD), grant };
  await addUser(web.system.db, user, { principal: 'test' });
  const view = await web.open({ signedIn: false, expected: [401, 403] });
  await signInAs(view.page, username);
  return view;
}

async function signInAs(page: Page, username: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

const NEEDS = 'This needs the role operator; yours is viewer.';

test('a viewer sees every view; denied actions are disabled with the reason', async () => {
  const { page, go } = await viewOf('vera', unlimited('viewer'));
  const isOn = (name: string | RegExp) => page.getByRole('button', { name }).isEnabled();
  await page.getByText('vera (viewer)').waitFor();
  await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
  await go(`/jobs/${id}`, /^Job \d+: sync of long/);
  await page.getByText(NEEDS).first().waitFor();
  expect(await isOn('Cancel')).toBe(false);
  await go('/schedules', 'Schedules');
  await page.getByText(NEEDS).waitFor();
  expect([await isOn('Run now'), await isOn('Pause')]).toEqual([false, false]);
  await go('/maintenance', 'Maintenance');
  await page.getByText('This needs the role admin; yours is viewer.').waitFor();
  expect(await isOn('Pause')).toBe(false);
  // The dry run is shown nevertheless.
  await go('/start?target=quick&env=dev&action=delta', 'Start a job');
  await page.getByText('--mute --api_job_id dryrun').waitFor();
  await page.getByText(NEEDS).waitFor();
  expect(await isOn(/^Start delta/)).toBe(false);
});

test('an operator may act within their limits; after a demotion the denial of the server shows', async () => {
  const { page, go } = await viewOf('otto', grantOf('operator', [], ['delta']));
  await page.getByText('otto (operator; action delta)').waitFor();
  await go(`/jobs/${id}`, /^Job \d+: sync of long/);
  const words = "This needs operator for the action 'sync'; yours is limited to action delta.";
  await page.getByText(words).waitFor();
  expect(await page.getByRole('button', { name: 'Cancel' }).isEnabled()).toBe(false);
  await go('/start?target=quick&env=dev&action=delta', 'Start a job');
  const start = page.getByRole('button', { name: /^Start delta/ });
  await expect.poll(() => start.isEnabled()).toBe(true);
  // Permission removed while the page is open: the server denies the start.
  await changeUser(web.system.db, 'otto', { grant: unlimited('viewer') }, { principal: 'test' });
  await start.click();
  await page.getByRole('alert').getByText('this needs the role operator; yours is viewer').waitFor();
  expect(await page.getByRole('button', { name: /^Start delta/ }).count()).toBe(1);
});

test('only admins see the audit, which shows actions and denials, filtered by the address and page by page', async () => {
  const { page, go } = await viewOf('otis', unlimited('operator'));
  await page.getByText('otis (operator)').waitFor();
  expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
  // The stream of events opens after the refusal, as it does on a slow machine: all other queries are then refetched.
  const mayOpen = Promise.withResolvers<void>();
  await page.route('**/events', async (route) => {
    await mayOpen.promise;
    await route.continue();
  });
  await page.reload();
  await go('/audit', 'Audit');
  const forbidden = page.getByRole('alert').getByText('this needs the role admin; yours is operator');
  await forbidden.waitFor();
  const askedAnew = page.waitForResponse('**/maintenance-status');
  mayOpen.resolve();
  await askedAnew;

  const admin = await web.open();
  await admin.page.getByRole('link', { name: 'Audit' }).click();
  const region = admin.page.getByRole('region', { name: 'Audit' });
  const refused = region.getByRole('row').filter({ hasText: 'otis' });
  await refused.filter({ hasText: 'refused: forbidden' }).filter({ hasText: 'read' }).waitFor();
  // A sign-in on the denied view sends one request, not two.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signInAs(page, 'otis');
  await forbidden.waitFor();
  await admin.page.reload();
  await expect.poll(() => refused.filter({ hasText: 'refused: forbidden' }).count()).toBe(2);
  await region
    .getByRole('link', { name: `job ${id}` })
    .first()
    .waitFor();
  for (let at = 0; at < 120; at++)
    await audit(web.system.db, {
      principal: 'token:nightly',
      verb: 'start',
      object: `target t${at}`,
      origin: { reason: 'because <b>it</b> is night', address: '10.0.0.7' },
    });
  await admin.page.getByLabel('Who').fill('token:nightly');
  await admin.page.getByRole('button', { name: 'Show' }).click();
  await region.getByText('because <b>it</b> is night').first().waitFor();
  const rows = region.getByRole('row');
  await expect.poll(() => rows.count()).toBe(101);
  expect(await refused.count()).toBe(0);
  await admin.page.getByRole('button', { name: 'Load older entries' }).click();
  await expect.poll(() => rows.count()).toBe(121);
  expect(admin.page.url()).toContain('principal=token');
  await admin.page.reload();
  await expect.poll(() => admin.page.getByLabel('Who').inputValue()).toBe('token:nightly');
  await expect.poll(() => rows.count()).toBe(101);
});

test('the page of a disabled user shows the sign-in form', async () => {
  const { page } = await viewOf('dora', unlimited('viewer'));
  await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
  await changeUser(web.system.db, 'dora', { disabled: true }, { principal: 'test' });
  await page.getByRole('link', { name: 'Jobs' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
});

test('an admin sees no disabled action', async () => {
  const view = await web.open();
  const { page, go } = view;
  await page.getByText('admin (admin)').waitFor();
  await go(`/jobs/${id}`, /^Job \d+: sync of long/);
  await expect.poll(() => page.getByRole('button', { name: 'Cancel' }).isEnabled()).toBe(true);
  await go('/maintenance', 'Maintenance');
  await expect.poll(() => page.getByRole('button', { name: 'Pause' }).isEnabled()).toBe(true);
  expect(await page.getByText(/This needs/).count()).toBe(0);
});
