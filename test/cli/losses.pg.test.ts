/** Losses on the terminal: the real api and worker, with a program that holds what the tests script. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { unlimited } from '../../src/domain/permission.ts';
import { startSystem, type System } from '../support/system.ts';
import { heldSet, holdingSync, writeTales } from '../support/tales.ts';
import { commandLine } from './support.ts';

const PASSWORD = 'a password of the tests';
let system: System;
const tales = writeTales();
const homes = ['admin', 'ada'].map((name) => mkdtempSync(path.join(os.tmpdir(), `syncrator-${name}-`)));
const [admin, ada] = homes.map((home) => commandLine({ home, url: () => system.apiUrl })) as [
  ReturnType<typeof commandLine>,
  ReturnType<typeof commandLine>,
];

beforeAll(async () => {
  const files = ['cities', 'towns', 'moving'].map((target) => tales.params(target, 'sync'));
  system = await startSystem({
    params: files.map(([file, text]) => [file, file.includes('towns') ? `${text}APPROVALS=2\n` : text]),
  });
  await Promise.all([system.startApi(), system.startWorker()]);
  const user = { username: 'ada', passwordHash: await hashPassword(PASSWORD), grant: unlimited('admin') };
  await addUser(system.db, user, { principal: 'test' });
  await admin.login();
  expect((await ada.syncrator(['login', '-u', 'ada'], { input: `${PASSWORD}\n` })).code).toBe(0);
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  tales[Symbol.dispose]();
});

type Loss = { id: number; count: number; pinned: number; digest: string; removal_job_id: number | null };

/** A sync by the admin that holds records. @returns the loss, and the job as `jobs show` tells it */
async function holding(
  target: string,
  ...of: Parameters<typeof heldSet>
): Promise<{ loss: Loss; job: string }> {
  tales.tell(target, { sync: holdingSync(heldSet(...of)) });
  const ended = await admin.syncrator(['sync', target, 'dev', '--wait', '--output', 'json']);
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  const { id } = JSON.parse(ended.stdout) as { id: number };
  const { stdout } = await admin.syncrator(['jobs', 'show', String(id)]);
  return { loss: (await waiting(target)) as Loss, job: stdout };
}

async function waiting(target: string): Promise<Loss | undefined> {
  const { stdout } = await ada.syncrator(['losses', '--target', target, '--output', 'json']);
  return (JSON.parse(stdout) as Loss[])[0];
}

test('losses: list, show, look, keep four, approve the rest as another user, follow the removal', async () => {
  expect((await ada.syncrator(['losses'])).stdout).toBe('no removal waits for an answer\n');
  const { loss, job } = await holding('cities', 1_204, { live: 14_700 });
  const id = String(loss.id);
  expect(job).toMatch(/^held +1,204 removals wait for an answer: syncrator losses$/m);

  const listed = await ada.syncrator(['losses']);
  expect([listed.code, listed.stderr]).toEqual([0, '']);
  expect(listed.stdout).toMatch(/^ID +TARGET +ENV +RECORDS +OF LIVE +KEPT +WAITS SINCE +ANSWER +APPROVED$/m);
  expect(listed.stdout).toMatch(
    new RegExp(`^${id} +cities +dev +1,204 +8.2 % + \\S+ ago +by \\d+ \\w+( \\d+)? +0 of 1$`, 'm'),
  );
  expect(listed.stdout).toContain(`look at one: syncrator losses show ${id}`);

  const shown = await ada.syncrator(['losses', 'show', id]);
  expect(shown.stdout).toMatch(new RegExp(`^set +${id}: 1,204 records of cities in dev$`, 'm'));
  expect(shown.stdout).toMatch(/^share +8\.2 % of 14,700 live$/m);
  expect(shown.stdout).toMatch(/^held by +a job of admin\ntold by +job 1$/m);
  expect(shown.stdout).toMatch(
    /^10 of 1,204 records:\nRECORD +LAST SEEN +MISSING SINCE +KEPT UNTIL +LIVE CONTENT\nk00001 /m,
  );
  expect(shown.stdout).toContain(`syncrator losses approve ${id} --digest ${loss.digest} --reason <words>`);

  const looked = await ada.syncrator(['losses', 'records', id, '--id', 'k0120']);
  expect(looked.stdout.split('\n').filter((line) => line.startsWith('k0120'))).toHaveLength(5);
  const all = await ada.syncrator(['losses', 'records', id, '--all', '--output', 'json']);
  const records = JSON.parse(all.stdout) as { id: string; record: object }[];
  expect(records).toHaveLength(1_204);
  expect(records[1_203]).toMatchObject({ id: 'k01204', record: { name: 'Place 1204', country: 'BE' } });

  const ids = ['k00007', 'k00770', 'k01200', 'k01203'];
  const kept = await ada.syncrator([
    'losses',
    'keep',
    id,
    ...ids,
    '--days',
    '90',
    '--reason',
    'still in use',
  ]);
  expect([kept.code, kept.stderr]).toEqual([0, '']);
  expect(kept.stdout).toBe(
    `kept 4 records for 90 days; 1,200 records still wait: syncrator losses show ${id}\n`,
  );
  const held = heldSet(1_204, { live: 14_700 });
  tales.tell('cities', {
    remove: {
      reports: [{ phase: 'done', deleted: 1_200 }],
      held: { ...held, live: 13_500, records: held.records.filter((one) => ids.includes(one.id)) },
    },
  });
  const asked = ada.begin(['losses', 'approve', id, '--reason', 'closed'], {
    isTerminal: true,
    input: 'y\n',
  });
  await asked.says('1,200 records will be removed from cities in dev; 4 stay. Approve? [y/N]');
  const removed = await asked.ended();
  expect(removed.code).toBe(0);
  expect(removed.stdout).toMatch(/job +\d+: remove of cities in dev/);
  expect(removed.stdout).toMatch(/changes +1,200 deleted/);
  const left = await ada.syncrator(['losses', 'show', id]);
  expect(left.stdout).toMatch(/^kept +4 records, by an answer$/m);
  expect(left.stdout).toMatch(/^answer +all kept for now$/m);
  expect(left.stdout).not.toContain('To remove:');
  // The source lists everything again: the next job resolves the set.
  await holding('cities', 0, { live: 13_500 });
  expect(await waiting('cities')).toBeUndefined();
  const past = await ada.syncrator(['losses', 'list', '--status', 'resolved']);
  expect(past.stdout).toMatch(new RegExp(`^${id} +cities +dev .* resolved`, 'm'));
  const audit = await admin.syncrator(['audit', '--by', 'ada', '--output', 'json']);
  expect(JSON.parse(audit.stdout)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ verb: 'keep-loss', reason: 'still in use' }),
      expect.objectContaining({ verb: 'approve-loss', reason: 'closed' }),
    ]),
  );
});

