/**
 * Plan and apply through the whole product, with the real sync program: a plan changes nothing and shows every change;
 * its application does exactly that; a plan that has become stale is refused by the api, and by the sink.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../cli/support.ts';
import { someRows } from '../job/support/fake-source.ts';
import { setup } from '../job/support/setup.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';

const LIVE = 2_000;
const undo = new AsyncDisposableStack();
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-planner-'));
const { syncrator, login } = commandLine({ home, url: () => system.apiUrl });
let system: System;
let ends: Awaited<ReturnType<typeof setup>>;

beforeAll(async () => {
  ends = undo.use(await setup(someRows(LIVE)));
  const params = ['sync', 'delete'].map((action) => paramsFile({ target: 'cities', action, command: null }));
  system = undo.use(await startSystem({ params }));
  const folder = path.join(system.dataDir, 'envtarget');
  mkdirSync(folder, { recursive: true });
  const settings = { SOURCE_URL: ends.source.url, SINK_URL: ends.sinkUrl, SINK_TABLE: 'cities' };
  const lines = Object.entries({ SOURCE: 'ndjson', SINK: 'postgres', ...settings });
  const text = lines.map(([name, value]) => `${name}=${value}\n`).join('');
  writeFileSync(path.join(folder, 'dev-cities.env'), text, { mode: 0o600 });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
}, 90_000);
afterAll(async () => {
  await undo.disposeAsync();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

type Answer = { id: number; status: string; state: string; progress: object; digest: string };

async function run(...words: string[]): Promise<Answer> {
  const { stdout, stderr } = await syncrator([...words, '--output', 'json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Answer;
}

const live = async () => (await ends.names()) ?? {};
const ofSource = () =>
  Object.fromEntries([...ends.source.rows.values()].map((row) => [row.id, (row as { name?: unknown }).name]));

/** Adds one record, changes one, and loses one. */
function change(nth: number) {
  const [lost = '', changed = ''] = [...ends.source.rows.keys()].toSorted().slice(nth * 2, nth * 2 + 2);
  ends.source.rows.delete(lost);
  const updated_at = new Date().toISOString();
  ends.source.put({ id: changed, updated_at, name: `changed ${nth}` });
  ends.source.put({ id: `new ${nth}`, updated_at, name: `new ${nth}` });
  return { lost, changed };
}

test('a plan shows every change and makes none; applying it does exactly that; a rollback undoes it', {
  timeout: 180_000,
}, async () => {
  await run('sync', 'cities', 'dev', '--wait');
  const before = await live();
  const { lost, changed } = change(0);
  const plan = await run('plan', 'sync', 'cities', 'dev', '--wait');
  expect(plan).toMatchObject({
    state: 'ready',
    live: LIVE,
    listed: LIVE,
    added: 1,
    updated: 1,
    removed: 1,
    held: 0,
  });
  expect(await live()).toEqual(before);
  const { stdout } = await syncrator(['plans', 'show', String(plan.id), '--all', '--output', 'json']);
  const records = JSON.parse(stdout) as {
    kind: string;
    id: string;
    changed: string[] | null;
    after: object;
  }[];
  expect(records.map(({ kind, id }) => [kind, id])).toEqual([
    ['added', 'new 0'],
    ['updated', changed],
    ['removed', lost],
  ]);
  expect(records[1]).toMatchObject({
    changed: expect.arrayContaining(['name']) as string[],
    after: { name: 'changed 0' },
  });

  const job = await run('plans', 'apply', String(plan.id), '--digest', plan.digest.slice(0, 16), '--wait');
  expect(job).toMatchObject({ status: 'completed', progress: { added: 1, updated: 1, deleted: 1 } });
  expect(await live()).toEqual(ofSource());
  expect((await run('plans', 'show', String(plan.id))).state).toBe('applied');

  await run('rollback', 'cities', 'dev', '--before', String(job.id), '--wait');
  expect(await live()).toEqual(before);
});

test('a plan that is stale is refused: by the api after another job, by the sink after a change that nobody told', {
  timeout: 180_000,
}, async () => {
  await run('sync', 'cities', 'dev', '--wait');
  change(1);
  const first = await run('plan', 'sync', 'cities', 'dev', '--wait');
  await run('sync', 'cities', 'dev', '--wait');
  const refused = await syncrator(['plans', 'apply', String(first.id), '--digest', first.digest, '--wait']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is stale')]);

  const { changed } = change(2);
  const second = await run('plan', 'sync', 'cities', 'dev', '--wait');
  await ends.query(`UPDATE cities SET record = record || '{"name": "by hand"}' WHERE id = '${changed}'`);
  const before = await live();
  const failed = await syncrator(['plans', 'apply', String(second.id), '--digest', second.digest, '--wait']);
  expect([failed.code, failed.stdout]).toEqual([2, expect.stringContaining('The plan no longer holds')]);
  expect(await live()).toEqual(before);
});
