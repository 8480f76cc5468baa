/** Rollbacks and the effects of jobs on the terminal: the real api and worker, with programs that only report. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { startSystem, type System } from '../support/system.ts';
import { DOUBTFUL_SYNC, PREVIEW, writeTales } from '../support/tales.ts';
import { commandLine } from './support.ts';

let system: System;
const tales = writeTales();
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-cli-'));
const { syncrator, login, begin } = commandLine({ home, url: () => system.apiUrl });

beforeAll(async () => {
  system = await startSystem({
    params: ['cities', 'gone', 'owned', 'quick'].map((target) => tales.params(target, 'sync')),
  });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
  tales[Symbol.dispose]();
});

/** @returns the new job's id */
async function synced(target: string): Promise<number> {
  const { stdout } = await syncrator(['sync', target, 'dev', '--wait', '--output', 'json']);
  return (JSON.parse(stdout) as { id: number }).id;
}

test('a job shows its doubts when it ends, and `jobs show` lists them all', async () => {
  tales.tell('cities', { sync: DOUBTFUL_SYNC });
  const ended = await syncrator(['sync', 'cities', 'dev', '--wait']);
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  expect(ended.stdout).toMatch(/^warnings +the source did not show that its listing is complete/m);
  expect(ended.stdout).toMatch(/^ +the clock of the source is 12 min ahead of ours/m);
  const id = /^job +(\d+):/.exec(ended.stdout)?.[1] ?? '';
  const { stdout } = await syncrator(['jobs', 'show', id]);
  expect(stdout).toMatch(/^warnings +the source did not show/m);
  expect(stdout).toMatch(/^listing +not proven complete$/m);
  expect(stdout).toMatch(/^kept +2,104 records stay though the listing lacks them$/m);
  expect(stdout).toMatch(/^next delta +reads from 2026-11-21T00:00:00.000Z on$/m);
  expect(stdout).toMatch(/^rejected +2: k00042 \(line 17: updated_at is 25:61, not a valid time\), k00911/m);
  expect((await syncrator(['targets', 'cities'])).stdout).toContain('not proven complete');
});

test('a preview shows what would change, and the command that does exactly that', async () => {
  tales.tell('cities', {
    sync: { reports: [{ phase: 'done', added: 9 }] },
    preview: {
      reports: [
        { phase: 'done', rollback_preview: { ...PREVIEW, before: { ...PREVIEW.before, job_id: 1 } } },
      ],
    },
    rollback: { reports: [{ phase: 'done', updated: 9 }] },
  });
  const id = await synced('cities');
  const preview = await syncrator(['rollback', 'cities', 'dev', '--before', String(id), '--preview']);
  expect(preview.code).toBe(0);
  expect(preview.stdout).toMatch(/^back to +before job 1 \(sync\), which wrote .* ago$/m);
  expect(preview.stdout).toMatch(/^come back +9\nchange +1,120\ngo +3\n/m);
  expect(preview.stdout).toMatch(/^others +4 of these records have since been changed by somebody else/m);
  expect(preview.stdout).toMatch(/^next delta +reads from 2026-11-21T00:00:00.000Z on$/m);
  expect(preview.stdout).toMatch(/nothing was changed\n\n3 of 1,132 records:\nRECORD +WHAT +FIELDS\n/);
  expect(preview.stdout).toMatch(/^k00042 +changes +name, population$/m);
  const doIt = /^To do it: syncrator (.*)$/m.exec(preview.stdout)?.[1]?.split(' ') ?? [];
  expect(doIt).toEqual(['rollback', 'cities', 'dev', '--before', '1', '--expect', PREVIEW.digest]);

  const done = await syncrator([...doIt, '--wait', '--output', 'json']);
  expect(done.code).toBe(0);
  const rollback = JSON.parse(done.stdout) as { id: number; rollback_before: number };
  expect(rollback.rollback_before).toBe(1);
  const [{ uid }, { options }] = await Promise.all([system.job(1), system.job(rollback.id)]);
  expect(options).toContain(`--before ${uid} --expect ${PREVIEW.digest}`);
  const shown = await syncrator(['jobs', 'show', String(rollback.id)]);
  expect(shown.stdout).toMatch(/^rolled back to +before job 1$/m);
});

