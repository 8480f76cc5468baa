/** `syncrator target add` as people type it, at a terminal and from a file. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../cli/support.ts';
import { someRows } from '../job/support/fake-source.ts';
import { type Setup, setup } from '../job/support/setup.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-target-add-'));
const { begin, syncrator } = commandLine({ home: dir, url: () => undefined });
const environment = {
  JOB_PARAMS: path.join(dir, 'job_params'),
  SYNCRATOR_DATA: path.join(dir, 'data'),
  TZ: 'Europe/Zurich',
};
let t: Setup;

beforeAll(async () => {
  t = await setup(someRows(12));
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const add = async (target: string, ...more: string[]) =>
  await syncrator(['target', 'add', target, 'dev', ...more], { environment });

function settingsFile(source: string): string {
  const file = path.join(dir, 'given.env');
  const lines = ['SOURCE=ndjson', `SOURCE_URL=${source}`, 'SINK=postgres', `SINK_URL=${t.sinkUrl}`];
  writeFileSync(file, [...lines, 'SINK_TABLE=added', ''].join('\n'));
  return file;
}

/** Names of all files of a target, drafts included. */
function filesOf(target: string): string[] {
  return ['data/envtarget', 'job_params/dev'].flatMap((folder) => {
    const whole = path.join(dir, folder);
    return existsSync(whole) ? readdirSync(whole).filter((name) => name.includes(target)) : [];
  });
}

const read = (file: string) => readFileSync(path.join(dir, file), 'utf8');

test('settings from a file: it shows what a sync would do, and writes files that api, worker and check take', async () => {
  const file = settingsFile(t.source.url);
  const added = await add('given', '--settings', file, '--actions', 'sync,delta', '--schedule', '0 1 * * *');
  expect([added.code, added.stderr]).toEqual([0, '']);
  expect(added.stdout).toMatch(/^ok {6}source: .*12 records; the first 5/);
  expect(added.stdout).toMatch(/^ok {6}sync: the first sync creates it, and adds up to 12 records$/m);
  expect(added.stdout).toMatch(/^ {2}syncrator sync given dev --follow$/m);
  expect(read('data/envtarget/dev-given.env')).toBe(readFileSync(file, 'utf8'));
  expect(statSync(path.join(dir, 'data/envtarget/dev-given.env')).mode & 0o777).toBe(0o600);
  expect(read('job_params/dev/given-sync.public_params')).toMatch(
    /^SCHEDULE=0 1 \* \* \*\nTIMEZONE=Europe\/Zurich$/m,
  );
  expect(read('job_params/dev/given-delta.public_params')).not.toMatch('SCHEDULE');
  expect(filesOf('given')).toHaveLength(3);
  const [params, check] = [
    await syncrator(['params', 'check'], { environment }),
    await syncrator(['target', 'check', 'given', 'dev'], { environment }),
  ];
  expect([params.code, check.code]).toEqual([0, 0]);
  expect(await t.query(`SELECT to_regclass('added') AS made`)).toEqual([{ made: null }]);
});

test('a target that has a file already is refused before any question, and its files stay', async () => {
  writeFileSync(path.join(dir, 'job_params/dev/there-delete.public_params'), 'mine');
  const { code, stderr } = await add('there', '--settings', settingsFile(t.source.url));
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/there-delete\.public_params exists already; edit it/),
  ]);
  expect(filesOf('there')).toEqual(['there-delete.public_params']);
  rmSync(path.join(dir, 'job_params/dev/there-delete.public_params'));
});

test('nothing is written if a sync would fail, unless --no-check says so', async () => {
  const file = settingsFile('http://127.0.0.1:9/records');
  const refused = await add('far', '--settings', file);
  expect([refused.code, refused.stdout, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^failed {2}source: .*ECONNREFUSED/),
    expect.stringContaining('a sync of far in dev would fail'),
  ]);
  expect(filesOf('far')).toEqual([]);
  expect((await add('far', '--settings', file, '--no-check')).code).toBe(0);
  expect(filesOf('far')).toEqual(['dev-far.env', 'far-diff.public_params', 'far-sync.public_params']);
});

