/**
 * The Orchestrator demo's README from top to bottom: server, command line, scheduler, migrations, and the engine
 * that is paused, resumed and aborted, against the real api and worker. Lines with DIFFERENT mark deliberate
 * differences, which docs/migrating.md explains.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, MAIN } from '../cli/support.ts';
import { freePort } from '../../src/embedded/ports.ts';
import { createDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { AUDIENCE, startOidcIssuer } from '../support/oidc-issuer.ts';
import { params, startSystem, type System } from '../support/system.ts';
import { userShell } from './user-shell.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-orchestrator-'));
let system: System;
let token = '';

beforeAll(async () => {
  system = await startSystem({
    params: [
      params('node', 'sync', '--mute', 'SCHEDULE=10 0 * * *\n'),
      params('product', 'sync', '--mute', 'SCHEDULE=30 2 * * *\n'),
      params('slow', 'diff', `--seconds 600 --until ${home}/go`),
      params('next', 'sync', '--mute'),
      params('broken', 'sync', '--exit 1'),
    ],
  });
  await Promise.all([system.startApi(), system.startWorker()]);
  token = await login(system.apiUrl);
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const user = userShell(() => ({ URL: system.apiUrl, TOKEN: token }));
const { syncrator, login: loginAtTheTerminal } = commandLine({ home, url: () => system.apiUrl });
const AUTH = '-H "Authorization: Bearer $TOKEN"';

describe('Troubleshooting: is the back-end there', () => {
  test('curl localhost:8080/api/products is told that a token is missing', async () => {
    // DIFFERENT: with `code` and `message` beside the documented members.
    expect(await user('curl $URL/api/products')).toMatchObject({
      status: 401,
      body: {
        detail: 'No Authorization token provided',
        status: 401,
        title: 'Unauthorized',
        type: 'about:blank',
      },
    });
  });

  test('a call with a token lists the products that can be run', async () => {
    const answer = await user(`curl $URL/api/products ${AUTH}`);
    expect(answer.status).toBe(200);
    expect((answer.body as { name: string }[]).map(({ name }) => name)).toEqual([
      'broken',
      'next',
      'node',
      'product',
      'slow',
    ]);
    expect((await user(`curl $URL/api/products/node ${AUTH}`)).body).toMatchObject({ name: 'node' });
  });
});

describe('OAUTH2_ACTIVE', () => {
  const at = async (settings: Record<string, string>) => {
    const port = await freePort();
    const api = await system.startApi({ ...settings, PORT: String(port) });
    return { ask: userShell(() => ({ URL: `http://127.0.0.1:${port}`, TOKEN: token })), api };
  };

  test('False: products without a token', async () => {
    // DIFFERENT: only for reads; every write needs a token.
    const { ask, api } = await at({ PUBLIC_READS: 'true' });
    expect((await ask('curl $URL/api/products')).status).toBe(200);
    expect((await ask('curl -X POST $URL/sync/next/dev')).status).toBe(401);
    await api.kill();
  });

  test("True: the issuer's tokens are accepted, with the role that they claim", async () => {
    await using issuer = await startOidcIssuer();
    const { ask, api } = await at({
      OIDC_ISSUER: issuer.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_ROLES: 'noc=operator',
      LOCAL_LOGIN: 'false',
    });
    const theirs = await issuer.token({ sub: 'ada', role: 'noc' });
    expect(await ask(`curl $URL/me -H "Authorization: Bearer ${theirs}"`)).toMatchObject({
      status: 200,
      body: { role: 'operator' },
    });
    expect((await ask('curl $URL/api/products')).status).toBe(401);
    await api.kill();
  });
});

describe('Running fastapi CLI commands', () => {
  test('python main.py --help, and scheduler', async () => {
    expect((await syncrator(['--help'])).stdout).toMatch(
      /^ {2}targets, sink, schedules +show what can run, and when/m,
    );
    await loginAtTheTerminal();
    await expect
      .poll(async () => (await syncrator(['schedules'])).stdout, { timeout: 30_000 })
      .toMatch(/dev\.node\.sync .*dev\.product\.sync /s);
    expect((await syncrator(['schedules', 'show', 'dev.node.sync'])).stdout).toContain('10 0 * * *');
  });

  test('./bin/scheduling force validate_node runs only that one, and the command ends with it', async () => {
    const { code, stdout } = await syncrator(['schedules', 'run', 'dev.node.sync', '--follow']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/sync of node in dev[^]*completed/)]);
    expect((await user(`curl "$URL/jobs?target=product" ${AUTH}`)).body).toEqual([]);
  });

  test('an unknown schedule is an error', async () => {
    // DIFFERENT: the documented name matched nothing, and the command ended with 0.
    const { code, stderr } = await syncrator(['schedules', 'run', 'validate_node']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('validate_node')]);
  });
});

describe('DB migrations', () => {
  const run = async (databaseUrl: string, ...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: databaseUrl },
      timeout: 60_000,
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, said: stdout + stderr };
  };

  test('main.py db heads, and db upgrade heads by five processes at once', { timeout: 90_000 }, async () => {
    await using database = await createDatabase({ migrated: false });
    expect((await run(database.url, 'db', 'status')).said).toContain('pending');
    const all = await Promise.all(Array.from({ length: 5 }, () => run(database.url, 'db', 'up')));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    // Each migration is reported by the process that applied it.
    const applied = all.flatMap(({ said }) => said.match(/\d{4}-[a-z-]+/g) ?? []);
    expect(new Set(applied).size).toBe(applied.length);
    const { said } = await run(database.url, 'db', 'status');
    expect(said).not.toContain('pending');
    expect(applied.every((name) => said.includes(name))).toBe(true);
  });

  test('applied when the server starts', { timeout: 60_000 }, async () => {
    await using database = await createDatabase({ migrated: false });
    const api = await system.startApi({ DATABASE_URL: database.url, PORT: String(await freePort()) });
    expect((await run(database.url, 'db', 'status')).said).not.toContain('pending');
    await api.kill();
  });
});

describe('the engine', () => {
  const engine = async () => (await user(`curl $URL/maintenance-status ${AUTH}`)).body;
  const pause = (paused: boolean) =>
    user(
      `curl -X POST $URL/maintenance-status ${AUTH} -H 'Content-Type: application/json' -d '${JSON.stringify({ msg: 'an upgrade', paused })}'`,
    );

  test('RUNNING, PAUSING with a count of running jobs, PAUSED', { timeout: 90_000 }, async () => {
    expect(await engine()).toMatchObject({ engine: 'RUNNING', running_jobs: 0 });
    const slow = await system.submit('slow', 'diff');
    const id = slow.kind === 'created' ? slow.job.id : 0;
    await system.until(id, 'running');
    expect((await pause(true)).body).toMatchObject({ engine: 'PAUSING', running_jobs: 1 });
    // DIFFERENT: a start is accepted and waits; there it was refused with 503.
    const started = await user(`curl -X POST $URL/sync/next/dev ${AUTH}`);
    expect(started.status).toBe(202);
    const next = (started.body as { job_id: number }).job_id;
    await system.until(next, 'waiting');
    // DIFFERENT: a running job finishes all its steps, not only the present one.
    await user(`touch ${home}/go; curl $URL/health/live`);
    await system.until(id, 'completed');
    expect(await engine()).toMatchObject({ engine: 'PAUSED', running_jobs: 0 });
    expect((await system.job(next)).status).toBe('waiting');
    expect((await pause(false)).body).toMatchObject({ engine: 'RUNNING' });
    await system.until(next, 'completed');
  });

  test('the process list, and one process with its steps', async () => {
    const { stdout } = await syncrator(['jobs']);
    expect(stdout).toMatch(/completed +diff +slow +dev/);
    const [slow] = (await user(`curl "$URL/jobs?operation=diff" ${AUTH}`)).body as { steps: object[] }[];
    expect(slow).toMatchObject({ status: 'completed', steps: [{ action: 'diff', outcome: 'completed' }] });
  });

  test('resume and resume-all', { timeout: 60_000 }, async () => {
    const broken = await system.submit('broken', 'sync');
    const id = broken.kind === 'created' ? broken.job.id : 0;
    await system.until(id, 'failed');
    // DIFFERENT: a new job continues from the failed one's checkpoint; the failed job itself does not change.
    const resumed = await user(`curl -X POST $URL/jobs/${id}/resume ${AUTH}`);
    expect(resumed).toMatchObject({ status: 202, body: { resumes: id } });
    expect((await user(`curl -X POST $URL/jobs/${id}/resume ${AUTH}`)).status).toBe(409);
    const second = (resumed.body as { id: number }).id;
    await system.until(second, 'failed');
    const all = await user(`curl -X POST $URL/jobs/resume-all ${AUTH}`);
    expect(all.body).toEqual([
      expect.objectContaining({ resumes: second, job_id: expect.any(Number) as number }),
    ]);
  });

  test('abort is called cancel here', { timeout: 60_000 }, async () => {
    rmSync(`${home}/go`, { force: true });
    const slow = await system.submit('slow', 'diff');
    const id = slow.kind === 'created' ? slow.job.id : 0;
    await system.until(id, 'running');
    const { code } = await syncrator(['jobs', 'cancel', String(id), '--wait']);
    expect(code).toBe(0);
    expect((await system.job(id)).status).toBe('deleted');
    expect(await system.live('slow')).toEqual([]);
  });
});
