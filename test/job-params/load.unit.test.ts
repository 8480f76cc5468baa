/** Tests params files: reads good ones, refuses bad ones with file, line and key. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JobParamsError, loadJobParams } from '../../src/job-params/load.ts';
import {
  ACCEPTED_CRONS,
  ACCEPTED_ZONES,
  MISREAD_CRONS,
  REFUSED_CRONS,
  REFUSED_ZONES,
} from '../support/crons.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'syncrator-params-')), 'job_params');
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

const GOOD = {
  TARGET: 'avo',
  ENV: 'dev',
  ACTION_NAME: 'sync',
  ACTION: 'sync',
  IS_TAG: 'latest',
  OPTIONS: '-n 5',
};

function write(entries: Record<string, string>, file = 'dev/avo-sync.public_params'): void {
  writeText(
    Object.entries(entries)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
    file,
  );
}

function writeText(text: string, file = 'dev/avo-sync.public_params'): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

async function fault(): Promise<string> {
  const error: unknown = await loadJobParams(folder).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(JobParamsError);
  return (error as Error).message;
}

test('reads a file with all its keys, or with their defaults', async () => {
  write(GOOD);
  write(
    {
      ...GOOD,
      TARGET: 'avo-all',
      ACTION_NAME: 'delta',
      ACTION: 'diff',
      OPTIONS: 'a=b;c "d"',
      RUNNER: 'external',
      IMAGE: 'registry/other:1',
      COMMAND: 'node  other.js',
      SCHEDULE: '*/5 * * * *',
      TIMEZONE: 'Europe/Brussels',
      TIMEOUT: '90s',
      START_TIMEOUT: '2m',
      STALLED_AFTER: '45s',
      RETRIES: '3',
      CPU: '500m',
      MEMORY: '1Gi',
      MAX_DELETE_PERCENT: '0',
      MAX_DELETE_RECORDS: '0',
      MAX_UPDATE_PERCENT: '30',
      MAM_MAIN_QUERY: '+(type:"a=b")',
    },
    'dev/avo-delta.public_params',
  );
  const params = await loadJobParams(folder);
  expect(params.files).toHaveLength(2);
  expect(params.find({ env: 'dev', name: 'avo', action: 'sync' })).toMatchObject({
    target: 'avo',
    runner: null,
    schedule: null,
    parameters: { options: '-n 5', mam_main_query: null },
    defaults: {
      image: null,
      command: null,
      timeoutSeconds: 21_600,
      startTimeoutSeconds: 600,
      stalledAfterSeconds: 30,
      retries: 0,
      maxDeletePercent: 10,
      maxDeleteRecords: 5,
      maxUpdatePercent: null,
    },
  });
  expect(params.find({ env: 'dev', name: 'avo', action: 'delta' })).toMatchObject({
    name: 'avo',
    target: 'avo-all',
    runner: 'external',
    parameters: {
      action_name: 'delta',
      action: 'diff',
      options: 'a=b;c "d"',
      mam_main_query: '+(type:"a=b")',
    },
    defaults: {
      image: 'registry/other:1',
      command: ['node', 'other.js'],
      timeoutSeconds: 90,
      startTimeoutSeconds: 120,
      stalledAfterSeconds: 45,
      retries: 3,
      cpu: '500m',
      memory: '1Gi',
      maxDeletePercent: 0,
      maxDeleteRecords: 0,
      maxUpdatePercent: 30,
    },
    schedule: { id: 'dev.avo-all.delta', spec: { kind: 'cron' }, timezone: 'Europe/Brussels' },
  });
  expect(params.schedules).toHaveLength(1);
  const namesOf = (env: string, target: string) => params.filesOf({ env, target }).map(({ name }) => name);
  expect(namesOf('dev', 'avo-all')).toEqual(['avo']);
  expect(namesOf('qas', 'avo')).toEqual([]);
  expect(params.find({ env: 'dev', name: 'avo-all', action: 'delta' })).toBeUndefined();
});

test('accepts comments, empty lines and Windows line ends', async () => {
  const lines = Object.entries(GOOD).map(([key, value]) => `${key}=${value}`);
  writeText(`# a comment\r\n\r\n${lines.join('\r\n')}\r\n   \r\n`);
  expect((await loadJobParams(folder)).files[0]?.parameters.options).toBe('-n 5');
});

