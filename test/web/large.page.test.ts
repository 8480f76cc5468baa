/** 100,000 jobs and a log of 100,000 lines: the page renders few rows, and can reach each one. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

const MANY = 100_000;
/** Most rows in the document at once. */
const FEW = 150;

let web: Web;
beforeAll(async () => {
  web = await startWeb({ params: [params('big', 'sync', '--mute')] });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test('the list of 100,000 jobs renders few rows, loads more while scrolling, and filters on the server', async () => {
  for (let from = 0; from < MANY; from += 10_000)
    await sql`INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec, spec_hash,
        "trigger", requested_by, status, finished_at)
      SELECT gen_random_uuid(), 'dev', 'many-' || n % 50, 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api',
        'test', CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'completed' END, now()
      FROM generate_series(${from + 1}::int, ${from + 10_000}::int) n`.execute(web.system.db);
  const { page, go, complaints } = await web.open();
  await go('/jobs', 'Jobs');
  const rows = page.getByRole('row');
  await page.getByText('100 jobs so far').waitFor();
  const table = page.getByRole('table', { name: 'Jobs' });
  for (const least of [200, 400, 600]) {
    await expect
      .poll(
        async () => {
          await table.evaluate((box: { scrollTop: number; scrollHeight: number }) => {
            box.scrollTop = box.scrollHeight;
          });
          return Number(
            /^([\d,]+) jobs/.exec((await page.getByText(/jobs so far/).textContent()) ?? '')?.[1],
          );
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThanOrEqual(least);
    expect(await rows.count()).toBeLessThan(FEW);
  }
  await table.evaluate((box: { scrollTop: number }) => {
    box.scrollTop = 4_000;
  });
  const firstSeen = () =>
    page.evaluate<string>(`{
      const top = document.querySelector('.jobs-head').getBoundingClientRect().bottom;
      const lines = [...document.querySelectorAll('.jobs-line')].map((line) => [line.getBoundingClientRect().top, line]);
      lines.filter(([at]) => at >= top - 1).sort(([a], [b]) => a - b)[0][1].querySelector('a').textContent;
    }`);
  await expect.poll(firstSeen).toBe(String(MANY - 100));
  const { body } = await web.system.call('POST', '/sync/big/dev');
  await web.system.until(Number(body['job_id']), 'completed');
  await page.getByText(/^\d+01 jobs so far/).waitFor();
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  expect(await firstSeen()).toBe(String(MANY - 100));
  await go('/jobs?status=failed', 'Jobs');
  await page.getByText(/^100 jobs/).waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
}, 120_000);

test('a log of 100,000 lines renders few of them, shows its last line, and finds one in the middle', async () => {
  const { body } = await web.system.call('POST', '/sync/big/dev');
  const id = Number(body['job_id']);
  await web.system.until(id, 'completed');
  await web.system.db.deleteFrom('step_logs').where('job_id', '=', id).execute();
  const chunk = 1_000;
  let offset = 0;
  for (let from = 0; from < MANY; from += chunk) {
    const text = Array.from({ length: chunk }, (_, at) => `line ${from + at + 1} of a long log\n`).join('');
    const ref = { job_id: id, step: 0, attempt: 1 };
    await web.system.db
      .insertInto('step_logs')
      .values({ ...ref, byte_offset: offset, byte_length: text.length, text })
      .execute();
    offset += text.length;
  }
  const { page, go, complaints } = await web.open();
  await go(`/jobs/${id}`, /^Job/);
  await page.getByText('100,000 lines').waitFor();
  await page.getByText(`line ${MANY} of a long log`).waitFor();
  expect(await page.locator('.log-line').count()).toBeLessThan(FEW);
  await page.getByLabel('Search the log').fill('line 50000 of');
  await page.getByText('1 found').waitFor();
  await page.locator('.log-line.is-marked').filter({ hasText: 'line 50000 of a long log' }).waitFor();
  expect(await page.locator('.log-line').count()).toBeLessThan(FEW);
  expect(complaints).toEqual([]);
}, 120_000);
