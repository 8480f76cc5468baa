/** Losses on the page: inbox, list, records, keep, approve; a stand-in program holds what each test scripts. */
import { writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { type Grant, grantOf, unlimited } from '../../src/domain/permission.ts';
import { heldSet, holdingSync, UNUSUAL_REMOVALS, writeTales } from '../support/tales.ts';
import { startWeb, type View, type Web } from './support.ts';

const PASSWORD = 'a password of the tests';
const TARGETS = ['unusual', 'cities', 'towns', 'moving', 'late', 'denied', 'keys'];
const tales = writeTales();
let web: Web;

beforeAll(async () => {
  const files = TARGETS.map((target) => tales.params(target, 'sync'));
  web = await startWeb({
    params: files.map(([file, text]) => [file, file.includes('towns') ? `${text}APPROVALS=2\n` : text]),
  });
  for (const [name, grant] of [
    ['ada', unlimited('admin')],
    ['bob', grantOf('operator', [], ['sync', 'approve'])],
    ['otto', grantOf('operator', [], [])],
  ] as [string, Grant][])
    await addUser(
      web.system.db,
      { username: name, passwordHash: await hashPassword(PASSWORD), grant },
      { principal: 'test' },
    );
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  tales[Symbol.dispose]();
});
afterEach(() => web.closeViews());

async function viewOf(username: string, options: Parameters<Web['open']>[0] = {}): Promise<View> {
  const view = await web.open({ ...options, signedIn: false });
  const { page } = view;
  await page.getByLabel('Username').fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  return view;
}

/** A sync by the admin that holds records. @returns the ids of the job and of the loss */
async function holding(
  target: string,
  ...of: Parameters<typeof heldSet>
): Promise<{ job: number; loss: number }> {
  tales.tell(target, { sync: holdingSync(heldSet(...of)) });
  const job = await web.started(`/sync/${target}/dev`, 'completed');
  return { job, loss: (await waiting(target))?.id ?? 0 };
}

const KEPT = new Set(['k00770', 'k00777', 'k01200', 'k01203']);

function keptOf(held: ReturnType<typeof heldSet>): typeof held {
  return { ...held, records: held.records.filter(({ id }) => KEPT.has(id)) };
}

type Loss = { id: number; count: number; pinned: number; digest: string };

async function waiting(target: string): Promise<Loss | undefined> {
  const { body } = await web.system.call('GET', `/losses?target=${target}`);
  return (body as unknown as Loss[])[0];
}

async function answer(page: Page, reason: string, yes: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  expect(await dialog.getByRole('button', { name: yes }).isEnabled()).toBe(false);
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: yes }).click();
}