test.each<[string, string[], RegExp]>([
  ['Bad.Name', [], /TARGET: 'Bad\.Name' is not a name of a-z/],
  ['cron', ['--settings', '-', '--schedule', '61 * * * *'], /SCHEDULE: .*61/],
  ['zone', ['--settings', '-', '--schedule', '1 * * * *', '--timezone', 'Mars'], /TIMEZONE: .*Mars/],
  ['zone', ['--settings', '-', '--timezone', 'UTC'], /--timezone needs --schedule/],
  ['none', ['--settings', '-', '--actions', 'sync,nap'], /'nap' is not one of sync, delta, delete, diff/],
  ['gone', ['--settings', '/gone.env'], /cannot read --settings \/gone\.env/],
  ['flags', ['--schedule', '1 * * * *'], /--schedule: only with --settings; without it, the command asks/],
  ['asked', [], /no terminal to ask questions at: give the settings with --settings <file>/],
])('%s %j: the reason and the fix, and no file', async (target, more, words) => {
  const { code, stderr } = await add(target, ...more);
  expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
  expect(filesOf(target.toLowerCase())).toEqual([]);
});

test('at a terminal it asks, checks, offers the answers again, and never shows a password', async () => {
  const csv = path.join(dir, 'stations.csv');
  writeFileSync(csv, 'code,name\nZB,Zürich HB\nBN,Bern\n');
  const right = new URL(t.sinkUrl);
  const wrong = new URL(t.sinkUrl);
  wrong.username ||= 'postgres';
  wrong.password = '';
  wrong.port = '9';
  const talk = begin(['target', 'add', 'asked', 'dev'], { isTerminal: true, input: undefined, environment });
  let heard = 0;
  const answer = async (question: string, keys: string) => {
    await expect.poll(() => talk.said().slice(heard), { timeout: 30_000 }).toContain(question);
    heard = talk.said().length;
    talk.type(keys);
  };
  const [enter, down, erase] = ['\r', '\u001b[B', '\u0015'];
  await answer('Where do the records come from?', down + enter);
  await answer('Path of the file', csv + enter);
  await answer('identifies a row', `code${enter}`);
  await answer('time of the last change', enter);
  await answer('Is every file whole', 'y');
  await answer('Where do they go?', enter);
  await answer('Address of the database', wrong.href + enter);
  await answer('Password of', `hush/hush${enter}`);
  await answer('Table; the first sync creates it', `asked_for${enter}`);
  await answer('A sync would fail. What next?', enter);
  expect(talk.said()).toMatch(/failed {2}sink: .*ECONNREFUSED/);
  await answer('Where do the records come from?', enter);
  await answer('Path of the file', enter);
  await answer('identifies a row', enter);
  await answer('time of the last change', enter);
  await answer('Is every file whole', 'y');
  await answer('Where do they go?', enter);
  await answer('Address of the database', erase + right.href + enter);
  if (right.username !== '' && right.password === '') await answer('Password of', enter);
  await answer('Table; the first sync creates it', enter);
  await answer('Which jobs shall it have?', enter);
  await answer('When shall it run by itself?', `61 2 * * *${enter}`);
  await answer('61', `${erase}30 2 * * *${enter}`);
  await answer('In which time zone?', enter);
  const { code, stdout } = await talk.ended();
  expect([code, stdout]).toEqual([0, expect.stringContaining('syncrator sync asked dev --follow')]);
  expect(stdout).toMatch(/ok {6}sync: the first sync creates it, and adds up to 2 records/);
  expect(stdout).not.toMatch(/hush/);
  expect(read('data/envtarget/dev-asked.env')).toBe(
    `SOURCE=files\nSOURCE_PATH=${csv}\nSOURCE_ID=code\nSOURCE_FILE_COMPLETE=true\nSINK=postgres\n` +
      `SINK_URL=${right.href}\nSINK_TABLE=asked_for\n`,
  );
  expect(read('job_params/dev/asked-diff.public_params')).toMatch(
    /^SCHEDULE=30 2 \* \* \*\nTIMEZONE=Europe\/Zurich$/m,
  );
});

test('Ctrl-C at a question writes nothing', async () => {
  const talk = begin(['target', 'add', 'left', 'dev'], { isTerminal: true, input: undefined, environment });
  await talk.says('Where do the records come from?');
  talk.type('\u0003');
  const { code, stdout } = await talk.ended();
  expect([code, stdout]).toEqual([130, expect.stringContaining('stopped: nothing was written')]);
  expect(filesOf('left')).toEqual([]);
});
