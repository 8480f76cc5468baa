/** Tests that one check finds all faults of a folder of params files, each with its file, line and key. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkJobParams, faultText } from '../../src/job-params/load.ts';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'syncrator-faults-')), 'job_params');
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

const GOOD = 'TARGET=avo\nENV=dev\nACTION_NAME=sync\nACTION=sync\nIS_TAG=latest\nOPTIONS=-n 5\n';

function write(file: string, text: string | Buffer): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

async function faults(): Promise<string[]> {
  return (await checkJobParams(folder)).faults.map(faultText);
}

test('reports all faults in the order of files and lines, and still reads the good files', async () => {
  write('dev/avo-sync.public_params', `${GOOD}CPU=many\nSCHEDULE=often\nTIMEOUT=1d\n`);
  write('dev/good-sync.public_params', GOOD.replace('avo', 'good'));
  write('dev/notes.txt', '');
  write('qas/avo-sync.public_params', 'TARGET=avo\nENV=dev\nACTION=sync\nIS_TAG=latest\nOPTIONS=\n');
  expect(await faults()).toEqual([
    "job_params/dev/avo-sync.public_params:7: CPU: 'many' is not a quantity such as 500m or 512Mi",
    "job_params/dev/avo-sync.public_params:8: SCHEDULE: 'often' is neither five cron fields with a next firing nor 'every 60s'",
    "job_params/dev/avo-sync.public_params:9: TIMEOUT: '1d' is not a duration such as 90s, 10m or 6h",
    'job_params/dev/notes.txt: the name is not <target>-<action>.public_params',
    'job_params/qas/avo-sync.public_params:1: ACTION_NAME: is missing',
    "job_params/qas/avo-sync.public_params:2: ENV: 'dev' differs from the folder qas",
  ]);
  expect((await checkJobParams(folder)).files.map(({ name }) => name)).toEqual(['good']);
});

test('reports only malformed lines first, because a missing key may be among them', async () => {
  write('dev/avo-sync.public_params', 'TARGET=avo\nTARGET=avo\nCOLOUR=red\nENV dev\n');
  expect(await faults()).toEqual([
    'job_params/dev/avo-sync.public_params:2: TARGET: is defined twice (first on line 1)',
    expect.stringMatching(/:3: COLOUR: unknown key; known: TARGET /),
    "job_params/dev/avo-sync.public_params:4: 'ENV dev': not a KEY=value line",
  ]);
});

test('skips a byte order mark before a key and before a comment', async () => {
  write('dev/avo-sync.public_params', `\ufeff${GOOD}`);
  write(
    'dev/other-sync.public_params',
    `\ufeff# a remark\r\n${GOOD.replace('avo', 'other').replaceAll('\n', '\r\n')}`,
  );
  expect(await faults()).toEqual([]);
});

test('names invisible blanks', async () => {
  write('dev/a-sync.public_params', GOOD.replace('avo', 'a').replace('ENV=', 'ENV\u00a0='));
  write('dev/b-sync.public_params', GOOD.replace('avo', 'b').replace('ENV=dev', 'ENV=dev\u00a0'));
  write('dev/c-sync.public_params', `${GOOD.replace('avo', 'c')}\ufeffCPU=1\n`);
  write('dev/d-sync.public_params', GOOD.replace('avo', 'd').replace('-n 5', '-n\u00a05'));
  write('dev/e-sync.public_params', `\u200b# a remark\n${GOOD.replace('avo', 'e')}`);
  expect(await faults()).toEqual([
    expect.stringMatching(/a-sync.public_params:2: ENV<U\+00A0>: unknown key; known: TARGET /),
    expect.stringMatching(/b-sync.public_params:2: ENV: 'dev<U\+00A0>' is not a name/),
    expect.stringMatching(/b-sync.public_params:2: ENV: 'dev<U\+00A0>' differs from the folder dev/),
    expect.stringMatching(/c-sync.public_params:7: <U\+FEFF>CPU: unknown key/),
    expect.stringMatching(/d-sync.public_params:6: OPTIONS: unknown option '-n<U\+00A0>5'/),
    expect.stringMatching(/e-sync.public_params:1: '<U\+200B># a remark': not a KEY=value line/),
  ]);
});

test('names a file in another encoding than UTF-8', async () => {
  for (const [name, bytes] of [
    ['a', Buffer.from(`\ufeff${GOOD}`, 'utf16le')],
    ['b', Buffer.from(`\ufeff${GOOD}`, 'utf16le').swap16()],
    ['c', Buffer.from(GOOD, 'utf16le')],
    ['d', Buffer.from(GOOD.replace('OPTIONS=-n 5', 'MAM_MAIN_QUERY=\u00e9'), 'latin1')],
  ] as const)
    write(`dev/${name}-sync.public_params`, bytes);
  expect(await faults()).toEqual([
    'job_params/dev/a-sync.public_params:1: is UTF-16: save it as UTF-8',
    'job_params/dev/b-sync.public_params:1: is UTF-16: save it as UTF-8',
    'job_params/dev/c-sync.public_params:1: is UTF-16: save it as UTF-8',
    'job_params/dev/d-sync.public_params:6: is not UTF-8: save it as UTF-8',
  ]);
});

test('ignores the extra entries of a mounted ConfigMap', async () => {
  write('dev/avo-sync.public_params', GOOD);
  write('dev/..2026_11_25/avo-sync.public_params', GOOD);
  write('dev/..data', '');
  expect(await faults()).toEqual([]);
});

test('a password that was pasted into a params file is in no fault', async () => {
  const url = 'postgres://syncrator:hunter2@db.example.org/portal';
  write('dev/avo-sync.public_params', `${GOOD}${url}\n${url}?a=b\n`);
  write('dev/own-sync.public_params', `${GOOD.replace('avo', 'own')}TIMEOUT=${url}\n`);
  const found = await faults();
  expect(found).toHaveLength(3);
  expect(found.join('\n')).not.toContain('hunter2');
});

test('a fault quotes no endless line', async () => {
  write('dev/avo-sync.public_params', 'x'.repeat(1_000_000));
  const [fault = ''] = await faults();
  expect(fault).toMatch(/^job_params\/dev\/avo-sync\.public_params:1: 'xxx/);
  expect(fault.length).toBeLessThan(1_100);
});

test('APPROVALS is 1 or 2, and stands in the file of the sync alone', async () => {
  write('dev/avo-sync.public_params', `${GOOD}APPROVALS=2\n`);
  write('dev/one-sync.public_params', GOOD.replace('avo', 'one'));
  write('dev/three-sync.public_params', `${GOOD.replace('avo', 'three')}APPROVALS=3\n`);
  write('dev/avo-delta.public_params', `${GOOD.replaceAll('=sync', '=delta')}APPROVALS=2\n`);
  expect(await faults()).toEqual([
    "job_params/dev/avo-delta.public_params:7: APPROVALS: is only for the file of the sync, not of 'delta'",
    "job_params/dev/three-sync.public_params:7: APPROVALS: '3' is not a number from 1 to 2",
  ]);
  const { files } = await checkJobParams(folder);
  expect(files.map(({ name, approvals }) => [name, approvals])).toEqual([
    ['avo', 2],
    ['one', 1],
  ]);
});

test('MODE is what the SCHEDULE of a sync, delta or delete starts', async () => {
  const of = (name: string, action: string, more: string) =>
    write(
      `dev/${name}-${action}.public_params`,
      `${GOOD.replace('avo', name).replaceAll('=sync', `=${action}`)}${more}`,
    );
  of('avo', 'sync', 'SCHEDULE=0 1 * * *\nMODE=plan\n');
  of('avo', 'delta', 'SCHEDULE=every 60s\nMODE=apply\n');
  of('avo', 'delete', 'SCHEDULE=every 60s\n');
  of('one', 'sync', 'MODE=plan\n');
  of('two', 'sync', 'SCHEDULE=every 60s\nMODE=look\n');
  of('two', 'diff', 'SCHEDULE=every 60s\nMODE=plan\n');
  of('three', 'sync', 'SCHEDULE=every 60s\nMODE=plan\nRUNNER=external\n');
  expect(await faults()).toEqual([
    'job_params/dev/one-sync.public_params:7: MODE: has no SCHEDULE to apply to',
    'job_params/dev/three-sync.public_params:8: MODE: cannot be plan: an external executor runs it',
    'job_params/dev/two-diff.public_params:8: MODE: cannot be plan: ACTION is diff, and a plan is of sync, delta, delete alone',
    "job_params/dev/two-sync.public_params:8: MODE: 'look' is not apply or plan",
  ]);
  const { files } = await checkJobParams(folder);
  expect(files.map(({ parameters, mode }) => [parameters.action, mode])).toEqual([
    ['delete', 'apply'],
    ['delta', 'apply'],
    ['sync', 'plan'],
  ]);
});

test.each(['plan', 'apply'])(
  'our program has no action `%s` in a params file; other programs may',
  async (action) => {
    const words = GOOD.replaceAll('=sync', `=${action}`);
    write(`dev/own-${action}.public_params`, words);
    write(`dev/other-${action}.public_params`, `${words}COMMAND=other\n`);
    expect(await faults()).toEqual([
      `job_params/dev/own-${action}.public_params:4: ACTION: '${action}' has no params file: that of the planned action counts`,
    ]);
  },
);

test('our program has no action `remove` in a params file; other programs may', async () => {
  const remove = GOOD.replaceAll('=sync', '=remove');
  write('dev/avo-remove.public_params', remove);
  write('dev/own-remove.public_params', `${remove.replace('avo', 'own')}COMMAND=true\n`);
  write('dev/outside-remove.public_params', `${remove.replace('avo', 'outside')}RUNNER=external\n`);
  expect(await faults()).toEqual([
    "job_params/dev/avo-remove.public_params:4: ACTION: 'remove' is started by the approval of a loss alone",
  ]);
});