test('a preview of some records names them in the command that restores them', async () => {
  tales.tell('cities', {
    sync: { reports: [{ phase: 'done', added: 9 }] },
    preview: { reports: [{ phase: 'done', rollback_preview: { ...PREVIEW, some_records: true } }] },
  });
  const before = String(await synced('cities'));
  const some = ['rollback', 'cities', 'dev', '--before', before, '--id', "k's 1", '--id', 'k00042'];
  const { stdout } = await syncrator([...some, '--preview']);
  expect(stdout).toMatch(/^other records +stay as they are$/m);
  expect(stdout).toMatch(/^To do it: .* --id 'k'\\''s 1' --id k00042 --expect [0-9a-f]+$/m);
  const both = await syncrator([...some, '--only']);
  expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('only: excludes ids')]);
});

test('`rollback` without a change set to go back to exits with 2, and contradicting options are refused', async () => {
  tales.tell('gone', {
    preview: {
      reports: [{ phase: 'failed', message: 'the history begins with this job' }],
      exit: EXIT.nothingToRollBack,
    },
  });
  const none = await syncrator(['rollback', 'gone', 'dev', '--preview', '--wait']);
  expect([none.code, none.stderr]).toEqual([2, '']);
  expect(none.stdout).toMatch(/^detail +the history begins with this job$/m);
  for (const [more, words] of [
    [['--expect', PREVIEW.digest], '--preview and --expect exclude each other'],
    [['--detach'], '--preview and --detach exclude each other'],
  ] as const) {
    const wrong = await syncrator(['rollback', 'gone', 'dev', '--preview', ...more]);
    expect([wrong.code, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toContain(words);
  }
  const unread = await syncrator(['rollback', 'gone', 'dev', '--before', 'yesterday']);
  expect([unread.code, unread.stderr]).toEqual([1, expect.stringContaining('expected a job id, e.g. 7')]);
  tales.tell('gone', {});
  const silent = await syncrator(['rollback', 'gone', 'dev', '--preview', '--wait']);
  expect([silent.code, silent.stderr]).toEqual([1, expect.stringContaining('reported no preview')]);
});

test('a sink is taken over only after the answer yes', async () => {
  tales.tell('owned', { 'take-over': { reports: [{ phase: 'done' }] } });
  const unasked = await syncrator(['sink', 'take-over', 'owned', 'dev']);
  expect([unasked.code, unasked.stdout]).toEqual([1, '']);
  expect(unasked.stderr).toContain('no terminal to ask for confirmation: use --yes');
  const asked = begin(['sink', 'take-over', 'owned', 'dev', '--wait'], { isTerminal: true, input: 'n\n' });
  await asked.says('Take over the sink of owned in dev?');
  expect((await asked.ended()).stdout).toContain('nothing was changed');
  const jobs = async () =>
    JSON.parse((await syncrator(['jobs', '-t', 'owned', '--output', 'json'])).stdout) as unknown[];
  expect(await jobs()).toEqual([]);
  const agreed = await syncrator([
    'sink',
    'take-over',
    'owned',
    'dev',
    '--wait',
    '--yes',
    '--reason',
    'dev moved here',
  ]);
  expect(agreed.code).toBe(0);
  expect(await jobs()).toMatchObject([{ job_type: 'take-over', status: 'completed' }]);
  const audit = await syncrator(['audit', '--verb', 'take-over', '--output', 'json']);
  expect(JSON.parse(audit.stdout)).toMatchObject([{ principal: 'admin', reason: 'dev moved here' }]);
});
