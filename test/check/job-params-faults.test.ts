/** All that is wrong with a folder of params files is found at once: each fault with its file, line and key. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkJobParams, faultText } from '../../src/job-params.ts';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'syncrator-faults-')), 'job_params');
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

const GOOD = 'TARGET=avo\nENV=dev\nACTION_NAME=sync\nACTION=sync\nIS_TAG=latest\nOPTIONS=-n 5\n';

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

async function faults(): Promise<string[]> {
  return (await checkJobParams(folder)).faults.map(faultText);
}

test('all faults of all files, in the order of files and lines; the good ones are read all the same', async () => {
  write('dev/avo-sync.public_params', `${GOOD}CPU=many\nSCHEDULE=often\nTIMEOUT=1d\n`);
  write('dev/good-sync.public_params', GOOD.replace('avo', 'good'));
  write('dev/notes.txt', '');
  write('qas/avo-sync.public_params', 'TARGET=avo\nENV=dev\nACTION=sync\nIS_TAG=latest\nOPTIONS=\n');
  expect(await faults()).toEqual([
    "job_params/dev/avo-sync.public_params:7: CPU: 'many' is not a quantity such as 500m or 512Mi",
    "job_params/dev/avo-sync.public_params:8: SCHEDULE: 'often' is neither five cron fields with a next firing nor 'every 60s'",
    "job_params/dev/avo-sync.public_params:9: TIMEOUT: '1d' is not a time such as 90s, 10m or 6h",
    'job_params/dev/notes.txt: the name is not <target>-<action>.public_params',
    'job_params/qas/avo-sync.public_params:1: ACTION_NAME: is missing',
    "job_params/qas/avo-sync.public_params:2: ENV: 'dev' differs from the folder qas",
  ]);
  expect((await checkJobParams(folder)).files.map(({ name }) => name)).toEqual(['good']);
});

test('bad lines are told alone: what is missing may be among them', async () => {
  write('dev/avo-sync.public_params', 'TARGET=avo\nTARGET=avo\nCOLOUR=red\nENV dev\n');
  expect(await faults()).toEqual([
    'job_params/dev/avo-sync.public_params:2: TARGET: is there twice (first on line 1)',
    expect.stringMatching(/:3: COLOUR: unknown key; known: TARGET /),
    "job_params/dev/avo-sync.public_params:4: 'ENV dev': not a KEY=value line",
  ]);
});

test('what a mounted ConfigMap has beside its files is nobody’s', async () => {
  write('dev/avo-sync.public_params', GOOD);
  write('dev/..2026_11_25/avo-sync.public_params', GOOD);
  write('dev/..data', '');
  expect(await faults()).toEqual([]);
});
