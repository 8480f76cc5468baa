/** RUNNER=process as root: a program runs as its target's user, and reaches nothing of other targets. */
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shareOf } from '../../../src/domain/log-chunks.ts';
import { createProcessRunner } from '../../../src/runner/process/process-runner.ts';
import { separatePrograms } from '../../../src/runner/process/program-users.ts';
import type { Runner } from '../../../src/runner/runner.ts';
import { launched, stepLaunch } from '../../support/step-launch.ts';

const installation = randomUUID();
let dataDir: string;
let runner: Runner;

beforeAll(async () => {
  dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-users-'));
  const secret = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(dataDir, file)), { recursive: true });
    writeFileSync(path.join(dataDir, file), text, { mode: 0o600 });
  };
  secret('secret', 'key of tokens');
  secret('postgres.password', 'password');
  secret('envtarget/dev-mine.env', 'SINK_URL=mine\n');
  secret('envtarget/dev-other.env', 'SINK_URL=other\n');
  // With the modes that a careless umask leaves.
  chmodSync(path.join(dataDir, 'envtarget'), 0o755);
  chmodSync(path.join(dataDir, 'envtarget/dev-other.env'), 0o644);
  if (process.getuid?.() !== 0) return;
  const separation = await separatePrograms(dataDir);
  if ('why' in separation) throw new Error(separation.why);
  runner = createProcessRunner({ dataDir, installation, users: separation.users });
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/**
 * Runs a shell command as the program of a target.
 * @returns its output
 */
async function run(target: string, line: string): Promise<string> {
  const step = stepLaunch({ installation, target });
  return await outputOf(
    await launched(runner, { ...step, spec: { ...step.spec, command: ['sh', '-c', line] } }),
  );
}

async function outputOf(step: { name: string; uid: string }): Promise<string> {
  await expect.poll(async () => (await runner.observe(step)).state, { timeout: 30_000 }).toBe('ended');
  const reader = runner.openLog(step, { offset: 0, mark: null }, shareOf(1024 ** 2));
  const part = await reader.read({ toEnd: true });
  return typeof part === 'object' ? part.bytes.toString() : '';
}

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test('a program reads none of the secrets of the worker, of other targets and of other jobs', async () => {
    const other = stepLaunch({ installation, target: 'other' });
    const waits = { ...other, spec: { ...other.spec, command: ['sh', '-c', 'while sleep 0.1; do :; done'] } };
    const running = await launched(runner, waits);
    await expect.poll(async () => (await runner.observe(running)).state).toBe('running');
    await expect.poll(() => readdirSync(path.join(dataDir, 'lent'))).toEqual([`${running.name}.env`]);
    const supervisor = supervisorOf(running.name);
    const programs = () => readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').split(' ');
    await expect.poll(programs).not.toEqual(['']);
    const ours = ['secret', 'postgres.password', 'envtarget/dev-other.env', 'envtarget/dev-mine.env'];
    const theirs = [`lent/${running.name}.env`, `runs/${running.name}/spec.json`, `runs/${running.name}/log`];
    const targets = [
      ...[...ours, ...theirs].map((file) => path.join(dataDir, file)),
      ...[process.pid, supervisor, programs()[0]].map((pid) => `/proc/${pid}/environ`),
    ];
    for (const file of targets) expect(existsSync(file), file).toBe(true);
    const tries = targets.map((file) => `cat ${file} && echo "READ ${file}"`).join('; ');
    const listings = ['', 'lent', 'runs', 'homes']
      .map((name) => `ls ${path.join(dataDir, name)} && echo LISTED`)
      .join('; ');
    const text = await run('mine', `${tries}; ${listings}; kill -9 $PPID && echo KILLED; true`);
    expect(text).not.toMatch(/READ|LISTED|KILLED/);
    expect(text.match(/denied/g)?.length).toBeGreaterThanOrEqual(targets.length);
    await runner.remove({ ...running, force: true });
  });

  test('a program has the settings of its target, a home kept between jobs, and its own output', async () => {
    const first = await run(
      'mine',
      'cat $SYNCRATOR_SETTINGS_FILE; echo kept > ~/note; echo said >> /dev/stderr; id -u; id -G',
    );
    const [settings, said, uid, groups] = first.trim().split('\n');
    expect([settings, said, groups]).toEqual(['SINK_URL=mine', 'said', uid]);
    expect(Number(uid)).toBeGreaterThan(60_000);
    expect(await run('mine', 'cat ~/note; id -u')).toBe(`kept\n${uid}\n`);
    expect(await run('other', `cat ${path.join(dataDir, 'homes', uid ?? '', 'note')}; id -u`)).not.toMatch(
      new RegExp(`kept|^${uid}$`, 'm'),
    );
    expect(readdirSync(path.join(dataDir, 'lent'))).toEqual([]);
  });

  test("the sync program runs as the target's user, and names the file for its missing settings", async () => {
    const api = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const { port } = api.address() as AddressInfo;
    const unset = stepLaunch({ installation, target: 'unset' });
    const text = await outputOf(
      await launched(runner, { ...unset, reportUrl: `http://127.0.0.1:${port}/report` }),
    );
    api.close();
    expect(text).toContain(path.join(dataDir, 'envtarget/dev-unset.env'));
    expect(text).not.toContain('/lent/');
  });

  test('programs get no users, with the reason, where other users cannot enter the data folder', async () => {
    const closed = path.join(dataDir, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const separation = await separatePrograms(path.join(closed, 'data'));
    expect(separation).toEqual({
      why: expect.stringContaining(`EACCES: permission denied, open '${closed}/data/homes/`) as string,
    });
  });

  test('private folders are closed before they contain anything', async () => {
    const fresh = path.join(dataDir, 'fresh');
    expect(await separatePrograms(fresh)).toHaveProperty('users');
    for (const name of ['envtarget', 'runs', 'logs', 'users'])
      expect(statSync(path.join(fresh, name)).mode & 0o777, name).toBe(0o700);
  });

  test('settings are copied for a program completely or not at all', async () => {
    const file = path.join(dataDir, 'large.env');
    writeFileSync(file, `SINK_TABLE=${'x'.repeat(20_000)}\n`);
    const folder = path.join(dataDir, 'large');
    const script = `const { lendSettings } = await import(process.argv[1]);
      lendSettings({ file: process.argv[2], dataDir: process.argv[3], name: 'one', uid: 60600 });`;
    const lent = path.resolve(import.meta.dirname, '../../../src/runner/process/lent-settings.ts');
    const node = [process.execPath, '--input-type=module', '-e', script, lent, file, folder];
    // No file may be longer than 8 blocks here: as on a disk that fills up, the first write stores only a part.
    const run = promisify(execFile)('sh', ['-c', 'ulimit -f 8; exec "$0" "$@"', ...node]);
    await expect(run).rejects.toThrow('EFBIG');
    expect(readdirSync(path.join(folder, 'lent'))).toEqual([]);
  });

  function supervisorOf(name: string): number {
    const text = readFileSync(path.join(dataDir, 'runs', name, 'supervisor.json'), 'utf8');
    return (JSON.parse(text) as { pid: number }).pid;
  }
});
