/** The command line as people run it: a process against the real api, with a worker behind it. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { addUser } from '../../src/db/access/users.ts';
import { grantOf } from '../../src/domain/permission.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { ADMIN_PASSWORD } from '../support/login.ts';
import { paramsFile } from '../support/params-files.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { commandLine } from './support.ts';

/** Prints a byte-order mark, colours, a progress bar, and no final newline. */
const COLOURFUL = String.raw`printf '\357\273\277a\r\n\033[32mok\033[0m\n10%%\r20%%\r\n\302\233end'`;

let system: System;
const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-cli-'));

beforeAll(async () => {
  writeFileSync(path.join(home, 'colourful.sh'), COLOURFUL);
  system = await startSystem({
    params: [
      params('quick', 'sync', '--mute'),
      params('quick', 'delta', '--mute', 'SCHEDULE=0 3 1 1 *\nTIMEZONE=Europe/Brussels\n'),
      params('broken', 'sync', '--exit 3'),
      params('long', 'sync', '--seconds 600 --progress 3'),
      paramsFile({ target: 'colourful', action: 'sync', command: `sh ${path.join(home, 'colourful.sh')}` }),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const { begin, syncrator, login } = commandLine({ home, url: () => system.apiUrl });

describe('a user who is not logged in', () => {
  test('is told how to log in, and a wrong password is refused', async () => {
    await syncrator(['logout']);
    const stranger = await syncrator(['jobs']);
    expect([stranger.code, stranger.stdout]).toEqual([1, '']);
    expect(stranger.stderr).toMatch(/needs a login.*syncrator login/);
    const wrong = await syncrator(['login', '-u', 'admin'], { input: 'not the password\n' });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).not.toContain('not the password');
  });

  test('logs in with a password, and nobody else can read the token', async () => {
    const entered = await login();
    expect([entered.code, entered.stdout]).toEqual([0, '']);
    const file = path.join(home, 'syncrator/tokens.json');
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(file, 'utf8')).not.toContain(ADMIN_PASSWORD);
    expect((await syncrator(['jobs'])).code).toBe(0);
  });

  test('an empty or broken file of tokens counts as none: commands ask for a login, which repairs it', async () => {
    const file = path.join(home, 'syncrator/tokens.json');
    for (const content of ['', '{']) {
      writeFileSync(file, content);
      const stranger = await syncrator(['jobs']);
      expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining('syncrator login')]);
      expect((await login()).code).toBe(0);
      expect((await syncrator(['jobs'])).code).toBe(0);
    }
  });

  test('an unreachable server ends a command with 3 and is named', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await syncrator(['jobs'], { environment: { SYNCRATOR_URL: url } });
    expect(code).toBe(3);
    expect(stderr).toContain(url);
    expect(stderr).toContain('SYNCRATOR_URL');
  });
});

describe('a user without permission', () => {
  test('is told so in the words of the server, and whoami shows it before', async () => {
    const grant = grantOf('operator', [], ['delta']);
    const passwordHash = await hashPassword(ADMIN_PASSWORD);
    await addUser(system.db, { username: 'delta', passwordHash, grant }, { principal: 'test' });
    await syncrator(['login', '-u', 'delta'], { input: `${ADMIN_PASSWORD}\n` });
    const me = await syncrator(['whoami']);
    expect(me).toEqual({
      code: 0,
      stdout: 'name    delta\nrole    operator\nlimits  action delta\n',
      stderr: '',
    });
    const refused = await syncrator(['sync', 'quick', 'dev']);
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: "syncrator: this needs operator for the action 'sync'; yours is limited to action delta\n",
    });
    expect((await syncrator(['delta', 'quick', 'dev', '--dry-run'])).code).toBe(0);
    const paused = await syncrator(['maintenance', 'on', 'never']);
    expect([paused.code, paused.stderr]).toEqual([1, expect.stringContaining('this needs the role admin')]);
  });
});

