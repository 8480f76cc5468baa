/** The story of a record on the page, as a stand-in program tells it; and as of when removals are done. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { heldSet, holdingSync, writeTales } from '../support/tales.ts';
import { startWeb, type Web } from './support.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tales = writeTales();
let web: Web;

beforeAll(async () => {
  web = await startWeb({ params: [tales.params('cities', 'sync')] });
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  tales[Symbol.dispose]();
});
afterEach(() => web.closeViews());

const valueOf = (name: string, more: object = {}) => ({
  updated_at: '2026-11-22T00:40:00.000Z',
  record: { name, ...more },
});

test('a record of a loss leads to its story: a timeline with the changed fields and the jobs', async () => {
  tales.tell('cities', { sync: holdingSync(heldSet(20, { live: 100 })) });
  const job = await web.started('/sync/cities/dev', 'completed');
  const { rows } = await sql<{ uid: string }>`SELECT uid FROM jobs WHERE id = ${job}`.execute(web.system.db);
  const of = { job_uid: rows[0]?.uid ?? '', reason: null, changed: null, changed_by_others: false };
  const [one, two] = [valueOf('<b>Gand</b>', { size: 1 }), valueOf('Gent', { size: 1 })];
  tales.tell('cities', {
    story: {
      reports: [{ phase: 'done' }],
      story: {
        live: two,
        kept: { reason: 'held', since: '2026-11-23T01:00:00.000Z', checked: '2026-11-24T01:00:00.000Z' },
        last_seen: '2026-11-22T01:00:00.000Z',
        begins: { at: '2026-10-01T01:00:00.000Z', action: 'sync', job_uid: null, why: null },
        older: 0,
        entries: [
          {
            ...of,
            at: '2026-11-23T01:00:00.000Z',
            kind: 'held',
            action: 'sync',
            reason: 'held',
            before: null,
            after: null,
          },
          {
            ...of,
            at: '2026-11-22T01:00:00.000Z',
            kind: 'updated',
            action: 'delta',
            changed: ['name'],
            changed_by_others: true,
            before: one,
            after: two,
          },
          {
            ...of,
            at: '2026-11-21T01:00:00.000Z',
            kind: 'added',
            action: 'sync',
            before: null,
            after: one,
            job_uid: null,
          },
        ],
      },
    },
  });
  const { digest } = (await web.system.call('GET', '/losses/1')).body;
  const json = { digest, reason: 'still <i>in use</i>', ids: ['k00003'], days: 9 };
  await web.system.call('POST', '/losses/1/keep', json);
  const { page, go } = await web.open();
  await go('/losses/1', 'Loss 1: cities in dev');
  await page.getByRole('button', { name: 'k00003' }).click();
  await page.getByRole('button', { name: 'Story of the record k00003' }).click();
  const story = page.getByRole('region', { name: 'Story of a record' });
  const entries = story.getByRole('list', { name: 'What happened to k00003, newest first' }).locator('> li');
  await expect.poll(() => entries.count(), { timeout: 30_000 }).toBe(4);
  const [pinned, held, updated, added] = await entries.allInnerTexts();
  expect(pinned).toMatch(/kept by an answer until \w{3} \d/);
  expect(pinned).toContain('as a record of loss 1: “still <i>in use</i>”');
  expect(held).toContain('held: its removal waits for an answer');
  expect(held).toContain(`job ${job}`);
  expect(updated?.replaceAll(/\s+/g, ' ')).toContain('name "<b>Gand</b>" "Gent"');
  expect(updated).not.toContain('size');
  expect(updated).toContain('another program');
  expect(added).toContain('by a sync of an unknown job');
  expect(await story.innerText()).toContain('older changes were deleted');
  await page.evaluate(AXE);
  const found = await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))');
  expect(found).toEqual([]);
  expect(await entries.first().getByRole('link', { name: 'loss 1' }).getAttribute('href')).toContain(
    '/losses/1',
  );
  await entries
    .nth(1)
    .getByRole('link', { name: `job ${job}` })
    .click();
  await page.getByRole('heading', { name: `Job ${job}: sync of cities in dev` }).waitFor();
});

test("a job's page asks for the story of any id, also an odd one, and says why there is none", async () => {
  tales.tell('cities', {});
  const job = await web.started('/sync/cities/dev', 'completed');
  const { page, go } = await web.open();
  await go(`/jobs/${job}`, `Job ${job}: sync of cities in dev`);
  const id = '-a b/..?é';
  await page.getByLabel('Id of a record of cities in dev').fill(id);
  await page.getByRole('button', { name: 'Tell its story' }).click();
  await page.getByRole('heading', { name: /: story of cities in dev/ }).waitFor();
  await expect.poll(() => page.getByLabel('Id of a record of cities in dev').inputValue()).toBe(id);
});

test('the overview says as of when removals are done, if other changes are newer', async () => {
  const { page, go } = await web.open();
  await go('/', 'Overview');
  await page.getByText('Last success').first().waitFor();
  expect(await page.getByText('Removals as of').count()).toBe(0);
  await sql`INSERT INTO proven_listings (env, target, at, job_id)
    VALUES ('dev', 'cities', now() - interval '3 days', 0)`.execute(web.system.db);
  await sql`UPDATE losses SET status = 'resolved'`.execute(web.system.db);
  await page.reload();
  await page.getByText('Removals as of 3d ago').waitFor();
});
