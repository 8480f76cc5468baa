/** Params files that change under a running process: all or nothing, however they change. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveParams, type Reloaded } from '../../src/job-params/live-params.ts';
import { faultText, JobParamsError } from '../../src/job-params/load.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';

let root: string;
let dir: string;
const stopping: AbortController[] = [];
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'syncrator-live-'));
  dir = write('avo', '-n 1');
});
afterEach(() => {
  for (const one of stopping.splice(0)) one.abort();
  rmSync(root, { recursive: true, force: true });
});

function write(target: string, options: string, action = 'sync', more = ''): string {
  return writeParams(root, [paramsFile({ target, action, options, more })]);
}
const fileOf = (target: string, action = 'sync') =>
  path.join(dir, 'dev', `${target}-${action}.public_params`);
const key = (target: string) => ({ env: 'dev', target });
const optionsOf = ({ params }: LiveParams, target = 'avo') =>
  params.find({ env: 'dev', name: target, action: 'sync' })?.parameters.options;
const faultsOf = ({ params }: LiveParams) => params.faults.map(faultText);

test('a reload names added, changed and removed targets, and counts meaning alone as a change', async () => {
  write('portal', '-n 1');
  write('old', '-n 1');
  const live = await LiveParams.open(dir);
  const before = live.params.loadedAt;
  write('avo', '-n 2', 'delta'); // a further action of a target changes the target
  write('new', '-n 1');
  write('portal', '-n 1', 'sync', '# said more\n');
  rmSync(fileOf('old'));
  expect(await live.reload()).toEqual({
    kind: 'loaded',
    changes: { added: [key('new')], changed: [key('avo')], removed: [key('old')] },
  });
  expect(optionsOf(live, 'new')).toBe('-n 1');
  expect(optionsOf(live, 'old')).toBeUndefined();
  expect(live.params.loadedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(await live.reload()).toEqual({
    kind: 'loaded',
    changes: { added: [], changed: [], removed: [] },
  });
});

test('one faulty file leaves the whole last good state in use, until all files are good', async () => {
  const live = await LiveParams.open(dir);
  const news: Reloaded['kind'][] = [];
  live.onNews(({ kind }) => news.push(kind));
  write('avo', '-n 2');
  write('bad', '-n 1', 'sync', 'SCHEDULE=daily\n');
  const reloaded = await live.reload();
  expect(reloaded).toEqual({ kind: 'faulty', faults: live.params.faults });
  expect(faultsOf(live)).toEqual([
    expect.stringMatching(/^job_params\/dev\/bad-sync\.public_params:9: SCHEDULE: /),
  ]);
  expect(optionsOf(live)).toBe('-n 1');
  await live.reload(); // the same faults are no news
  write('bad', '-n 1');
  await live.reload();
  expect([optionsOf(live), optionsOf(live, 'bad'), faultsOf(live)]).toEqual(['-n 2', '-n 1', []]);
  expect(news).toEqual(['faulty', 'loaded']);
});

test.each([
  [
    'has no file any more, as an unmounted one',
    () => rmSync(fileOf('avo')),
    /^job_params: has no params file any more; restart/,
  ],
  ['cannot be read', () => rmSync(dir, { recursive: true }), /^job_params: .*cannot be read \(ENOENT/],
  [
    'lacks a target that a setting names',
    () => {
      write('portal', '-n 1');
      rmSync(fileOf('avo'));
    },
    /^job_params: avo is needed$/,
  ],
])('the last good state stays in use while the folder %s', async (_, spoil, fault) => {
  const live = await LiveParams.open(dir, (params) =>
    params.filesOf(key('avo')).length === 0 ? 'avo is needed' : undefined,
  );
  spoil();
  expect((await live.reload()).kind).toBe('faulty');
  expect(faultsOf(live)).toEqual([expect.stringMatching(fault)]);
  expect(optionsOf(live)).toBe('-n 1');
  write('avo', '-n 2');
  expect((await live.reload()).kind).toBe('loaded');
  expect(optionsOf(live)).toBe('-n 2');
});

test('without a last good state a faulty file is an error', async () => {
  write('bad', '-n 1', 'sync', 'SCHEDULE=daily\n');
  await expect(LiveParams.open(dir)).rejects.toThrow(JobParamsError);
});

test('files that change while they are read are never used in part', async () => {
  write('portal', '-n 1');
  const live = await LiveParams.open(dir);
  // A reader of a pipe waits for its writer: `avo` is read by then, and `portal` is not.
  rmSync(fileOf('portal'));
  execFileSync('mkfifo', [fileOf('portal')]);
  const reloaded = live.reload();
  const pipe = await openFile(fileOf('portal'), 'w');
  const [, text] = paramsFile({ target: 'portal', action: 'sync', options: '-n 2' });
  write('avo', '-n 2');
  writeFileSync(path.join(root, 'new'), text);
  renameSync(path.join(root, 'new'), fileOf('portal'));
  await pipe.writeFile(text);
  await pipe.close();
  expect(await reloaded).toMatchObject({ kind: 'loaded', changes: { changed: [key('avo'), key('portal')] } });
  expect([optionsOf(live), optionsOf(live, 'portal')]).toEqual(['-n 2', '-n 2']);
});

/** Writes as the kubelet does: a new folder, and a link to it that is swapped. */
function swap(mount: string, version: number, options: string): void {
  const [name, text] = paramsFile({ target: 'avo', action: 'sync', options });
  const file = path.basename(name);
  mkdirSync(path.join(mount, `..v${version}`), { recursive: true });
  writeFileSync(path.join(mount, `..v${version}`, file), text);
  symlinkSync(`..v${version}`, path.join(mount, '..data_tmp'));
  renameSync(path.join(mount, '..data_tmp'), path.join(mount, '..data'));
  if (version === 1) symlinkSync(path.join('..data', file), path.join(mount, file));
  else rmSync(path.join(mount, `..v${version - 1}`), { recursive: true });
}

