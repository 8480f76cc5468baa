/** Drives the page as an operator, in a real browser against the real product. */
import type { SchedulesJson } from '../../src/client/client.ts';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { signIn } from '../support/chromium.ts';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

let web: Web;

beforeAll(async () => {
  web = await startWeb({
    params: [
      params('long', 'sync', '--mute --seconds 600'),
      params('other', 'sync', '--mute --seconds 600'),
      params('quick', 'sync', '--progress 4'),
      params('broken', 'sync', '--exit 3'),
      params('nightly', 'sync', '--mute', 'SCHEDULE=0 3 1 1 *\nTIMEZONE=Europe/Brussels\n'),
    ],
  });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

afterEach(() => web.closeViews());

test('signing in shows the targets, signing out hides them, and a wrong password shows an error', async () => {
  const { page } = await web.open({ signedIn: false, expected: [401] });
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
  expect(await page.getByText('nightly').count()).toBe(0);
  await page.getByLabel('Username').fill('admin');
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  await signIn(page);
  await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.reload();
  await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Username').waitFor();
  expect(await page.getByText('nightly').count()).toBe(0);
});

test('the first visit loads at most 250 KB compressed, up to the overview', async () => {
  const context = await web.browser.newContext();
  const page = await context.newPage();
  await page.addInitScript('globalThis.requestIdleCallback = () => 0'); // no preload of other views
  const files = new Set<string>();
  page.on('response', (answer) => {
    if (answer.request().resourceType() !== 'fetch') files.add(answer.url()); // API responses grow with the data
  });
  await page.goto(web.system.apiUrl);
  await signIn(page);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
  await page.waitForLoadState('load');
  // Fetched once more, because a busy browser may have dropped a body by now.
  const sizes = await Promise.all([...files].map(async (url) => [url, await compressedSize(url)] as const));
  const told = JSON.stringify(sizes);
  expect(sizes.length, told).toBeGreaterThan(3);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  expect(total, told).toBeGreaterThan(100_000); // otherwise some responses were missed
  expect(total, told).toBeLessThanOrEqual(250_000);
  await context.close();
});

async function compressedSize(url: string): Promise<number> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  return gzipSync(await answer.bytes()).length;
}

test('a failed renewal keeps the session, and a renewal that ends after signing out does not restore it', async () => {
  const { page, go } = await web.open({ expected: [401, 503] });
  const json = { code: 'database_away', message: 'Postgres is away' };
  const [asked, signedOut, done] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let isAway = true;
  await page.route('**/login/renew', async (route) => {
    if (isAway) return await route.fulfill({ status: 503, json });
    asked?.resolve();
    await signedOut?.promise;
    await route.fulfill({ response: await route.fetch() });
    done?.resolve();
  });
  await page.evaluate(`{
    const session = JSON.parse(localStorage.getItem('syncrator.session'));
    localStorage.setItem('syncrator.session', JSON.stringify({ ...session, renewAt: 0 }));
  }`);
  await go('/maintenance', 'Maintenance');
  await page.getByText('Jobs start when requested.').waitFor();
  isAway = false;
  await go('/schedules', 'Schedules');
  await asked?.promise;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Username').waitFor();
  signedOut?.resolve();
  await done?.promise;
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  expect(await page.evaluate("localStorage.getItem('syncrator.session')")).toBeNull();
  expect(await page.getByLabel('Username').count()).toBe(1);
});

test('a job starts from the parameters that its dry run showed', async () => {
  const { page, go } = await web.open({ expected: [422] });
  await go('/start', 'Start a job');
  await page.getByRole('combobox', { name: 'Target' }).click();
  await page.getByRole('option', { name: 'quick' }).click();
  await page.getByRole('combobox', { name: 'Environment' }).click();
  await page.getByRole('option', { name: 'dev' }).click();
  await page.getByRole('combobox', { name: 'Action' }).click();
  await page.getByRole('option', { name: 'sync' }).click();
  await page.getByText('--progress 4 --api_job_id dryrun').waitFor();
  const start = page.getByRole('button', { name: 'Start sync of quick in dev' });
  await page.getByLabel('Image tag').fill('not a tag!');
  await page.getByText('must be an image tag').waitFor();
  expect(await start.isEnabled()).toBe(false);
  await page.getByLabel('Image tag').fill('v2');
  await page.getByLabel('Options').fill('--progress 2');
  await page.getByText('--progress 2 --api_job_id dryrun').waitFor();
  await start.click();
  await page.getByRole('heading', { level: 1, name: /^Job \d+: sync of quick in dev$/ }).waitFor();
  await page.getByText('✓ completed').waitFor();
  const id = Number(/\/jobs\/(\d+)$/.exec(page.url())?.[1]);
  expect(await web.system.job(id)).toMatchObject({
    is_tag: 'v2',
    options: '--progress 2',
    status: 'completed',
  });
});

test('starting on a busy target shows and links the job that holds it', async () => {
  const id = await web.running('other');
  const { page, go } = await web.open({ expected: [409] });
  await go('/start?target=other&env=dev&action=sync', 'Start a job');
  await page.getByLabel('Options').fill('--mute --seconds 1');
  await page.getByText('--mute --seconds 1 --api_job_id').waitFor();
  await page.getByRole('button', { name: 'Start sync of other in dev' }).click();
  await page
    .getByRole('alert')
    .getByRole('link', { name: `Job ${id}` })
    .click();
  await page.getByRole('heading', { level: 1, name: `Job ${id}: sync of other in dev` }).waitFor();
  await web.system.call('DELETE', `/jobs/${id}`);
  await page.getByText('⊘ deleted').waitFor();
});

test('progress updates live on job page, list and overview, and so does a cancel', async () => {
  const id = await web.running('long');
  const [job, list, overview] = [await web.open(), await web.open(), await web.open()];
  await job.go(`/jobs/${id}`, /^Job/);
  await list.go('/jobs', 'Jobs');
  await overview.go('/', 'Overview');
  for (const done of [10, 25, 40]) {
    await web.report(id, { records_done: done, records_total: 50 });
    const told = `${done} of 50 records`;
    await job.page.getByText(told).waitFor();
    await overview.page.getByText(told).waitFor();
    await list.page.getByText(`${done} of 50 (${done * 2} %)`).waitFor();
  }
  const failed = [{ id: '1811', why: 'commits: answered 500' }];
  await web.report(id, { records_done: 45, records_total: 50, failed: 1, checkpoint: { failed } });
  await job.page.getByText('Failed items (1)').waitFor();
  await job.page.getByRole('row', { name: '1811 commits: answered 500' }).waitFor();
  await job.page.getByText('Records over time').waitFor();
  await job.page.locator('.uplot').waitFor();
  await job.page.getByText('As a table').click();
  expect(await job.page.locator('table.points tbody tr').count()).toBeGreaterThanOrEqual(3);

  await job.page.getByRole('button', { name: 'Cancel' }).click();
  const dialog = job.page.getByRole('dialog');
  await dialog.getByText('Stops the process of sync of long in dev').waitFor();
  await dialog.getByRole('button', { name: 'No, leave it' }).click();
  expect((await web.system.job(id)).status).toBe('running');
  await job.page.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Cancel the job' }).click();
  for (const { page } of [job, list, overview]) await page.getByText('⊘ deleted').first().waitFor();
  expect(await web.system.job(id)).toMatchObject({ status: 'deleted', cancel_requested_by: 'admin' });
});

test('the cancel dialog closes when its job ends, and no other dialog takes its place', async () => {
  const id = await web.running('long');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Cancel the job' }).waitFor();
  await web.system.call('DELETE', `/jobs/${id}`);
  await page.getByText('⊘ deleted').waitFor();
  await page.getByRole('button', { name: 'Run again' }).waitFor();
  expect(await page.getByRole('button', { name: 'Start it' }).count()).toBe(0);
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('the log can be followed, searched and downloaded', async () => {
  const id = await web.running('long');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  const log = page.getByRole('log', { name: 'Log' });
  await log.getByText(`sync at work for job ${id}`).first().waitFor();
  const lines = async () =>
    Number(/(\d+) lines/.exec((await page.getByText(/\d+ lines/).textContent()) ?? '')?.[1]);
  const before = await lines();
  await expect.poll(lines, { timeout: 15_000 }).toBeGreaterThan(before);
  await page.getByLabel('Search the log').fill(`JOB ${id}`);
  await page.getByText(/\d+ found/).waitFor();
  await page.getByRole('button', { name: 'Find the next' }).click();
  await page.locator('.log-line.is-marked').waitFor();
  await page.getByLabel('Search the log').fill('nowhere to be found');
  await page.getByText('0 found').waitFor();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const file = await (await downloading).createReadStream();
  let text = '';
  for await (const part of file) text += String(part);
  expect(text).toContain(`sync at work for job ${id}\n`);
  await web.system.call('DELETE', `/jobs/${id}`);
  await web.system.until(id, 'deleted');
});

test('after scrolling up in a log by keyboard, new lines do not scroll it back to the end', async () => {
  const id = await web.running('long');
  let offset = 10_000_000;
  const write = async (word: string) => {
    const text = Array.from({ length: 100 }, (_, at) => `${word} ${at}\n`).join('');
    const ref = { job_id: id, step: 0, attempt: 1 };
    const at = { byte_offset: offset, byte_length: text.length, text };
    await web.system.db
      .insertInto('step_logs')
      .values({ ...ref, ...at })
      .execute();
    offset += text.length;
  };
  await write('first');
  const { page, go } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  const log = page.getByRole('log', { name: 'Log' });
  await log.getByText('first 99').waitFor();
  await write('second');
  await log.getByText('second 99').waitFor();
  await log.focus();
  await page.keyboard.press('PageUp');
  await expect.poll(() => page.getByLabel('Follow').isChecked()).toBe(false);
  await page.keyboard.press('Home');
  await log.locator('.log-line').first().getByText('1', { exact: true }).waitFor();
  // The number of lines written before depends on the machine's speed.
  const lines = async () => Number.parseInt((await page.getByText(/^\d+ lines/).textContent()) ?? '', 10);
  const before = await lines();
  await write('third');
  await expect.poll(lines, { timeout: 15_000 }).toBeGreaterThanOrEqual(before + 100);
  expect(await log.evaluate((box: { scrollTop: number }) => box.scrollTop)).toBe(0);
  await page.getByLabel('Follow').check();
  await log.getByText('third 99').waitFor();
  await web.system.call('DELETE', `/jobs/${id}`);
  await web.system.until(id, 'deleted');
});

test('a failed job shows its diagnosis, comes first on the overview, and can be resumed and run again', async () => {
  const { body } = await web.system.call('POST', '/sync/broken/dev');
  const id = Number(body['job_id']);
  const failed = await web.system.until(id, 'failed');
  const { page, go } = await web.open();
  await page.getByText('failed', { exact: false }).first().waitFor();
  expect(await page.getByRole('rowheader').first().textContent()).toBe('broken');
  await page.getByText(failed.diagnosis?.summary ?? 'no summary').waitFor();
  await page.getByRole('link', { name: `job ${id} of broken in dev` }).click();
  const alert = page.getByRole('alert').filter({ hasText: failed.diagnosis?.summary ?? 'no summary' });
  await alert.getByText(failed.diagnosis?.what_to_do ?? 'nothing to do').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Resume it' }).click();
  await page.getByText('This job resumes').waitFor();
  await page.getByText('✗ failed').waitFor();
  const resumed = page.url();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.getByRole('button', { name: 'Start it' }).click();
  await expect.poll(() => page.url()).not.toBe(resumed);
  await page.getByText('✗ failed').waitFor();
  await page.getByRole('link', { name: `Job ${resumed.split('/').at(-1)}`, exact: true }).waitFor();
  await go('/jobs?status=failed&target=broken', 'Jobs');
  await page.getByText('3 jobs').waitFor();
  expect(await page.getByRole('row').count()).toBe(4);
});

test('maintenance starts and ends with a message, and every view of every user shows it', async () => {
  const [acting, looking] = [await web.open(), await web.open()];
  await looking.go('/jobs', 'Jobs');
  await acting.go('/maintenance', 'Maintenance');
  await acting.page.getByLabel('Message').fill('Solr <b>upgrade</b>');
  await acting.page.getByRole('button', { name: 'Pause' }).click();
  for (const { page } of [acting, looking])
    await page.getByText('Maintenance: Solr <b>upgrade</b>').waitFor();
  const { body } = await web.system.call('POST', '/sync/quick/dev');
  await looking.page.getByText('waiting (maintenance)').waitFor();
  await acting.page.getByLabel('Message').fill('Done');
  await acting.page.getByRole('button', { name: 'Resume' }).click();
  for (const { page } of [acting, looking])
    await page.getByText('Maintenance: Solr').waitFor({ state: 'detached' });
  await acting.page.getByRole('row', { name: /resumed Done admin/ }).waitFor();
  await web.system.until(Number(body['job_id']), 'completed');
});

test('a schedule shows its firings in its own zone, and can be paused with a note, resumed and run now', async () => {
  const { page, go } = await web.open();
  await go('/schedules', 'Schedules');
  const card = page.getByRole('region', { name: 'dev.nightly.sync' });
  await card.getByText(/Next: .*01 Jan( \d{4})?, 03:00:00 (CET|GMT\+1)/).waitFor();
  await card.getByRole('button', { name: 'Pause' }).click();
  await page.getByLabel('Note').fill('the source is being moved');
  await page.getByRole('button', { name: 'Pause it' }).click();
  await card.getByText('paused', { exact: true }).waitFor();
  await card.getByText('the source is being moved').waitFor();
  await card.getByRole('button', { name: 'Resume' }).click();
  await card.getByText('on', { exact: true }).waitFor();
  await card.getByRole('button', { name: 'Run now' }).click();
  await page.getByRole('button', { name: 'Run it now' }).click();
  await page.getByRole('heading', { level: 1, name: /^Job \d+: sync of nightly in dev$/ }).waitFor();
  await page.getByText('✓ completed').waitFor();
});

test('a page that Temporal did not answer asks again within seconds, not at the next poll', async () => {
  const { page, go } = await web.open();
  await page.route('**/schedules', async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as SchedulesJson;
    const schedules = answer.schedules.map((schedule) => ({ ...schedule, paused: null, next: null }));
    await route.fulfill({ response, json: { ...answer, temporal: 'unreachable', schedules } });
  });
  await page.reload();
  await go('/schedules', 'Schedules');
  await page.getByText('Cannot reach Temporal').waitFor();
  await page.unroute('**/schedules');
  await page.getByText('Cannot reach Temporal').waitFor({ state: 'detached' });
  await page
    .getByText(/^Next:/)
    .first()
    .waitFor();
});

test('the page shows that it is not live while the server is unreachable, and reconnects by itself', async () => {
  const { page, go, complaints } = await web.open({ expected: [502, 503] });
  await page.getByText('Live', { exact: true }).waitFor();
  await go('/jobs', 'Jobs');
  await page.context().setOffline(true);
  // In Chromium an open stream survives going offline; only new connections fail.
  await web.system.endParts('src/server.ts');
  await page.getByText('Not live').waitFor();
  await go('/jobs?target=other', 'Jobs');
  await page
    .getByText(/^the server cannot be reached/)
    .first()
    .waitFor();
  await web.system.startApi();
  await page.context().setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  complaints.splice(0); // refused connections, as provoked
});

test('a hidden tab closes its streams, and catches up when it is visible again', async () => {
  const { page, go } = await web.open();
  const { body } = await web.system.call('POST', '/sync/other/dev');
  const id = Number(body['job_id']);
  await go(`/jobs/${id}`, /^Job/);
  await page.getByText('▶ running').waitFor();
  await page.getByText(/[1-9]\d* lines/).waitFor();
  let streams = 0;
  page.on('requestfailed', (request) => (streams += /\/events$|\?follow/.test(request.url()) ? 1 : 0));
  const show = async (state: 'hidden' | 'visible') => {
    await page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  };
  await show('hidden');
  await expect.poll(() => streams).toBe(2);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await web.system.call('DELETE', `/jobs/${id}`);
  await web.system.until(id, 'deleted');
  expect(asked, 'requests of a hidden tab').toEqual([]);
  await show('visible');
  await page.getByText('⊘ deleted').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  const lines = await page.locator('.log-number').allTextContents();
  expect(new Set(lines).size).toBe(lines.length);
});
