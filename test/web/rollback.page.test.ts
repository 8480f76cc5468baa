/** Data facts and rollbacks on the page, against the real product; a stand-in program reports what each test scripts. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { grantOf } from '../../src/domain/permission.ts';
import { EXIT } from '../../src/domain/exit-code.ts';
import { params } from '../support/system.ts';
import { DOUBTFUL_SYNC, PREVIEW, writeTales } from '../support/tales.ts';
import { startWeb, type View, type Web } from './support.ts';

const PASSWORD = 'a password of the tests';
const CHANGED = { phase: 'done', records_done: 100, added: 9, updated: 91, deleted: 0 };
const tales = writeTales();
let web: Web;

beforeAll(async () => {
  web = await startWeb({
    params: [
      ...['cities', 'gone', 'drifting', 'guarded', 'owned'].map((target) => tales.params(target, 'sync')),
      params('quick', 'sync', '--mute'),
    ],
  });
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  tales[Symbol.dispose]();
});
afterEach(() => web.closeViews());

/** An operator without limits, signed in. */
async function operatorsView(username: string): Promise<View> {
  const user = { username, passwordHash: await hashPassword(PASSWORD), grant: grantOf('operator', [], []) };
  await addUser(web.system.db, user, { principal: 'test' });
  const opened = await web.open({ signedIn: false });
  const { page } = opened;
  await page.getByLabel('Username').fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByText(`${username} (operator)`).waitFor();
  return opened;
}

const GO_BACK = 'Go back to before this job';

test('a completed job shows its doubts: warnings, listing, kept and rejected records', async () => {
  tales.tell('cities', { sync: DOUBTFUL_SYNC });
  const id = await web.started('/sync/cities/dev', 'completed');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  const warnings = page.getByRole('alert').filter({ hasText: '2 warnings' });
  await warnings.getByText('the clock of the source is 12 min ahead of ours').waitFor();
  const data = page.getByRole('region', { name: 'Data' });
  await data.getByText('not proven complete').waitFor();
  await data.getByText('2,104 records stay though the listing lacks them').waitFor();
  await data.getByText('21 Nov').waitFor();
  await page.getByText('Set aside (2)').waitFor();
  await page.getByRole('row', { name: 'k00042 line 17: updated_at is 25:61, not a valid time' }).waitFor();
});

test('a rollback starts only after its preview is confirmed; closing the dialog starts nothing', async () => {
  const until = tales.path('looked');
  tales.tell('cities', {
    sync: { reports: [CHANGED] },
    preview: {
      until,
      reports: [
        { phase: 'comparing', records_done: 400, records_total: 1000 },
        { phase: 'done', rollback_preview: PREVIEW },
      ],
    },
    rollback: { reports: [{ ...CHANGED, watermark: PREVIEW.watermark }] },
  });
  const id = await web.started('/sync/cities/dev', 'completed');
  const { uid } = await web.system.job(id);
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: GO_BACK }).click();
  const dialog = page.getByRole('dialog', { name: `Go back to before job ${id}?` });
  await dialog.getByText('Nothing is changed yet.').waitFor();
  await dialog.getByText('400 of 1,000 records').waitFor();
  writeFileSync(until, '');
  await dialog.getByText('9 come back').waitFor();
  await dialog.getByText('1,120 change').waitFor();
  await dialog.getByText('3 go').waitFor();
  await dialog.getByText('4 of these records have since been changed by somebody else').waitFor();
  await dialog.getByRole('row', { name: 'k00042 changes name, population' }).waitFor();
  await dialog.getByText('3 of 1,132 records').waitFor();
  await dialog.getByText(/^The next delta then reads from .*21 Nov/).waitFor();
  await dialog.getByRole('button', { name: 'No, leave it' }).click();
  await dialog.waitFor({ state: 'detached' });
  const newest = async () =>
    (
      (await web.system.call('GET', '/jobs?limit=1')).body as unknown as { id: number; job_type: string }[]
    )[0];
  const preview = await newest();
  expect(preview).toMatchObject({ job_type: 'rollback-preview' });

  await page.getByRole('button', { name: GO_BACK }).click();
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('heading', { level: 1, name: /^Job \d+: rollback of cities in dev$/ }).waitFor();
  await page.getByText('✓ completed').waitFor();
  await page
    .getByRole('region', { name: 'Data' })
    .getByRole('link', { name: `job ${id}` })
    .waitFor();
  const rollback = await newest();
  expect(rollback?.id).toBe((preview?.id ?? 0) + 2); // the second preview lies between
  const { options } = await web.system.job(rollback?.id ?? 0);
  expect(options).toContain(`--before ${uid}`);
  expect(options).toContain(`--expect ${PREVIEW.digest}`);
});

test('a rollback may keep the later changes of other records', async () => {
  tales.tell('cities', {
    sync: { reports: [CHANGED] },
    preview: { reports: [{ phase: 'done', rollback_preview: { ...PREVIEW, some_records: true } }] },
    rollback: { reports: [CHANGED] },
  });
  const id = await web.started('/sync/cities/dev', 'completed');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: GO_BACK }).click();
  const dialog = page.getByRole('dialog', { name: `Go back to before job ${id}?` });
  await dialog.getByText('9 come back').waitFor();
  const only = dialog.getByRole('checkbox', { name: 'Only the records that this job changed' });
  await only.click(); // the answer is another preview
  await dialog.getByText('Only these records go back; all others stay.').waitFor();
  expect(await only.isChecked()).toBe(true);
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  const heading = page.getByRole('heading', { level: 1, name: /^Job \d+: rollback of cities in dev$/ });
  const started = Number(/\d+/.exec(await heading.innerText())?.[0]);
  const { options } = await web.system.job(started);
  expect(options).toMatch(/ --only --expect /);
});