test('who started the job may not approve; the first of two approvals removes nothing', async () => {
  const { loss } = await holding('towns', 30, { live: 100 });
  const id = String(loss.id);
  const approve = ['losses', 'approve', id, '--digest', loss.digest, '--reason', 'closed'];
  const own = await admin.syncrator(approve);
  expect([own.code, own.stdout]).toEqual([1, '']);
  expect(own.stderr).toContain('admin started');
  const first = await ada.syncrator(approve);
  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(first.stdout).toBe('approved: 1 of 2; nothing is removed before somebody else approves, too\n');
  expect((await ada.syncrator(['losses', 'show', id])).stdout).toMatch(
    /^approvals +1 of 2\n +ada, \S+ ago: closed$/m,
  );
  const again = await ada.syncrator(approve);
  expect([again.code, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toContain('ada has approved');
});

test('an answer without a reason, a confirmation or the present digest changes nothing', async () => {
  const { loss } = await holding('moving', 12, { live: 100 });
  const id = String(loss.id);
  for (const [words, says] of [
    [['approve', id], 'losses approve needs --reason'],
    [['approve', id, '--reason', 'x'], 'no terminal to ask for confirmation: use --digest'],
    [['approve', id, '--reason', 'x', '--wait', '--detach'], '--wait and --detach exclude each other'],
    [['keep', id, '--reason', 'x'], 'name the records to keep, or use --all'],
    [['keep', id, 'k00001'], 'losses keep needs --reason'],
    [['keep', id, 'k00001', '--reason', 'x', '--days', '366'], 'expected a number from 1 to 365'],
    [['keep', id, 'nobody', '--reason', 'x'], "'nobody'"],
    [['show', 'cities'], 'expected the id of a waiting set, e.g. 7'],
    [['show', '900'], 'there is no loss 900'],
  ] as const) {
    const { code, stdout, stderr } = await ada.syncrator(['losses', ...words]);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(says)]);
  }
  const refused = ada.begin(['losses', 'approve', id, '--reason', 'x'], { isTerminal: true, input: 'n\n' });
  expect((await refused.ended()).stdout).toContain('nothing was changed');

  const newer = await holding('moving', 15, { live: 100 });
  expect(newer.loss.id).toBe(loss.id);
  for (const words of [
    ['approve', id],
    ['keep', id, 'k00001'],
  ]) {
    const old = await ada.syncrator(['losses', ...words, '--digest', loss.digest, '--reason', 'x']);
    expect([old.code, old.stdout]).toEqual([1, '']);
    expect(old.stderr).toContain('is not the set that you have seen');
    expect(old.stderr).toContain(newer.loss.digest);
  }
  expect(await waiting('moving')).toMatchObject({ count: 15, pinned: 0, removal_job_id: null });
});

test('the ids of waiting sets are completed', async () => {
  const { loss } = await holding('moving', 3, { live: 100 });
  const { stdout } = await ada.syncrator(['complete', '--', 'losses', 'approve', '']);
  expect(stdout).toContain(`${loss.id}\t3 records of moving in dev\n`);
});