test('refuses a line without KEY=value', async () => {
  writeText('TARGET=avo\nnonsense\n');
  expect(await fault()).toMatch(/^job_params\/dev\/avo-sync\.public_params:2: 'nonsense'/);
  writeText('TARGET=avo\n\n=value\n');
  expect(await fault()).toMatch(/^job_params\/dev\/avo-sync\.public_params:3: '=value'/);
});

test('refuses an unknown key and names the known ones', async () => {
  write({ ...GOOD, TIMEUOT: '1h' });
  expect(await fault()).toMatch(/avo-sync\.public_params:7: TIMEUOT: unknown key; known: .*TIMEOUT/);
});

test('refuses a key that is defined twice', async () => {
  writeText('TARGET=avo\nENV=dev\nTARGET=avo\n');
  expect(await fault()).toMatch(/avo-sync\.public_params:3: TARGET: is defined twice \(first on line 1\)/);
});

test.each(Object.keys(GOOD))('refuses a file without %s', async (key) => {
  write(Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== key)));
  expect(await fault()).toMatch(new RegExp(`avo-sync\\.public_params:1: ${key}: is missing`));
});

test.each([
  ['TARGET', 'Avo'],
  ['TARGET', '../avo'],
  ['TARGET', ''],
  ['ENV', 'qas'],
  ['ENV', 'DEV'],
  ['ACTION_NAME', 'Sync'],
  ['ACTION', 'a b'],
  ['ACTION', ''],
  ['IS_TAG', ':latest'],
  ['IS_TAG', ''],
  ['OPTIONS', '--nope'],
  ['OPTIONS', '-n x'],
  ['RUNNER', 'docker'],
  ['SCHEDULE', 'often'],
  ['SCHEDULE', '* * * *'],
  ['SCHEDULE', '* * * * * *'],
  ['SCHEDULE', '61 * * * *'],
  ['SCHEDULE', '0 0 31 2 *'],
  ['SCHEDULE', 'every 0s'],
  ['SCHEDULE', 'every 5m'],
  ...REFUSED_CRONS.map((cron) => ['SCHEDULE', cron]),
  ...MISREAD_CRONS.map((cron) => ['SCHEDULE', cron]),
  ['TIMEZONE', 'Europe/Brussels'],
  ['TIMEOUT', '90'],
  ['TIMEOUT', '0s'],
  ['TIMEOUT', '-1s'],
  ['TIMEOUT', '1d'],
  ['START_TIMEOUT', 'soon'],
  ['STALLED_AFTER', 'never'],
  ['RETRIES', '11'],
  ['RETRIES', '-1'],
  ['RETRIES', '1.5'],
  ['RETRIES', ''],
  ['CPU', 'banana'],
  ['CPU', ''],
  ['CPU', '-1'],
  ['CPU', '0.5 '],
  ['CPU', '1e3'],
  ['MEMORY', '512MB'],
  ['MEMORY', '1 Gi'],
  ['MEMORY', 'Gi'],
  ['POD_OVERRIDES', ''],
  ['POD_OVERRIDES', 'disk=ssd'],
  ['POD_OVERRIDES', '[]'],
  ['POD_OVERRIDES', '{"nodeSelector":'],
  ['POD_OVERRIDES', '{"image":"other"}'],
  ['POD_OVERRIDES', '{"runAsUser":0}'],
  ['POD_OVERRIDES', '{"labels":{"syncrator/job-uid":"x"}}'],
  ['MAX_DELETE_PERCENT', '101'],
  ['MAX_DELETE_PERCENT', '10%'],
  ['MAX_DELETE_RECORDS', '-1'],
  ['MAX_DELETE_RECORDS', '1e3'],
  ['MAX_UPDATE_PERCENT', '0'],
  ['MAX_UPDATE_PERCENT', '101'],
])('%s=%s is refused', async (key, value) => {
  write({ ...GOOD, [key]: value });
  const line = Object.keys({ ...GOOD, [key]: value }).indexOf(key) + 1;
  expect(await fault()).toMatch(new RegExp(`^job_params/dev/avo-sync\\.public_params:${line}: ${key}: \\S`));
});