test('nightly losses: from the inbox to the records; one user keeps four and approves the rest', async () => {
  const { job, loss } = await holding('cities', 1_204, { live: 14_700 });
  const { page, go } = await viewOf('ada');

  await page.getByRole('link', { name: '1,204 removals wait for an answer of cities in dev' }).waitFor();
  await page.getByRole('link', { name: 'Inbox: 1 set of removals waits' }).click();
  await page.getByRole('heading', { level: 1, name: 'Losses' }).waitFor();
  const card = page.getByRole('list', { name: 'Losses' }).getByRole('listitem');
  await card.getByText('1,204 records to remove, 8.2 % of 14,700 live').waitFor();
  await card.getByRole('link', { name: 'cities in dev' }).click();
  await page.getByRole('heading', { level: 1, name: `Loss ${loss}: cities in dev` }).waitFor();
  await page
    .getByText('1,204 records of cities in dev are live, but the source no longer lists them')
    .waitFor();
  const bar = (words: string) =>
    page.getByRole('img', { name: `Of 14,700 live records: ${words}` }).waitFor();
  await bar('13,496 not touched, 1,204 wait to be removed, 0 kept by an answer');

  await page.getByText('50 of 1,204 records').waitFor();
  await page.getByRole('button', { name: 'Load more records' }).click();
  await page.getByText('100 of 1,204 records').waitFor();
  await page.getByLabel('Part of an id').fill('k0120');
  await page.getByText(/^5 records$/).waitFor();
  await page.getByRole('button', { name: 'k01203' }).click();
  await page
    .getByRole('region', { name: 'Live content of k01203' })
    .getByText('"name": "Place 1203"')
    .waitFor();

  for (const id of ['k01200', 'k01203']) await page.getByLabel(`Choose ${id}`).check();
  await page.getByLabel('Part of an id').fill('k0077');
  for (const id of ['k00770', 'k00777']) await page.getByLabel(`Choose ${id}`).check();
  const approve = page.getByRole('button', { name: /^Approve/ });
  expect(await approve.isEnabled()).toBe(false);
  await page.getByText('Keep the chosen records first, or clear the choice').waitFor();
  await page.getByRole('button', { name: 'Keep 4 chosen…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('k00770, k00777, k01200, k01203').waitFor();
  await dialog.getByText('The other 1,200 records keep waiting.').waitFor();
  await answer(page, 'still in use', 'Keep them');
  await bar('13,496 not touched, 1,200 wait to be removed, 4 kept by an answer');
  await page.getByRole('row', { name: 'k00770 kept until' }).waitFor();

  await page.getByRole('button', { name: 'Approve the rest…' }).click();
  await dialog.getByText('1,200 records will be removed from cities in dev; 4 stay').waitFor();
  tales.tell('cities', {
    remove: {
      until: tales.path('removed'),
      reports: [{ phase: 'removing' }, { phase: 'done', deleted: 1_200 }],
      held: keptOf(heldSet(1_204, { live: 13_500 })),
    },
  });
  await answer(page, 'closed in the source', 'Approve and remove');
  const removal = page.getByRole('alert').getByRole('link', { name: /^Job \d+$/ });
  await removal.waitFor();
  await page.getByText(/^Job \d+ removes these records now\.$/).waitFor();
  expect(await approve.isEnabled()).toBe(false);
  writeFileSync(tales.path('removed'), '');
  await page.getByText('All of them are kept for now: nothing is left to answer.').waitFor();
  await page.getByText('all kept for now', { exact: false }).first().waitFor();
  await page.getByRole('link', { name: 'Inbox: no removals wait' }).waitFor();
  await page.getByRole('alert').getByText('✓ completed').waitFor();
  await removal.click();
  await page.getByRole('heading', { level: 1, name: 'remove of cities in dev' }).waitFor();
  expect(await page.getByRole('button', { name: 'Run again' }).count()).toBe(0);

  // The job that held them tells it, and leads to the answered set.
  await go(`/jobs/${job}`, /^Job/);
  await page.getByRole('link', { name: 'answered since' }).click();
  await page.getByRole('listitem').getByText('all kept for now').waitFor();
  await go('/', 'Overview');
  expect(await page.getByRole('link', { name: /removals wait for an answer/ }).count()).toBe(0);
});

test('who started the job may keep but not approve; who lacks the right may do neither', async () => {
  const { job, loss } = await holding('denied', 3, { live: 10 });
  const starter = await web.open();
  await starter.go(`/jobs/${job}`, /^Job/);
  await starter.page.getByRole('link', { name: '3 removals wait for an answer' }).click();
  await starter.page
    .getByText('You started the job that held these records: another user must approve their removal.')
    .waitFor();
  const isOn = (page: Page, name: RegExp) => page.getByRole('button', { name }).isEnabled();
  expect([await isOn(starter.page, /^Approve/), await isOn(starter.page, /^Keep all/)]).toEqual([
    false,
    true,
  ]);

  const { page, go } = await viewOf('otto');
  await go(`/losses/${loss}`, /^Loss/);
  await page.getByText('needs the right approve').waitFor();
  expect([await isOn(page, /^Approve/), await isOn(page, /^Keep all/)]).toEqual([false, false]);
});

test('an answer to a set that has changed meanwhile is refused, with how it changed, and the page shows the new set', async () => {
  const { loss } = await holding('moving', 12, { live: 100 });
  const { page, go } = await viewOf('bob', { expected: [409] });
  await go(`/losses/${loss}`, /^Loss/);
  await page.getByRole('button', { name: 'Approve the removal…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('12 records will be removed from moving in dev.').waitFor();
  await holding('moving', 15, { live: 100 });
  // The page behind follows by itself; the dialog says what its user has read.
  await page
    .getByText('15 of')
    .or(page.getByText(/^15 records$/))
    .first()
    .waitFor();
  await dialog.getByText('12 records will be removed from moving in dev.').waitFor();
  await answer(page, 'closed', 'Approve and remove');
  await dialog.getByText('The set has changed since you looked').waitFor();
  await dialog.getByText(/15 records/).waitFor();
  await dialog.getByRole('button', { name: 'Look at it again' }).click();
  await page.getByRole('img', { name: /15 wait to be removed/ }).waitFor();
  expect(await waiting('moving')).toMatchObject({ count: 15, pinned: 0 });
});

test('two approvals: the first removes nothing and says so, the second user starts the removal', async () => {
  const { loss } = await holding('towns', 30, { live: 100 });
  tales.tell('towns', {
    remove: { reports: [{ phase: 'done', deleted: 30 }], held: heldSet(0, { live: 70 }) },
  });
  const first = await viewOf('ada');
  await first.go(`/losses/${loss}`, /^Loss/);
  await first.page.getByRole('button', { name: 'Approve the removal…' }).click();
  await first.page
    .getByText('This is approval 1 of 2: nothing is removed before another user approves')
    .waitFor();
  await answer(first.page, 'agreed with the owner', 'Approve');
  await first.page.getByText('ada, ').getByText('“agreed with the owner”').waitFor();
  await first.page.getByText('You have approved this set: another user must approve it, too.').waitFor();
  expect(await first.page.getByRole('button', { name: /^Approve/ }).isEnabled()).toBe(false);

  const second = await viewOf('bob');
  await second.go(`/losses/${loss}`, /^Loss/);
  await second.page.getByText('1 of 2 approvals').waitFor();
  await second.page.getByRole('button', { name: 'Approve the removal…' }).click();
  await answer(second.page, 'so do I', 'Approve and remove');
  await second.page.getByText('nothing of it waits any more').waitFor();
});

test('an overdue set is marked in the header, in the list and on the overview', async () => {
  const { loss } = await holding('late', 7, { live: 10 });
  await web.system.db
    .updateTable('losses')
    .set({ born_at: new Date(Date.now() - 9 * 86_400_000) })
    .where('id', '=', loss)
    .execute();
  const { page, go } = await viewOf('otto', { width: 390 });
  await page.getByRole('link', { name: '7 removals wait for an answer, overdue of late in dev' }).waitFor();
  await page.getByRole('link', { name: /^Inbox: .*, 1 overdue$/ }).click();
  await page.getByText(/overdue since/).waitFor();
  await go('/losses?target=late', 'Losses');
  await expect.poll(() => page.getByRole('list', { name: 'Losses' }).getByRole('listitem').count()).toBe(1);
});

test('records can be looked at and kept by keyboard alone', async () => {
  const { loss } = await holding('keys', 3, { live: 10 });
  const { page, go } = await viewOf('bob');
  await go(`/losses/${loss}`, /^Loss/);
  const press = async (name: string, key: string) => {
    const isThere = () =>
      page.evaluate<boolean>(
        `[document.activeElement?.getAttribute('aria-label'), document.activeElement?.textContent].includes('${name}')`,
      );
    for (let tab = 0; tab < 60 && !(await isThere()); tab += 1) await page.keyboard.press('Tab');
    expect(await isThere(), name).toBe(true);
    await page.keyboard.press(key);
  };
  await press('Choose k00002', 'Space');
  await press('▸k00002', 'Enter');
  await page.getByRole('region', { name: 'Live content of k00002' }).waitFor();
  await page.getByRole('heading', { level: 1 }).focus();
  await press('Keep 1 chosen…', 'Enter');
  // The dialog opens on the reason; Enter sends it.
  await page.getByRole('dialog').getByLabel('Reason').and(page.locator(':focus')).waitFor();
  await page.keyboard.type('still in use');
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: 'k00002 kept until' }).waitFor();
  expect(await waiting('keys')).toMatchObject({ count: 2, pinned: 1 });
});

test('a loss below the limits says that it is unusual, and shows it beside earlier nights', async () => {
  tales.tell('unusual', {
    sync: {
      reports: [{ phase: 'done', added: 0, updated: 0, deleted: 0, held: 812, unusual: [UNUSUAL_REMOVALS] }],
      held: { ...heldSet(812, { live: 10_000 }), reason: 'anomaly' },
    },
  });
  const job = await web.started('/sync/unusual/dev', 'completed');
  const { page, go } = await viewOf('ada');
  await go(`/jobs/${job}`, `Job ${job}: sync of unusual in dev`);
  const words = '812 to remove; usual are up to 110 (median 10 of 14 runs)';
  await page.getByRole('region', { name: 'Unusual for this target' }).getByText(words).waitFor();
  const { id } = (await waiting('unusual')) ?? {};
  await go(`/losses/${id}`, `Loss ${id}: unusual in dev`);
  await page.getByText('A job would have removed more than earlier jobs of this target do').waitFor();
  await page.getByRole('img', { name: 'Earlier runs, oldest first: 9, 12, 10, 0' }).waitFor();
});
