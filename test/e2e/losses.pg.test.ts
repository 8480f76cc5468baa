/**
 * A night's losses through the whole product, with the real sync program: a sync holds 1,204 removals; a second user
 * keeps four of them and approves the rest; the removal runs; a rollback brings everything back.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { grantOf } from '../../src/domain/permission.ts';
import { commandLine } from '../cli/support.ts';
import { someRows } from '../job/support/fake-source.ts';
import { setup } from '../job/support/setup.ts';
import { paramsFile } from '../support/params-files.ts';
import { startSystem, type System } from '../support/system.ts';

const PASSWORD = 'a password of the tests';
const LIVE = 8_000;
const LOST = 1_204;
const undo = new AsyncDisposableStack();
const homes = ['admin', 'ada'].map((name) => mkdtempSync(path.join(os.tmpdir(), `syncrator-${name}-`)));
const [admin, ada] = homes.map((home) => commandLine({ home, url: () => system.apiUrl })) as [
  ReturnType<typeof commandLine>,
  ReturnType<typeof commandLine>,
];
let system: System;
let ends: Awaited<ReturnType<typeof setup>>;

beforeAll(async () => {
  ends = undo.use(await setup(someRows(LIVE)));
  const params = ['sync', 'delta'].map((action) => paramsFile({ target: 'cities', action, command: null }));
  system = undo.use(await startSystem({ params }));
  const folder = path.join(system.dataDir, 'envtarget');
  mkdirSync(folder, { recursive: true });
  const settings = { SOURCE_URL: ends.source.url, SINK_URL: ends.sinkUrl, SINK_TABLE: 'cities' };
  const lines = Object.entries({ SOURCE: 'ndjson', SINK: 'postgres', ...settings });
  const text = lines.map(([name, value]) => `${name}=${value}\n`).join('');
  writeFileSync(path.join(folder, 'dev-cities.env'), text, { mode: 0o600 });
  await Promise.all([system.startApi(), system.startWorker()]);
  const grant = grantOf('operator', [], ['sync', 'rollback', 'approve']);
  const user = { username: 'ada', passwordHash: await hashPassword(PASSWORD), grant };
  await addUser(system.db, user, { principal: 'test' });
  await admin.login();
  await ada.syncrator(['login', '-u', 'ada'], { input: `${PASSWORD}\n` });
}, 90_000);
afterAll(async () => {
  await undo.disposeAsync();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
}, 60_000);

type Ran = {
  id: number;
  created_at: string;
  status: string;
  held: number | null;
  progress: Record<string, unknown>;
};

async function run(cli: typeof admin, ...words: string[]): Promise<Ran> {
  const { stdout, stderr } = await cli.syncrator([...words, '--output', 'json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Ran;
}

const count = async () => Object.keys((await ends.names()) ?? {}).length;
const lives = async (id: string) => id in ((await ends.names()) ?? {});

test('1,204 removals wait, four are kept, the rest is approved, removed and brought back', {
  timeout: 180_000,
}, async () => {
  expect((await run(admin, 'sync', 'cities', 'dev', '--wait')).progress).toMatchObject({ added: LIVE });
  const ids = [...ends.source.rows.keys()].toSorted();
  const lost = ids.slice(0, LOST);
  const backAgain = ends.source.rows.get(lost[9] ?? '');
  for (const id of lost) ends.source.rows.delete(id);
  ends.source.put({ id: 'new', updated_at: new Date().toISOString(), name: 'new' });

  const night = await run(admin, 'sync', 'cities', 'dev', '--wait');
  expect(night).toMatchObject({ status: 'completed', held: LOST, progress: { added: 1, deleted: 0 } });
  expect(await count()).toBe(LIVE + 1);

  const listed = await ada.syncrator(['losses']);
  expect(listed.stdout).toMatch(/cities +dev +1,204 +15 %/);
  const id = /^(\d+) +cities/m.exec(listed.stdout)?.[1] ?? '';
  const looked = JSON.parse(
    (await ada.syncrator(['losses', 'records', id, '--all', '--output', 'json'])).stdout,
  ) as {
    id: string;
    last_seen: string | null;
    record: { name: string };
  }[];
  expect(looked.map((one) => one.id)).toEqual(lost);
  expect(looked[0]?.record.name).toBeTruthy();
  expect(looked[0]?.last_seen).not.toBeNull();

  const kept = lost.slice(0, 4);
  expect((await ada.syncrator(['losses', 'keep', id, ...kept, '--reason', 'still in use'])).code).toBe(0);
  // One of them comes back before the removal looks again.
  if (backAgain) ends.source.put(backAgain);
  const shown = await ada.syncrator(['losses', 'show', id]);
  const digest = /^digest +(\w+)$/m.exec(shown.stdout)?.[1] ?? '';
  const approve = ['losses', 'approve', id, '--digest', digest, '--reason', 'closed in the source'];
  expect((await admin.syncrator(approve)).stderr).toContain('admin started');
  const removal = await run(ada, ...approve, '--wait');
  expect(removal).toMatchObject({ status: 'completed', progress: { deleted: LOST - 4 - 1 } });
  expect(await count()).toBe(LIVE + 1 - (LOST - 4 - 1));
  expect([await lives(kept[0] ?? ''), await lives(lost[9] ?? ''), await lives(lost[10] ?? '')]).toEqual([
    true,
    true,
    false,
  ]);
  // Removals are fresh as of the sync before the kept ones were missed.
  const targets = await admin.syncrator(['targets', 'cities', '--output', 'json']);
  const [dev] = (JSON.parse(targets.stdout) as { environments: { removals_fresh_at: string }[] })
    .environments;
  expect(Date.parse(dev?.removals_fresh_at ?? '')).toBeLessThan(Date.parse(night.created_at));
  expect((await admin.syncrator(['targets'])).stdout).toMatch(
    /^TARGET .*LAST SUCCESS +REMOVALS AS OF +LAST JOB/,
  );
  // The kept ones are held still, but nothing of the set is left to answer.
  expect((await ada.syncrator(['losses', 'show', id])).stdout).toMatch(/^kept +4 records, by an answer$/m);

  const held = await admin.syncrator(['story', 'cities', 'dev', kept[0] ?? '', '--wait']);
  expect(held.stdout).toMatch(/^state +live: a listing lacked it, and its removal waits for an answer$/m);
  expect(held.stdout).toMatch(/^kept until +\d/m);
  const ofHeld = new RegExp(`Z  held: .*\n  by job ${night.id} \\(sync\\), asked for by admin$`, 'm');
  expect(held.stdout).toMatch(ofHeld);

  const back = await run(ada, 'rollback', 'cities', 'dev', '--before', String(removal.id), '--wait');
  expect(back).toMatchObject({ status: 'completed' });
  expect(await count()).toBe(LIVE + 1);

  const story = await admin.syncrator(['story', 'cities', 'dev', lost[10] ?? '', '--wait']);
  expect([story.code, story.stderr]).toEqual([0, '']);
  const entries = [
    `restored by a rollback\n  by job ${back.id} \\(rollback\\), asked for by ada\n  {.*}`,
    `removed\n  by job ${removal.id} \\(remove\\), asked for by ada\n  approved by ada: closed in the source\n  {.*}`,
  ];
  for (const entry of entries) expect(story.stdout).toMatch(new RegExp(`^\\S+Z  ${entry}$`, 'm'));
  expect(story.stdout).toMatch(
    /^the history begins at \S+ with job 1 \(sync\): the table was empty before$/m,
  );
  const refused = await ada.syncrator(['story', 'cities', 'dev', lost[10] ?? '']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("'story'")]);
});