describe('a logged-in user', () => {
  beforeEach(async () => {
    await login();
  });

  test('gives a reason, and an admin reads who did what, and which calls were refused', async () => {
    const why = 'größer, for the audit';
    const paused = await syncrator(['schedules', 'pause', 'dev.quick.delta', '--reason', why]);
    expect(paused.code).toBe(0);
    await syncrator(['schedules', 'resume', 'dev.quick.delta']);
    const told = await syncrator(['audit', '--object', 'schedule', '--output', 'json']);
    expect(told.code).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject([
      { principal: 'admin', verb: 'resume', object: 'schedule dev.quick.delta', reason: null },
      {
        principal: 'admin',
        verb: 'pause',
        reason: why,
        address: expect.stringMatching(/^(::ffff:)?127|^::1/),
      },
    ]);
    const refused = await syncrator(['audit', '--refused', '--by', 'delta', '--since', '2026-01-01']);
    expect(refused.stdout).toMatch(/^WHEN +WHO +WHAT +WHY +FROM\n/);
    expect(refused.stdout).toMatch(/delta +pause maintenance: rejected \(forbidden\)/);
    expect((await syncrator(['audit', '--by', 'nobody'])).stdout).toBe('no entry matches\n');
    const wrong = await syncrator(['audit', '--since', 'yesterday']);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('not a valid time (expected e.g. 2026-11-22)'),
    ]);
    await syncrator(['login', '-u', 'delta'], { input: `${ADMIN_PASSWORD}\n` });
    const denied = await syncrator(['audit']);
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining('this needs the role admin')]);
  });

  test('starts a job, waits and sees its end: 0 for success, 2 for failure with what to do', async () => {
    const done = await syncrator(['sync', 'quick', 'dev', '--wait', '--output', 'json']);
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(JSON.parse(done.stdout)).toMatchObject({ target: 'quick', status: 'completed' });
    const failed = await syncrator(['sync', 'broken', 'dev', '--follow']);
    expect(failed.code).toBe(2);
    expect(failed.stdout).toMatch(/status +failed\n/);
    expect(failed.stdout).toMatch(/what to do +\S/);
    expect(failed.stderr).toContain('sync of broken in dev');
    const again = await syncrator(['jobs', 'resume', '--all', '--output', 'json']);
    const [resumed] = JSON.parse(again.stdout) as { resumes: number; job_id: number }[];
    expect(again.code).toBe(0);
    expect((await syncrator(['jobs', 'watch', String(resumed?.job_id)])).code).toBe(2);
    const twice = await syncrator(['jobs', 'resume', String(resumed?.resumes)]);
    expect([twice.code, twice.stderr]).toEqual([
      1,
      expect.stringContaining(`has been resumed by job ${resumed?.job_id}`),
    ]);
    expect((await syncrator(['jobs', 'resume'])).stderr).toContain('name one failed job or use --all');
  });

  test('a dry run starts nothing', async () => {
    const before = await syncrator(['jobs', '--output', 'json']);
    const dry = await syncrator(['delta', 'quick', 'dev', '--dry-run']);
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('nothing was started')]);
    expect((await syncrator(['jobs', '--output', 'json'])).stdout).toBe(before.stdout);
  });

  test('JSON and YAML output have the same content', async () => {
    const json = await syncrator(['targets', '--output', 'json']);
    const yaml = await syncrator(['targets', '--output', 'yaml']);
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
    const bad = await syncrator(['targets', '--output', 'xml']);
    expect([bad.code, bad.stderr]).toEqual([
      1,
      expect.stringContaining("invalid --output 'xml' (expected table, json, yaml)"),
    ]);
  });

  test('an unknown name ends with 1 and suggests the one that may be meant', async () => {
    for (const [args, near] of [
      [['sync', 'quik', 'dev'], 'quick'],
      [['targets', 'brokn'], 'broken'],
      [['schedules', 'show', 'dev.quick.delt'], 'dev.quick.delta'],
      [['schedules', 'run', 'dev.quik.delta'], 'dev.quick.delta'],
      [['schedules', 'pause', 'dev.quik.delta'], 'dev.quick.delta'],
      [['rollback', 'quik', 'dev'], 'quick'],
      [['run', 'quik', 'dev'], 'quick'],
      [['schedulse'], 'schedules'],
    ] as const) {
      const { code, stdout, stderr } = await syncrator(args);
      expect([code, stdout], args.join(' ')).toEqual([1, '']);
      expect(stderr, args.join(' ')).toContain(near);
    }
    expect((await syncrator(['jobs', 'show', 'seven'])).stderr).toContain(
      "invalid job id 'seven' (expected a number, e.g. 7)",
    );
    expect((await syncrator(['sync', 'quick', 'dev', '--wait', '--detach'])).code).toBe(1);
  });

  test('Ctrl-C leaves a job running and says how to follow it again; a cancel ends it', async () => {
    const following = begin(['sync', 'long', 'dev', '--follow']);
    await following.says('running');
    following.interrupt();
    const left = await following.ended();
    expect(left.code).toBe(130);
    const id = /syncrator jobs watch (\d+)/.exec(left.stderr)?.[1] ?? '';
    expect((await system.job(Number(id))).status).toBe('running');
    const again = await syncrator(['sync', 'long', 'dev']);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('is already active')]);
    const cancelled = await syncrator(['jobs', 'cancel', id, '--wait']);
    expect([cancelled.code, cancelled.stdout]).toEqual([0, expect.stringMatching(/status +deleted/)]);
    const list = await syncrator(['jobs', 'list', '--status', 'deleted', '--target', 'long']);
    expect(list.stdout).toMatch(new RegExp(`^${id} +deleted +sync +long +dev`, 'm'));
  });

  test('a follower waits for an unreachable server, and reacts to Ctrl-C meanwhile', async () => {
    const patient = begin(['sync', 'long', 'dev', '--follow']);
    const hasty = begin(['sync', 'long', 'dev', '--follow']);
    await Promise.all([patient.says('running'), hasty.says('running')]);
    await system.endParts('src/server.ts');
    hasty.interrupt();
    expect((await hasty.ended()).code).toBe(130);
    await system.startApi();
    const { stdout } = await syncrator(['jobs', 'list', '--active', '--output', 'json']);
    const [job] = JSON.parse(stdout) as { id: number }[];
    await syncrator(['jobs', 'cancel', String(job?.id)]);
    const ended = await patient.ended();
    expect([ended.code, ended.stdout]).toEqual([2, expect.stringMatching(/status +deleted/)]);
  });

  test('a followed log is complete and ends with its job', async () => {
    const { stdout } = await syncrator(['sync', 'broken', 'dev', '--detach', '--output', 'json']);
    const id = String((JSON.parse(stdout) as { job_id: number }).job_id);
    const followed = await syncrator(['jobs', 'logs', '-f', id]);
    const read = await syncrator(['jobs', 'logs', id]);
    expect([followed.code, read.code]).toEqual([0, 0]);
    expect(followed.stdout).not.toBe('');
    expect(followed.stdout).toBe(read.stdout);
  });

  test('a log in a file is unchanged, and harmless on a terminal', async () => {
    const ran = await syncrator(['sync', 'colourful', 'dev', '--wait', '--output', 'json']);
    const id = String((JSON.parse(ran.stdout) as { id: number }).id);
    const printed = '\ufeffa\r\n\u001b[32mok\u001b[0m\n10%\r20%\r\n\u009bend';
    const saved = await syncrator(['jobs', 'logs', id]);
    expect([saved.code, saved.stdout]).toEqual([0, printed]);
    expect((await syncrator(['jobs', 'logs', '--all', id])).stdout).toContain(printed.slice(1));
    expect((await syncrator(['jobs', 'logs', '--follow', id])).stdout).toBe(printed);
    const onTerminal = await syncrator(['jobs', 'logs', id], { isTerminal: true });
    expect(onTerminal.stdout.replaceAll('\r\n', '\n')).toBe('\ufeffa␍\n␛[32mok␛[0m\n10%␍20%␍\n␡end'.slice(1));
  });

  test('many jobs are submitted from a file or a pipe; each is accepted or refused on its own', async () => {
    const file = path.join(home, 'tonight.yaml');
    writeFileSync(file, '- {operation: sync, target: quick, env: dev}\n- {operation: sync, target: quikc}\n');
    const mixed = await syncrator(['jobs', 'submit', file]);
    expect(mixed.code).toBe(1);
    expect(mixed.stdout).toMatch(/^\d+ +sync quick in dev\nrejected +sync quikc +.*did you mean quick/m);
    const piped = await syncrator(['jobs', 'submit', '-', '--output', 'json'], {
      input: '{"jobs": [{"operation": "sync", "target": "broken"}]}',
    });
    expect([piped.code, JSON.parse(piped.stdout)]).toEqual([
      0,
      [{ status: 'CREATED', msg: 'OK', job_id: expect.any(Number) as number }],
    ]);
    for (const [input, why] of [
      ['operation: sync', 'is not a list of jobs'],
      ['{"jobs": [', 'Flow sequence'],
    ] as const) {
      const bad = await syncrator(['jobs', 'submit', '-'], { input });
      expect([bad.code, bad.stdout]).toEqual([1, '']);
      expect(bad.stderr).toContain(why);
    }
    const missing = await syncrator(['jobs', 'submit', `${home}/nowhere.yaml`]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nowhere.yaml')]);
  });

  test('pauses and resumes maintenance and a schedule', async () => {
    const on = await syncrator(['maintenance', 'on', 'Solr', 'upgrade']);
    expect(on.stdout).toMatch(/engine +PAUS(ED|ING)\nmessage +Solr upgrade/);
    expect((await syncrator(['maintenance', 'off', 'done'])).stdout).toMatch(/engine +RUNNING/);
    expect((await syncrator(['maintenance', 'history'])).stdout).toMatch(
      /resumed +admin +done\n.*paused +admin +Solr/,
    );
    await expect
      .poll(async () => (await syncrator(['schedules', 'pause', 'dev.quick.delta'])).code, {
        timeout: 30_000,
      })
      .toBe(0);
    // Temporal may be too slow: then this part of the answer is missing.
    const says = async (args: readonly string[], what: RegExp) =>
      await expect.poll(async () => (await syncrator(args)).stdout, { timeout: 30_000 }).toMatch(what);
    await syncrator(['schedules', 'pause', 'dev.quick.delta', '--note', 'Solr upgrade']);
    await says(['schedules', 'show', 'dev.quick.delta'], /note +paused by admin: Solr upgrade/);
    await says(['schedules'], /dev\.quick\.delta .*Europe\/Brussels +paused/);
    expect((await syncrator(['schedules', 'resume', 'dev.quick.delta'])).code).toBe(0);
    await says(['schedules', 'show', 'dev.quick.delta'], /next +\d{4}-01-01 03:00:00/);
  });
});
