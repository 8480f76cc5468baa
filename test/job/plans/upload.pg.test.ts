/** What the api is told about a plan. */

import { expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { apply, makePlan, runJob } from '../support/plan-setup.ts';
import { setup, type Setup } from '../support/setup.ts';

const last = (t: Setup) => t.receiver.reports.at(-1);
const problem = (status: number, code: string) => Response.json({ code }, { status });
const NOW = new Date().toISOString();

it('a plan is told in pages of at most 500 records and one MiB, by kind and then by the bytes of the id', async () => {
  await using t = await setup(someRows(900));
  await runJob(t, 1, 'sync');
  for (const id of ['z', 'B', 'é', 'a']) t.source.put({ id, updated_at: NOW, name: 'x' });
  for (const { id } of someRows(700)) t.source.put({ id, updated_at: NOW, name: 'y'.repeat(3_000) });
  for (const { id } of someRows(900).slice(800)) t.source.rows.delete(id);
  const made = await makePlan(t, 2, 'sync --force-delete');
  expect(made.summary).toMatchObject({ added: 4, updated: 700, removed: 100 });
  expect(made.records.map(({ id }) => id)).toEqual([
    'B',
    'a',
    'z',
    'é',
    ...someRows(700).map(({ id }) => id),
    ...someRows(900)
      .slice(800)
      .map(({ id }) => id),
  ]);
  for (const { records, bytes } of t.receiver.planPages) {
    expect(records.length).toBeLessThanOrEqual(500);
    expect(bytes).toBeLessThan(1024 * 1024);
  }
  expect(t.receiver.planPages.length).toBeGreaterThan(2);
  expect(t.receiver.planPages.filter(({ summary }) => summary)).toHaveLength(1);
  expect(new Set(t.receiver.authorizations)).toEqual(new Set(['Bearer 1.1.secret-mac']));
});

it('a plan that would change nothing is told too, with one empty page', async () => {
  await using t = await setup(someRows(10));
  await runJob(t, 1, 'sync');
  const made = await makePlan(t, 2, 'sync');
  expect(made.records).toEqual([]);
  expect(made.summary).toMatchObject({ live: 10, listed: 10, added: 0, updated: 0, removed: 0 });
  expect(t.receiver.planPages).toHaveLength(1);
  expect(await apply(t, 3, made)).toMatchObject({ code: EXIT.ok });
  expect((await t.sink()).watermark?.toISOString()).toBe(made.summary.watermark);
});

it('numbers keep their digits', async () => {
  await using t = await setup(someRows(10));
  await runJob(t, 1, 'sync');
  await t.query(`UPDATE cities SET record = '{"number": 12345678901234567890.10}' WHERE id = 'r00001'`);
  let body = '';
  t.receiver.answerPlan = ({ raw }) => void (body = raw);
  await makePlan(t, 2, 'sync');
  expect(body).toContain('12345678901234567890.10');
});

it('an upload that the api expects from the start begins again', async () => {
  await using t = await setup(someRows(600));
  let refusals = 0;
  t.receiver.answerPlan = ({ page }) => {
    if (page !== 1 || refusals === 2) return undefined;
    refusals += 1;
    return problem(409, 'page_out_of_order');
  };
  const made = await makePlan(t, 1, 'sync');
  expect(t.receiver.planPages.map(({ page }) => page)).toEqual([0, 1, 0, 1, 0, 1]);
  expect(made.records).toHaveLength(600);
});

it.each([
  ['answers that it has no such route', () => problem(404, 'not_found'), EXIT.failed, 'knows no plans (404)'],
  ['is down', () => problem(503, 'unavailable'), EXIT.failed, 'answered 503'],
  [
    'always expects another page',
    () => problem(409, 'page_out_of_order'),
    EXIT.failed,
    'another page 3 times',
  ],
  ['refuses the attempt', () => problem(410, 'superseded'), EXIT.refused, 'refused the plans (answered 410)'],
])('a plan fails if the api %s, since nobody could see it', async (_, answer, code, words) => {
  await using t = await setup(someRows(10));
  t.receiver.answerPlan = answer;
  expect(await runJob(t, 1, 'plan --of sync')).toMatchObject({ code });
  expect(last(t)?.message).toContain(words);
  t.receiver.answerPlan = null;
  const made = await makePlan(t, 1, 'sync', { SYNCRATOR_ATTEMPT: '2' });
  expect(await apply(t, 2, made)).toMatchObject({ code: EXIT.ok });
});

it('a run by hand, without an api, says in its log how to apply the plan', async () => {
  await using t = await setup(someRows(10));
  const ended = await t.run('plan --of sync', { SYNCRATOR_REPORT_URL: '' });
  expect(ended.code, ended.output).toBe(EXIT.ok);
  const [, options = ''] = /(apply --plan [-0-9a-f]{36} --digest [0-9a-f]{64})/.exec(ended.output) ?? [];
  expect((await t.run(options, { SYNCRATOR_REPORT_URL: '' })).code).toBe(EXIT.ok);
  expect(Object.keys((await t.names()) ?? {})).toHaveLength(10);
});
