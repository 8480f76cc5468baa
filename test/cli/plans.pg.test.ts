/** Plans on the terminal: the real api and worker, with a program that plans what the tests script. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSystem, type System } from '../support/system.ts';
import { PLAN_DIGEST, plannedSet, writeTales } from '../support/tales.ts';
import { commandLine } from './support.ts';

let system: System;
const tales = writeTales();
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-planner-'));
const { syncrator, begin, login } = commandLine({ home, url: () => system.apiUrl });

beforeAll(async () => {
  const files = ['cities', 'towns'].map((target) => tales.params(target, 'sync', 'EXIT_CODES=syncrator\n'));
  system = await startSystem({ params: files });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
  tales[Symbol.dispose]();
});

const planning = (...of: Parameters<typeof plannedSet>) => ({
  plan: { reports: [{ phase: 'done' }], plan: plannedSet(...of) },
  apply: { reports: [{ phase: 'done', added: 3, updated: 120, deleted: 2 }] },
});

/** @returns the id of a new plan */
async function plan(target: string, ...of: Parameters<typeof plannedSet>): Promise<string> {
  tales.tell(target, planning(...of));
  const { code, stdout, stderr } = await syncrator([
    'plan',
    'sync',
    target,
    'dev',
    '--wait',
    '--output',
    'json',
  ]);
  expect([code, stderr]).toEqual([0, '']);
  return String((JSON.parse(stdout) as { id: number }).id);
}

test('plans: make one, look at it, apply it with its digest, and see that it was applied', async () => {
  expect((await syncrator(['plans'])).stdout).toBe('no plan\n');
  tales.tell('cities', planning({ added: 3, updated: 120, removed: 2 }, { kept: 4 }));
  const made = await syncrator(['plan', 'sync', 'cities', 'dev', '--wait']);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect(made.stdout).toMatch(/^changes +3 added, 120 changed, 2 removed$/m);
  expect(made.stdout).toMatch(/^compared +14,710 of the source with 14,700 live$/m);
  expect(made.stdout).toContain('syncrator plans apply 1 --digest 9d1c2f7f2f6c1a55\n');

  const listed = await syncrator(['plans']);
  expect(listed.stdout).toMatch(/^ID +TARGET +ENV +ACTION +STATE +CHANGES +MADE$/m);
  expect(listed.stdout).toMatch(/^1 +cities +dev +sync +ready +3 added, 120 changed, 2 removed +\S+ ago$/m);

  const changed = await syncrator(['plans', 'show', '1', '--kind', 'updated', '--id', 'k00007']);
  expect(changed.stdout).toMatch(
    /^k00007 +changed +mayor: \(none\) → {"name":"Ann k00007"}; population: 1000 → 1250$/m,
  );
  const all = await syncrator(['plans', 'show', '1', '--all', '--output', 'json']);
  const records = JSON.parse(all.stdout) as { kind: string; changed: string[] | null }[];
  expect(records).toHaveLength(125);
  expect([records[3]?.changed, records[124]]).toEqual([
    ['mayor', 'population'],
    expect.objectContaining({ kind: 'removed', id: 'k50002', after: null }),
  ]);

  const other = await syncrator(['plans', 'apply', '1', '--digest', '0000000000000000', '--wait']);
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringContaining('is not the one that you have seen'),
  ]);
  const applied = await syncrator(['plans', 'apply', '1', '--digest', PLAN_DIGEST.slice(0, 16), '--wait']);
  expect([applied.code, applied.stderr]).toEqual([0, '']);
  expect(applied.stdout).toMatch(/apply-sync of cities in dev/);
  expect(applied.stdout).toMatch(/changes +3 added, 120 updated, 2 deleted/);
  expect((await syncrator(['plans', 'show', '1'])).stdout).toMatch(/^state +Job 2 has applied this plan\.$/m);
  expect((await syncrator(['jobs', 'show', '2'])).stdout).toMatch(/^plan +1: syncrator plans show 1$/m);
});

test('without a digest it shows the counts and asks; any answer but yes changes nothing', async () => {
  const id = await plan('towns', { added: 1, removed: 12, held: 2 });
  const question =
    '1 record will be added; 12 records will be removed; 2 records will be held, so that they stay until somebody answers, ' +
    'by the sync of towns in dev. Apply? [y/N]';
  const asked = begin(['plans', 'apply', id], { isTerminal: true, input: 'n\n' });
  await asked.says(question);
  expect((await asked.ended()).code).toBe(1);
  expect((await syncrator(['plans', 'apply', id])).stderr).toContain('use --digest <digest>');
  expect((await syncrator(['plans', '--state', 'ready'])).stdout).toContain(`\n${id} `);
  const again = begin(['plans', 'apply', id], { isTerminal: true, input: 'y\n' });
  expect((await again.ended()).code).toBe(0);
  expect((await syncrator(['plans', '--state', 'ready'])).stdout).toBe('no plan\n');
});

test('a plan that shows a part of its records says so; a stale one says why it cannot be applied', async () => {
  const id = await plan('cities', { added: 5, updated: 3 }, { updated: 50_000 });
  const shown = await syncrator(['plans', 'show', id]);
  expect(shown.stdout).toMatch(/^records +changed: 3 of 50,000 can be shown$/m);
  const newer = await plan('cities', {});
  expect((await syncrator(['plans', 'show', newer])).stdout).toMatch(/^changes +nothing changes$/m);
  const stale = await syncrator(['plans', 'apply', id, '--digest', PLAN_DIGEST, '--wait']);
  expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining(`job ${newer} of the same target`)]);
});

test('a program that tells no plan is named; an action that cannot be planned is refused', async () => {
  tales.tell('towns', {});
  const none = await syncrator(['plan', 'sync', 'towns', 'dev', '--wait']);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('told no plan')]);
  const diff = await syncrator(['plan', 'diff', 'towns', 'dev', '--wait']);
  expect([diff.code, diff.stderr]).toEqual([1, expect.stringContaining('plan its delta or its delete')]);
  const short = await syncrator(['plans', 'apply', '1', '--digest', '3f0c']);
  expect([short.code, short.stderr]).toEqual([1, expect.stringContaining('expected 16 to 64')]);
});