test('the rollback dialog shows why it cannot: no history, or a busy target', async () => {
  tales.tell('gone', {
    sync: { reports: [CHANGED] },
    preview: {
      reports: [{ phase: 'failed', message: 'the history before job 1 is purged' }],
      exit: EXIT.nothingToRollBack,
    },
  });
  const id = await web.started('/sync/gone/dev', 'completed');
  const { page, go } = await web.open({ expected: [409] });
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: GO_BACK }).click();
  const alert = page.getByRole('dialog').getByRole('alert');
  await alert.getByText('the history before job 1 is purged').waitFor();
  await alert.getByText('Code: nothing_to_roll_back').waitFor();
  expect(await page.getByRole('button', { name: 'Roll back' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Close' }).click();

  const until = tales.path('let go');
  tales.tell('gone', { sync: { until, reports: [{ phase: 'loading' }, CHANGED] } });
  const holder = await web.started('/sync/gone/dev', 'running');
  await page.getByRole('button', { name: GO_BACK }).click();
  await alert.getByRole('link', { name: `Job ${holder}` }).waitFor();
  writeFileSync(until, '');
  await web.system.until(holder, 'completed');
});

test('a preview can be applied from its own page, and changes nothing if the data has changed since', async () => {
  tales.tell('drifting', {
    preview: { reports: [{ phase: 'done', rollback_preview: PREVIEW }] },
    rollback: {
      reports: [{ phase: 'failed', message: 'it would change 1,121 records now' }],
      exit: EXIT.previewChanged,
    },
  });
  const { body } = await web.system.call('POST', '/rollback/drifting/dev', { preview: true });
  const id = Number(body['job_id']);
  await web.system.until(id, 'completed');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, `Job ${id}: rollback-preview of drifting in dev`);
  const effect = page.getByRole('region', { name: 'Rollback preview' });
  await effect.getByText('1,120 change').waitFor();
  expect(await page.getByRole('button', { name: GO_BACK }).count()).toBe(0);
  await page.getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('heading', { level: 1, name: /: rollback of drifting in dev$/ }).waitFor();
  await page.getByText('it would change 1,121 records now').waitFor();
  await page.getByText('Code: preview_changed').waitFor();
});

test('jobs that changed nothing offer no rollback', async () => {
  tales.tell('gone', { sync: { reports: [{ ...CHANGED, added: 0, updated: 0 }] } });
  const id = await web.started('/sync/gone/dev', 'completed');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: 'Run again' }).waitFor();
  expect(await page.getByRole('button', { name: GO_BACK }).count()).toBe(0);
});

test('only users with the permission see the button that lifts the guard, for one run', async () => {
  tales.tell('guarded', {
    sync: { reports: [{ phase: 'failed', message: '812 of 900 records would go' }], exit: EXIT.deleteGuard },
  });
  const id = await web.started('/sync/guarded/dev', 'failed');
  const operator = await operatorsView('gerda');
  await operator.go(`/jobs/${id}`, /^Job/);
  await operator.page.getByText('Code: delete_guard').waitFor();
  expect(await operator.page.getByRole('button', { name: 'Resume' }).isEnabled()).toBe(true);
  expect(await operator.page.getByRole('button', { name: 'Lift the guard' }).count()).toBe(0);
  await operator.go('/start?target=guarded&env=dev&action=sync', 'Start a job');
  await operator.page.getByLabel('Options').fill('--force-delete');
  await operator.page.getByText('--force-delete needs the right force-delete').waitFor();

  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: 'Lift the guard' }).click();
  await page.getByRole('button', { name: 'Lift the guard and run' }).click();
  const newId = async () => Number(/\/jobs\/(\d+)$/.exec(page.url())?.[1]);
  await expect.poll(newId).not.toBe(id);
  const lifted = await newId();
  expect((await web.system.job(lifted)).options).toContain('--force-delete');
  await web.system.until(lifted, 'failed');
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByText('It leaves out --force-delete').waitFor();
  await page.getByRole('button', { name: 'Start it' }).click();
  await expect.poll(newId).not.toBe(lifted);
  expect((await web.system.job(await newId())).options).not.toContain('--force-delete');
});

test("an admin takes over another owner's sink after confirming", async () => {
  tales.tell('owned', {
    sync: { reports: [{ phase: 'failed', message: 'written by installation 9' }], exit: EXIT.sinkOwned },
    'take-over': { reports: [{ phase: 'done' }] },
  });
  const id = await web.started('/sync/owned/dev', 'failed');
  const operator = await operatorsView('oscar');
  await operator.go(`/jobs/${id}`, /^Job/);
  const takeOver = operator.page.getByRole('button', { name: 'Take over' });
  await takeOver.waitFor();
  expect(await takeOver.isEnabled()).toBe(false);
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByRole('dialog').getByText('no rollback can go back to before the take-over').waitFor();
  await page.getByRole('button', { name: 'Take it over' }).click();
  await page.getByRole('heading', { level: 1, name: /: take-over of owned in dev$/ }).waitFor();
  await page.getByText('✓ completed').waitFor();
});
