/** The story of a record on the terminal: the real api and worker, with a program that tells what the tests script. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSystem, type System } from '../support/system.ts';
import { heldSet, holdingSync, writeTales } from '../support/tales.ts';
import { commandLine } from './support.ts';

let system: System;
const tales = writeTales();
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-story-'));
const { syncrator, login } = commandLine({ home, url: () => system.apiUrl });

beforeAll(async () => {
  system = await startSystem({ params: [tales.params('cities', 'sync')] });
  await Promise.all([system.startApi(), system.startWorker()]);
  await login();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
  tales[Symbol.dispose]();
});

const HELD_AT = '2026-11-23T01:00:00.000Z';
const valueOf = (name: string) => ({ updated_at: '2026-11-22T00:40:00.000Z', record: { name } });
const of = {
  job_uid: null,
  reason: null,
  changed: null,
  changed_by_others: false,
  before: null,
  after: null,
};
const STORY = {
  live: valueOf('Gent'),
  kept: { reason: 'held', since: HELD_AT, checked: HELD_AT },
  last_seen: '2026-11-22T01:00:00.000Z',
  begins: null,
  older: 0,
  entries: [
    { ...of, at: HELD_AT, kind: 'held', action: 'sync', reason: 'held' },
    {
      ...of,
      at: '2026-11-22T01:00:00.000Z',
      kind: 'updated',
      action: 'delta',
      changed: ['name'],
      before: valueOf('Gand'),
      after: valueOf('Gent'),
    },
  ],
};

test('story prints what happened, the newest first, with who has kept the record until when and why', async () => {
  tales.tell('cities', {
    sync: holdingSync(heldSet(3, { live: 100 })),
    story: { reports: [{ phase: 'done' }], story: STORY },
  });
  expect((await syncrator(['sync', 'cities', 'dev', '--wait'])).code).toBe(0);
  const [loss] = JSON.parse((await syncrator(['losses', '--output', 'json'])).stdout) as { id: number }[];
  const keep = ['losses', 'keep', String(loss?.id), 'k00002', '--days', '90', '--reason', 'still in use'];
  expect((await syncrator(keep)).code).toBe(0);

  const told = await syncrator(['story', 'cities', 'dev', 'k00002', '--wait']);
  expect([told.code, told.stderr]).toEqual([0, '']);
  const paragraphs = told.stdout.trimEnd().split('\n\n');
  expect(paragraphs[0]).toMatch(/^record +"k00002" of cities in dev$/m);
  expect(paragraphs[1]).toMatch(
    /^\S+Z {2}kept by an answer until \d{4}-\d\d-\d\dT\S+Z\n {2}by admin, as a record of loss 1: “still in use”$/,
  );
  expect(paragraphs.slice(2, 4)).toEqual([
    `${HELD_AT}  held: its removal waits for an answer since\n  by a sync of an unknown job`,
    '2026-11-22T01:00:00.000Z  changed\n  by a delta of an unknown job\n  name: "Gand" → "Gent"',
  ]);

  const json = await syncrator(['story', 'cities', 'dev', 'k00001', '--output', 'json']);
  expect((JSON.parse(json.stdout) as { entries: object[] }).entries).toMatchObject([
    { kind: 'held', answer: null },
    { kind: 'updated', answer: null },
  ]);
});
