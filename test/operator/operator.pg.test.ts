/** The operator commands as people run them: processes on a real database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { listMigrations, migrate } from '../../src/db/migrate.ts';
import type { Db } from '../../src/db/schema.ts';
import { findUser } from '../../src/db/access/users.ts';
import { ensureDatabases } from '../../src/embedded/databases.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { compileCache } from '../support/compile-cache.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { paramsFile, writeParams } from '../support/params-files.ts';
import { params, startSystem } from '../support/system.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
const PASSWORD = 'a long password';

let database: TestDatabase;
let db: Db;
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await createDatabase({ migrated: false });
  db = connect(database.url, { max: 1, applicationName: 'test', onError: () => undefined });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await db.destroy();
  await database.drop();
});

type Environment = Readonly<Record<string, string | undefined>>;

function begin(args: readonly string[], environment: Environment = {}, input = '') {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...compileCache(), DATABASE_URL: database.url, ...environment },
  });
  children.push(child);
  child.stdin.end(input);
  return child;
}

async function run(args: readonly string[], environment?: Environment, input?: string) {
  const child = begin(args, environment, input);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

describe('users', () => {
  const users = (args: readonly string[], input = PASSWORD) => run(['users', ...args], {}, `${input}\n`);
  beforeEach(async () => {
    await migrate(db);
  });

  test('users are added, listed, disabled and enabled, and get another password, read from stdin', async () => {
    expect((await users([])).stdout).toBe('no users\n');
    const added = await users(['add', 'eve', '--role', 'admin']);
    expect([added.code, added.stdout, added.stderr]).toEqual([0, '', 'Added eve, admin (limits: none).\n']);
    const first = await findUser(db, 'eve');
    expect(first?.password_hash).toMatch(/^\$argon2id\$/);
    expect((await users(['disable', 'eve'])).code).toBe(0);
    expect((await findUser(db, 'eve'))?.disabled).toBe(true);
    expect((await users(['list'])).stdout).toMatch(
      /^USER +ROLE +LIMITS +STATE +SINCE\neve +admin +none +disabled +\d{4}-/,
    );
    expect((await users(['enable', 'eve'])).code).toBe(0);
    expect((await findUser(db, 'eve'))?.disabled).toBe(false);
    expect((await users(['passwd', 'eve'], 'another password')).code).toBe(0);
    expect((await findUser(db, 'eve'))?.password_hash).not.toBe(first?.password_hash);
    const listed = await users(['list', '--output', 'json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ username: 'eve', disabled: false }]);
    expect(listed.stdout).not.toContain('argon2');
  });

  test('users have a role and limits, which may be changed', async () => {
    const limits = ['--env', 'qas,dev', '--env', 'qas', '--action', 'delta'];
    await users(['add', 'eve', '--role', 'operator', ...limits]);
    const first = { role: 'operator', envs: ['qas', 'dev'], actions: ['delta'] };
    expect(await findUser(db, 'eve')).toMatchObject(first);
    expect((await users(['list'])).stdout).toMatch(/^eve +operator +env qas, dev; action delta +enabled /m);
    expect(JSON.parse((await users(['list', '--output', 'json'])).stdout)).toMatchObject([first]);
    // Limits that are not repeated are removed: role and limits are set together.
    const changed = await users(['role', 'eve', 'viewer']);
    expect([changed.code, changed.stderr]).toEqual([0, 'eve is now viewer (limits: none).\n']);
    expect(await findUser(db, 'eve')).toMatchObject({ role: 'viewer', envs: null, actions: null });
    const { rows } = await sql<{ line: string }>`
      SELECT principal || ' ' || verb || ' ' || object || ' ' || detail AS line FROM audit ORDER BY id`.execute(
      db,
    );
    expect(rows.map(({ line }) => line)).toEqual([
      expect.stringMatching(/^users command \(\w+\) add user eve \{.*"envs": \["qas", "dev"\]/),
      expect.stringMatching(/^users command \(\w+\) role user eve \{.*"role": "viewer"/),
    ]);
  });

  test('users are refused with a reason, and nothing is changed', async () => {
    await users(['add', 'eve', '--role', 'viewer']);
    for (const [args, input, words] of [
      [['add', 'eve', '--role', 'admin'], PASSWORD, 'user eve already exists'],
      [['add', 'bob', '--role', 'admin'], 'short', 'a password needs 8 to'],
      [['add', 'a/b', '--role', 'admin'], PASSWORD, "invalid user name 'a/b' (expected 1 to 64 of"],
      [['add', 'bob', '--role', 'root'], PASSWORD, "invalid role 'root' (expected viewer, operator, admin)"],
      [['add', 'bob', '--role', 'viewer', '--env', 'qas'], PASSWORD, 'a viewer cannot be limited'],
      [['role', 'eve', 'operator', '--env', 'q s'], PASSWORD, "'q s' is not a valid environment"],
      [['role', 'nobody', 'admin'], PASSWORD, 'no user nobody'],
      [['passwd', 'nobody'], PASSWORD, 'no user nobody'],
      [['disable', 'nobody'], PASSWORD, 'no user nobody'],
    ] as const) {
      const { code, stdout, stderr } = await users(args, input);
      expect([code, stdout], args.join(' ')).toEqual([1, '']);
      expect(stderr.startsWith(`syncrator: ${words}`), `${args.join(' ')}: ${stderr}`).toBe(true);
    }
    // There is no default role.
    const unsaid = await users(['add', 'bob']);
    expect([unsaid.code, unsaid.stderr]).toEqual([
      1,
      expect.stringContaining("'--role <role>' not specified"),
    ]);
    expect(JSON.parse((await users(['list', '--output', 'json'])).stdout)).toMatchObject([
      { username: 'eve', role: 'viewer' },
    ]);
  });
});

describe('tokens', () => {
  beforeEach(async () => {
    await migrate(db);
  });
  const tokens = (...args: string[]) => run(['tokens', ...args]);
  const listed = async () =>
    JSON.parse((await tokens('list', '--output', 'json')).stdout) as Record<string, unknown>[];

  test('tokens are printed once, listed without their secret, and revoked', async () => {
    expect((await tokens()).stdout).toBe('no tokens\n');
    const limits = ['--env', 'prd', '--action', 'delta', '--expires', '90d'];
    const made = await tokens('create', 'nightly', '--role', 'operator', ...limits);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^syn_[0-9a-f]{16}_[\w-]{43}\n$/);
    expect(made.stderr).toMatch(
      /^Created nightly, operator \(limits: env prd; action delta\), valid until 20.*\nIt is shown only this once\.\n$/,
    );
    const [of] = await listed();
    expect(of).toMatchObject({
      name: 'nightly',
      role: 'operator',
      envs: ['prd'],
      actions: ['delta'],
      state: 'good',
      last_used_at: null,
      created_by: expect.stringMatching(/^tokens command \(\w+\)$/) as string,
    });
    const days = (Date.parse(String(of?.['expires_at'])) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThan(90.1);
    const token = made.stdout.trim();
    const table = await tokens('list');
    expect(table.stdout).toMatch(
      /^nightly +operator +env prd; action delta +good +20\S+ +never +20\S+ +tokens command/m,
    );
    for (const { stdout } of [table, await tokens('list', '--output', 'yaml')])
      expect(stdout).not.toContain(token.slice(-43));
    const revoked = await tokens('revoke', 'nightly');
    expect([revoked.code, revoked.stdout, revoked.stderr]).toEqual([0, '', 'Revoked nightly.\n']);
    expect(await listed()).toMatchObject([{ name: 'nightly', state: 'revoked' }]);
    // The name is free again, and a program gets a JSON answer with the token and more.
    const forEver = ['--role', 'viewer', '--expires', 'never', '--output', 'json'];
    const again = await tokens('create', 'nightly', ...forEver);
    expect(JSON.parse(again.stdout)).toMatchObject({ name: 'nightly', role: 'viewer', expires_at: null });
    expect(again.stderr).toContain('never expires');
    expect((await listed()).map(({ state }) => state)).toEqual(['good', 'revoked']);
    const { rows } = await sql<{ line: string }>`
      SELECT verb || ' ' || object || ' ' || detail AS line FROM audit ORDER BY id`.execute(db);
    expect(rows.map(({ line }) => line.split(' ', 3).join(' '))).toEqual([
      'create token nightly',
      'revoke token nightly',
      'create token nightly',
    ]);
    expect(JSON.stringify(rows)).not.toContain(token.slice(-43));
  });

  test('tokens are refused with a reason, and nothing is kept', async () => {
    await tokens('create', 'taken', '--role', 'viewer');
    for (const [args, words] of [
      [['create', 'taken', '--role', 'admin'], 'token taken already exists: revoke it first'],
      [['create', 'A/b', '--role', 'admin'], "invalid token name 'A/b' (expected 1 to 64 of"],
      [['create', 'x', '--role', 'root'], "invalid role 'root' (expected viewer, operator, admin)"],
      [['create', 'x', '--role', 'viewer', '--action', 'sync'], 'a viewer cannot be limited'],
      [
        ['create', 'x', '--role', 'admin', '--expires', '1y'],
        "invalid --expires '1y' (expected e.g. 90d, 12h, or never)",
      ],
      [['create', 'x', '--role', 'admin', '--expires', '0d'], "invalid --expires '0d'"],
      [['revoke', 'nobody'], 'no active token nobody'],
    ] as const) {
      const { code, stdout, stderr } = await tokens(...args);
      expect([code, stdout], args.join(' ')).toEqual([1, '']);
      expect(stderr, args.join(' ')).toContain(words);
    }
    expect(await listed()).toMatchObject([{ name: 'taken', role: 'viewer' }]);
  });
});

describe('db', () => {
  test('db status changes nothing, and db up applies pending migrations once', async () => {
    const before = await run(['db', 'status']);
    expect([before.code, before.stdout]).toEqual([0, expect.stringMatching(/^0001-initial +pending$/m)]);
    expect(before.stdout).toContain('syncrator db up');
    expect((await run(['db'])).stdout).toBe(before.stdout);
    const up = await run(['db', 'up']);
    expect([up.code, up.stdout]).toEqual([0, expect.stringMatching(/^applied 0001-initial$/m)]);
    expect((await run(['db', 'up'])).stdout).toBe('nothing was pending\n');
    const after = await run(['db', 'status', '--output', 'json']);
    const states = (JSON.parse(after.stdout) as { state: string; appliedAt: string }[]).map(
      ({ state, appliedAt }) => [state, !Number.isNaN(Date.parse(appliedAt))],
    );
    expect(new Set(states.map(String))).toEqual(new Set(['applied,true']));
  });

  describe('after a downgrade', () => {
    beforeEach(async () => {
      await migrate(db);
      await sql`INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01T00:00:00.000Z')`.execute(db);
    });

    test('db status names the newer version; up and restored have nothing to apply, and succeed', async () => {
      expect((await run(['db', 'status'])).stdout).toMatch(
        /^9999-later +unknown .*\na newer version has migrated/m,
      );
      const words =
        'a newer version has migrated the database; this version still finds everything that it uses\n';
      const up = await run(['db', 'up']);
      expect(up).toEqual({ code: 0, stdout: `nothing was pending\n${words}`, stderr: '' });
      const json = await run(['db', 'up', '--output', 'json']);
      expect([json.code, JSON.parse(json.stdout)]).toEqual([0, { applied: [], newer: ['9999-later'] }]);
      const restored = await run(['db', 'restored']);
      expect([restored.code, restored.stderr]).toEqual([0, words]);
      expect(restored.stdout).toMatch(/^the next job id is \d+;/);
    });

    test('every command works on the database of a newer version', async () => {
      const made = await run(['users', 'add', 'eve', '--role', 'admin'], {}, `${PASSWORD}\n`);
      expect([made.code, made.stderr]).toEqual([0, 'Added eve, admin (limits: none).\n']);
      for (const args of [
        ['users', 'list'],
        ['users', 'role', 'eve', 'viewer'],
        ['users', 'disable', 'eve'],
        ['tokens', 'create', 'nightly', '--role', 'viewer'],
        ['tokens', 'list'],
        ['tokens', 'revoke', 'nightly'],
        ['db', 'purge', '--logs-older-than', '90d', '--dry-run'],
        ['db', 'purge', '--logs-older-than', '90d'],
      ])
        expect(await run(args), args.join(' ')).toMatchObject({ code: 0 });
    });
  });

  test('only up and restored change the schema: all other commands refuse a pending migration, and name it', async () => {
    const fresh = await run(['users', 'add', 'eve', '--role', 'admin'], {}, `${PASSWORD}\n`);
    expect(fresh).toEqual({
      code: 1,
      stdout: '',
      stderr: 'syncrator: the database lacks all tables: run syncrator db up first\n',
    });
    expect((await listMigrations(db)).every(({ state }) => state === 'pending')).toBe(true);
    await migrate(db);
    const newest = (await listMigrations(db)).at(-1)?.name ?? '';
    // Looks like a database of the previous version to a command that reads only the list.
    await sql`DELETE FROM kysely_migration WHERE name = ${newest}`.execute(db);
    for (const args of [
      ['users', 'list'],
      ['users', 'disable', 'eve'],
      ['users', 'passwd', 'eve'],
      ['tokens', 'list'],
      ['tokens', 'create', 'nightly', '--role', 'viewer'],
      ['tokens', 'revoke', 'nightly'],
      ['db', 'purge', '--logs-older-than', '90d', '--dry-run'],
      ['db', 'purge', '--logs-older-than', '90d'],
    ]) {
      const { code, stdout, stderr } = await run(args, {}, `${PASSWORD}\n`);
      expect([code, stdout], args.join(' ')).toEqual([1, '']);
      expect(stderr).toContain(`lacks ${newest}: run syncrator db up first`);
    }
    expect((await listMigrations(db)).at(-1)).toMatchObject({ name: newest, state: 'pending' });
  });

  test('purge shows what it would delete, and deletes exactly that', async () => {
    await migrate(db);
    await sql`INSERT INTO jobs (uid, env, target, action_name, action, is_tag, options, runner, steps_spec, spec_hash,
        trigger, requested_by, status, created_at, finished_at)
      SELECT gen_random_uuid(), 'dev', 'a', 'sync', 'sync', 'latest', '', 'process', '[]', '', 'api', 'test', 'failed',
        now() - make_interval(days => days), now() - make_interval(days => days)
      FROM unnest(ARRAY[800, 100, 10]) AS days`.execute(db);
    await sql`INSERT INTO steps (job_id, step, attempt, action, name, log_bytes)
      SELECT id, 0, 1, 'sync', id, 2000 FROM jobs`.execute(db);
    await sql`INSERT INTO step_logs SELECT id, 0, 1, 0, 2000, repeat('x', 2000) FROM jobs`.execute(db);
    const ages = ['--logs-older-than', '90d', '--jobs-older-than', '2y'];
    const would = await run(['db', 'purge', ...ages, '--dry-run']);
    expect([would.code, would.stderr]).toEqual([0, '']);
    expect(would.stdout).toMatch(/^logs +\d{4}-\S+ +2 jobs +4 kB\njobs +\d{4}-\S+ +1 job\n$/m);
    const left = async () =>
      (
        await sql<{
          left: string;
        }>`SELECT (SELECT count(*) FROM jobs) || ' jobs, ' || count(*) || ' logs' AS left
          FROM step_logs`.execute(db)
      ).rows[0]?.left;
    expect(await left()).toBe('3 jobs, 3 logs');
    const done = await run(['db', 'purge', ...ages]);
    expect([done.code, done.stdout]).toEqual([0, 'deleted the logs of 2 jobs (4 kB), and 1 job\n']);
    expect(done.stderr).toMatch(/^logs .* 2 jobs +4 kB\njobs .* 1 job\n$/m);
    expect(await left()).toBe('2 jobs, 1 logs');
    const again = await run(['db', 'purge', '--logs-older-than', '90d', '--output', 'json']);
    expect(JSON.parse(again.stdout)).toEqual({ dry_run: false, logs: 0, log_bytes: 0, jobs: 0, records: 0 });
    for (const [args, words] of [
      [[], 'nothing to delete'],
      [['--logs-older-than', '90'], 'must be a number of hours, days'],
      [['--jobs-older-than', '0d'], 'must be a number of hours, days'],
    ] as const)
      expect(await run(['db', 'purge', ...args])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(words),
      });
  });

  test('an unreachable Postgres ends a command with 3 and its address, without its password', async () => {
    const url = `postgres://ada:hush-hush@127.0.0.1:${await freePort()}/syncrator`;
    const { code, stderr } = await run(['db'], { DATABASE_URL: url });
    expect(code).toBe(3);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).not.toContain('hush-hush');
    const bad = await run(['db'], { DATABASE_URL: 'mysql://x' });
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('DATABASE_URL must be postgres://')]);
  });

  test('without DATABASE_URL, `db` uses the Postgres of the `npm start` that runs in this folder', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-operator-'));
    const postgres = await startPostgres({ dataDir, ephemeral: true });
    try {
      await ensureDatabases(postgres.url('postgres'), ['syncrator']);
      const found = { DATABASE_URL: undefined, SYNCRATOR_DATA: dataDir };
      expect((await run(['db', 'up'], found)).stdout).toMatch(/^applied 0001-initial$/m);
      await postgres.stop();
      const { code, stderr } = await run(['db'], found);
      expect([code, stderr]).toEqual([3, expect.stringContaining(`no npm start runs on ${dataDir}`)]);
    } finally {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe('params check', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-check-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('params check lists each file with its schedule, then every error of the others, and ends with 1', async () => {
    const good = paramsFile({
      target: 'good',
      action: 'sync',
      more: 'SCHEDULE=0 3 * * *\nTIMEZONE=Europe/Brussels\n',
    });
    const dir = writeParams(folder, [good]);
    const fine = await run(['params', 'check', dir]);
    expect([fine.code, fine.stderr]).toEqual([0, '']);
    expect(fine.stdout).toMatch(
      /^job_params\/dev\/good-sync\.public_params +sync of good in dev +0 3 \* \* \* \(Europe\/Brussels\)$/m,
    );
    expect((await run(['params', 'check'], { JOB_PARAMS: dir })).stdout).toBe(fine.stdout);

    writeParams(folder, [paramsFile({ target: 'bad', action: 'sync', more: 'CPU=many\nRETRIES=-1\n' })]);
    mkdirSync(path.join(dir, 'qas'));
    writeFileSync(path.join(dir, 'qas/notes.txt'), '');
    const bad = await run(['params', 'check', dir, '--output', 'json']);
    expect([bad.code, bad.stderr]).toEqual([1, 'syncrator: errors: 3, in 2 of 3 files\n']);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      files: [{ starts: 'sync of good in dev', schedule: '0 3 * * * (Europe/Brussels)' }],
      faults: [
        { file: 'job_params/dev/bad-sync.public_params', line: 9, key: 'CPU' },
        { line: 10, key: 'RETRIES' },
        { file: 'job_params/qas/notes.txt', line: null, key: null },
      ],
    });
    const told = await run(['params', 'check', dir]);
    expect(told.stdout).toContain("job_params/dev/bad-sync.public_params:9: CPU: 'many' is not a quantity");
    const missing = await run(['params', 'check', path.join(folder, 'nothing')]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nothing: cannot be read')]);
  });
});

test('server and worker run in the process of the command until SIGTERM', async () => {
  await using system = await startSystem({ params: [params('quick', 'sync', '--mute')] });
  const parts = [begin(['server'], system.environment), begin(['worker'], system.environment)];
  const said = parts.map(() => '');
  parts.forEach((part, at) => part.stdout?.on('data', (bytes: Buffer) => (said[at] += bytes.toString())));
  await expect.poll(() => said[0], { timeout: 30_000 }).toContain('serving');
  await expect.poll(() => said[1], { timeout: 30_000 }).toContain('worker is ready');
  expect((await fetch(`${system.apiUrl}/health/ready`)).status).toBe(200);
  const ends = parts.map((part) => new Promise((resolve) => part.once('exit', resolve)));
  for (const part of parts) part.kill('SIGTERM');
  expect(await Promise.all(ends)).toEqual([0, 0]);
  const wrong = await run(['worker'], {});
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('TEMPORAL_ADDRESS is not set')]);
});
