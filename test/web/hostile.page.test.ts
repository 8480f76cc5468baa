/** Hostile text in names, options, messages, errors and log lines shows as text; no script in it runs. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

/** Each string would set `window.ran` if it ran, each by another kind of markup. */
const MARKUP = [
  '<script>window.ran=1</script>',
  '<img src=x onerror=window.ran=1>',
  '<svg onload=window.ran=1>',
  '"><script>window.ran=1</script>',
  "'><img src=x onerror=window.ran=1>",
  '<a href="javascript:window.ran=1">click</a>',
  'javascript:window.ran=1',
  'data:text/html,<script>window.ran=1</script>',
  '</script><script>window.ran=1</script>',
  '</style><script>window.ran=1</script>',
  '</textarea><script>window.ran=1</script>',
  '</title><script>window.ran=1</script>',
  '<iframe srcdoc="<script>parent.ran=1</script>">',
  '<details open ontoggle=window.ran=1>',
  '<body onload=window.ran=1>',
  '<input autofocus onfocus=window.ran=1>',
  '<math><mi xlink:href="javascript:window.ran=1">x</mi></math>',
  '{{constructor.constructor("window.ran=1")()}}',
  '${window.ran=1}',
  '<template><script>window.ran=1</script></template>',
  '%3Cscript%3Ewindow.ran=1%3C/script%3E',
  '\\u003cscript\\u003ewindow.ran=1\\u003c/script\\u003e',
  '&lt;script&gt;window.ran=1&lt;/script&gt;',
  '<!--<script>window.ran=1//-->',
  '<style>@import "javascript:window.ran=1";</style>',
] as const;
/** Places of a running job: the report's message, its phase (in the table of points), the log; and maintenance. */
const PLACES = 4;

/** Cut to the longest valid name. */
const nameOf = (text: string) => text.slice(0, 40);

let web: Web;
beforeAll(async () => {
  web = await startWeb({ params: [params('long', 'sync', '--mute --seconds 600')] });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test(`${MARKUP.length * PLACES} hostile strings show as text, and none runs`, async () => {
  const id = await web.running('long');
  const { system } = web;
  const lines = MARKUP.map((text) => `${text}\n`).join('');
  await system.db
    .insertInto('step_logs')
    .values({
      job_id: id,
      step: 0,
      attempt: 1,
      byte_offset: 10_000_000,
      byte_length: Buffer.byteLength(lines),
      text: lines,
    })
    .execute();
  const view = await web.open();
  const { page } = view;
  await view.go(`/jobs/${id}`, /^Job/);
  const seen = new Set<string>();
  let done = 0;
  for (const text of MARKUP) {
    done += 1;
    await web.report(id, { message: text, phase: text.slice(0, 40), records_done: done, records_total: 100 });
    await page.getByText(text, { exact: true }).first().waitFor();
    seen.add(`message ${text}`);
    await system.call('POST', '/maintenance-status', { paused: true, msg: text });
    await page.getByText(`Maintenance: ${text}`, { exact: true }).waitFor();
    seen.add(`maintenance ${text}`);
  }
  await page.getByText('As a table').click();
  for (const text of MARKUP) {
    await page.locator('table.points').getByText(text.slice(0, 40), { exact: true }).first().waitFor();
    seen.add(`phase ${text}`);
    await page.getByLabel('Search the log').fill(text);
    await page.locator('.log-line.is-marked').getByText(text).or(page.getByText('1 found')).first().waitFor();
    await page.getByRole('button', { name: 'Find the next' }).click();
    await page.locator('.log-line.is-marked').filter({ hasText: text }).waitFor();
    seen.add(`log ${text}`);
  }
  expect(seen.size).toBe(MARKUP.length * PLACES);
  expect(await page.evaluate('window.ran')).toBeUndefined();
  expect(
    await page.locator('main script, main iframe, main img, main [onerror], main [onload]').count(),
  ).toBe(0);
  expect(view.complaints).toEqual([]);
  await system.call('POST', '/maintenance-status', { paused: false, msg: 'done' });
}, 120_000);

test(`${MARKUP.length} failed jobs that are hostile in every name, error and parameter show as text too`, async () => {
  const { db } = web.system;
  const ids: number[] = [];
  for (const text of MARKUP) {
    const diagnosis = { code: text, summary: text, detail: text, what_to_do: text };
    const { id } = await db
      .insertInto('jobs')
      .values({
        uid: randomUUID(),
        env: 'dev',
        target: nameOf(text),
        action_name: 'sync',
        action: text,
        is_tag: text,
        options: text,
        mam_main_query: text,
        runner: 'process',
        steps_spec: '[]',
        spec_hash: '',
        trigger: 'api',
        requested_by: text,
        status: 'failed',
        status_reason: text,
        status_detail: text,
        finished_at: new Date(),
        diagnosis: JSON.stringify(diagnosis),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    ids.push(id);
  }
  const view = await web.open();
  const { page } = view;
  // The overview keys its rows by target and env with a space between, which no name has.
  for (const text of MARKUP.filter((one) => !one.includes(' ')))
    await page.getByRole('rowheader', { name: nameOf(text), exact: true }).waitFor();
  await view.go('/jobs?status=failed', 'Jobs');
  await page
    .getByRole('cell', { name: MARKUP.at(-1) ?? '', exact: true })
    .first()
    .waitFor();
  for (const [at, text] of MARKUP.entries()) {
    await view.go(`/jobs/${ids[at]}`, `Job ${ids[at]}: sync of ${nameOf(text)} in dev`);
    const alert = page.getByRole('alert').filter({ hasText: 'What to do:' });
    await alert.getByText(`What to do: ${text}`, { exact: true }).waitFor();
    expect(await page.getByRole('cell', { name: text, exact: true }).count()).toBeGreaterThanOrEqual(4);
  }
  expect(await page.evaluate('window.ran')).toBeUndefined();
  expect(view.complaints).toEqual([]);
}, 120_000);

test('hostile addresses show a view and run no script', async () => {
  const view = await web.open({ expected: [400, 404] });
  for (const text of MARKUP) {
    await view.page.goto(`${web.system.apiUrl}/#/jobs/${encodeURIComponent(text)}`);
    await view.page.getByRole('heading', { level: 1, name: 'Page not found' }).waitFor();
    await view.page.goto(
      `${web.system.apiUrl}/#/jobs?target=${encodeURIComponent(text)}&status=${encodeURIComponent(text)}`,
    );
    await view.page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor();
  }
  expect(await view.page.evaluate('window.ran')).toBeUndefined();
  expect(view.complaints).toEqual([]);
}, 60_000);
