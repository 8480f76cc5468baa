/** `syncrator target check` as people run it: beside params files and settings, without a server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../cli/support.ts';
import { someRows } from '../job/support/fake-source.ts';
import { type Setup, setup } from '../job/support/setup.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-check-'));
const { syncrator } = commandLine({ home: dir, url: () => undefined });
let t: Setup;

beforeAll(async () => {
  t = await setup(someRows(12));
  writeParams(dir, [
    paramsFile({ target: 'cities', action: 'sync', command: null, options: '-n 10' }),
    paramsFile({ target: 'bare', action: 'sync', command: null }),
    paramsFile({ target: 'tight', action: 'sync', command: null, more: 'MAX_DELETE_PERCENT=0\n' }),
    paramsFile({ target: 'own', action: 'sync' }),
    paramsFile({ target: 'faulty', action: 'sync', command: null, more: 'TIMEOUT=long\n' }),
    paramsFile({ target: 'faulty', action: 'delta', command: null }),
  ]);
  mkdirSync(path.join(dir, 'data/envtarget'), { recursive: true });
  settings('data/envtarget/dev-cities.env', 'cities', t.source.url);
  settings('data/envtarget/dev-tight.env', 'tight', t.source.url);
  writeFileSync(path.join(dir, 'rest.env'), 'SOURCE=rest\n');
  settings('elsewhere.env', 'cities', 'http://127.0.0.1:9/records');
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

function settings(file: string, table: string, source: string): void {
  const lines = ['SOURCE=ndjson', `SOURCE_URL=${source}`, 'SINK=postgres', `SINK_URL=${t.sinkUrl}`];
  writeFileSync(path.join(dir, file), [...lines, `SINK_TABLE=${table}`, ''].join('\n'));
}

const check = async (target: string, ...more: string[]) =>
  await syncrator(['target', 'check', target, 'dev', ...more], {
    environment: {
      JOB_PARAMS: path.join(dir, 'job_params'),
      SYNCRATOR_DATA: path.join(dir, 'data'),
      // A job does not see the operator's own environment.
      SINK_TABLE: 'other',
    },
  });

test('it tests what a job would use, for people and for programs', async () => {
  const people = await check('cities');
  expect([people.code, people.stderr]).toEqual([0, '']);
  expect(people.stdout).toMatch(/^ok {6}source: .*12 records; the first 5/);
  expect(people.stdout).toMatch(/^ok {6}sync: the first sync creates it, and adds up to 12 records$/m);
  const programs = await check('cities', '--output', 'json');
  expect(JSON.parse(programs.stdout)).toMatchObject({
    source: { total: 12, records: { length: 5 } },
    sink: { exists: false },
    forecast: { refused: false },
  });
});

test('the limits of the delete guard are those of the params file', async () => {
  await t.run('sync', { SINK_TABLE: 'tight' });
  await t.query(`INSERT INTO tight VALUES ('further', now(), '{}')`);
  const { code, stdout } = await check('tight');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(
      /^ok {6}sync: .*would hold at least 1 removal, .*: 1 of 13 records would be deleted.*MAX_DELETE_PERCENT 0 allows none/m,
    ),
  ]);
});

test.each<[string, string[], RegExp]>([
  ['bare', [], /failed {2}settings: the settings file .*envtarget\/dev-bare\.env does not exist; create it/],
  ['cities', ['--settings', path.join(dir, 'elsewhere.env')], /failed {2}source: .*ECONNREFUSED/],
  [
    'cities',
    ['--settings', path.join(dir, 'rest.env')],
    /check cannot test SOURCE=rest; start a job[^]*cities in dev was not checked: the check ended with exit code 2/,
  ],
  ['faulty', [], /job_params\/dev\/faulty-sync\.public_params:\d+: TIMEOUT: 'long' is not .*\ncorrect it/],
  ['own', [], /job_params\/dev\/own-sync\.public_params runs another program than ours/],
  [
    'citie',
    [],
    /no params file declares citie in dev.*cities.*write job_params\/dev\/citie-sync\.public_params/,
  ],
])('%s %j: the reason and the fix, and exit code 1', async (target, more, words) => {
  const { code, stdout, stderr } = await check(target, ...more);
  expect([code, stdout + stderr]).toEqual([1, expect.stringMatching(words)]);
});