test.each([
  ['is edited in place', () => undefined, () => write('avo', '-n 2')],
  [
    'is renamed into place',
    () => undefined,
    () => {
      const [, text] = paramsFile({ target: 'avo', action: 'sync', options: '-n 2' });
      writeFileSync(path.join(root, 'new'), text);
      renameSync(path.join(root, 'new'), fileOf('avo'));
    },
  ],
  [
    'lies in a ConfigMap whose link is swapped',
    () => {
      rmSync(fileOf('avo'));
      swap(path.join(dir, 'dev'), 1, '-n 1');
    },
    () => swap(path.join(dir, 'dev'), 2, '-n 2'),
  ],
  [
    'lies in a folder that is a link, which is swapped',
    () => {
      renameSync(dir, `${dir}.1`);
      symlinkSync(`${dir}.1`, dir);
    },
    () => {
      const [name, text] = paramsFile({ target: 'avo', action: 'sync', options: '-n 2' });
      mkdirSync(path.dirname(path.join(`${dir}.2`, name)), { recursive: true });
      writeFileSync(path.join(`${dir}.2`, name), text);
      symlinkSync(`${dir}.2`, `${dir}.new`);
      renameSync(`${dir}.new`, dir);
    },
  ],
])('a file that %s is read again by itself', async (_, lay, change) => {
  lay();
  const live = await LiveParams.open(dir);
  const stop = new AbortController();
  stopping.push(stop);
  const watching = live.watch(stop.signal, 20);
  expect(optionsOf(live)).toBe('-n 1');
  change();
  await expect.poll(() => optionsOf(live)).toBe('-n 2');
  stop.abort();
  await watching;
});

test('a folder that comes back is read again by itself', async () => {
  const live = await LiveParams.open(dir);
  const stop = new AbortController();
  stopping.push(stop);
  const watching = live.watch(stop.signal, 20);
  renameSync(dir, `${dir}.away`);
  await expect.poll(() => faultsOf(live)).toEqual([expect.stringContaining('cannot be read')]);
  renameSync(`${dir}.away`, dir);
  await expect.poll(() => faultsOf(live)).toEqual([]);
  expect(optionsOf(live)).toBe('-n 1');
  stop.abort();
  await watching;
});