test('reads POD_OVERRIDES and names a fault in them by its path', async () => {
  const overrides = { nodeSelector: { disk: 'ssd' }, runAsUser: 1000 };
  write({ ...GOOD, CPU: '0.5', MEMORY: '1.5Gi', POD_OVERRIDES: JSON.stringify(overrides) });
  const params = await loadJobParams(folder);
  expect(params.files[0]?.defaults).toMatchObject({ cpu: '0.5', memory: '1.5Gi', podOverrides: overrides });
  write({ ...GOOD, POD_OVERRIDES: '{"tolerations":[{"operator":"In"}]}' });
  expect(await fault()).toContain(':7: POD_OVERRIDES: tolerations.0.operator: Invalid option');
  write({ ...GOOD, POD_OVERRIDES: '{"hostNetwork":true}' });
  expect(await fault()).toMatch(/:7: POD_OVERRIDES: .*"hostNetwork"; known: annotations, labels, /);
});

test('turns SCHEDULE and TIMEZONE into what the scheduler accepts', async () => {
  for (const cron of ACCEPTED_CRONS) {
    write({ ...GOOD, SCHEDULE: cron });
    expect((await loadJobParams(folder)).schedules[0]?.schedule).toMatchObject({
      spec: { cron },
      text: cron,
    });
  }
  for (const zone of ACCEPTED_ZONES) {
    write({ ...GOOD, SCHEDULE: '0 2 * * *', TIMEZONE: zone });
    expect((await loadJobParams(folder)).schedules[0]?.schedule.timezone).toBe(zone);
  }
  for (const zone of REFUSED_ZONES) {
    write({ ...GOOD, SCHEDULE: '0 2 * * *', TIMEZONE: zone });
    const line = Object.keys(GOOD).length + 2;
    expect(await fault()).toContain(
      `job_params/dev/avo-sync.public_params:${line}: TIMEZONE: '${zone}' is not a valid time zone`,
    );
  }
  write({ ...GOOD, SCHEDULE: 'every 60s', TIMEZONE: 'europe/brussels' });
  expect(await fault()).toMatch(/; did you mean Europe\/Brussels\?$/);
});

test('refuses an unknown time zone', async () => {
  write({ ...GOOD, SCHEDULE: '0 2 * * *', TIMEZONE: 'Mars/Olympus' });
  expect(await fault()).toMatch(/:8: TIMEZONE: 'Mars\/Olympus'/);
});

test.each([
  'avo.public_params',
  'avo-sync.params',
  'Avo-sync.public_params',
  'notes.txt',
  'avo-sync.public_params~',
])('a file named %s is refused', async (name) => {
  write(GOOD, `dev/${name}`);
  expect(await fault()).toContain(`job_params/dev/${name}: the name is not`);
});

test('refuses an ACTION_NAME that differs from the file name', async () => {
  write({ ...GOOD, ACTION_NAME: 'delta' });
  expect(await fault()).toMatch(/avo-sync\.public_params:\d+: ACTION_NAME: 'delta' differs/);
});

test('refuses a missing folder', async () => {
  expect(await fault()).toContain('cannot be read');
});

test('the repository declares the 24 documented jobs and the later ones', async () => {
  const params = await loadJobParams(path.join(ROOT, 'job_params'));
  const declared = (envs: string[], names: string[]) => {
    const actions = ['sync', 'delta', 'delete', 'diff'];
    const found = envs.flatMap((env) =>
      names.flatMap((name) => actions.map((action) => params.find({ env, name, action }))),
    );
    return found.filter((file) => file !== undefined).length;
  };
  const documented = ['avo', 'cataloguspro', 'metadatacatalogus'];
  const added = ['avosubtitles', 'bezoekertool_film', 'hetarchief_audio', 'hetarchief_video'];
  expect(declared(['qas', 'prd'], documented)).toBe(24);
  expect(declared(['qas', 'prd', 'dev'], [...documented, ...added])).toBe(84);
  expect(declared(['dev'], ['cities', 'item_bank'])).toBe(8);
  expect(params.files).toHaveLength(92);
  const switching = params.files.filter((file) => file.parameters.options.includes('--switch_solr_alias'));
  expect(switching.map(({ env, target }) => `${env} ${target}`)).toEqual(
    ['dev', 'prd', 'qas'].flatMap((env) => [`${env} cataloguspro`, `${env} metadatacatalogus`]),
  );
  for (const { env, target, parameters } of switching)
    expect(parameters.options).toContain(`--switch_solr_alias --target_env ${env} --target ${target}`);
  const target = (name: string) => params.find({ env: 'qas', name, action: 'sync' })?.target;
  expect(added.map(target)).toEqual(['avosubtitles', 'film', 'archiefaudio', 'archiefvideo']);
});
