/**
 * The permissions: every route by every role, limits by environment and action for every job that a call touches,
 * and the roles of OIDC users.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import type { JWTPayload } from 'jose';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { connect } from '../../../src/db/connect.ts';
import { finishJob } from '../../../src/db/jobs/finish.ts';
import { readInstallation } from '../../../src/db/migrate.ts';
import * as access from '../../../src/db/migrations/0009-access.ts';
import * as logins from '../../../src/db/migrations/0015-logins.ts';
import { addUser, changeUser, findUser } from '../../../src/db/access/users.ts';
import { type Grant, grantOf, ROLES, type Role, unlimited } from '../../../src/domain/permission.ts';
import { syncSchedules } from '../../../src/temporal/schedules.ts';
import { createDatabase } from '../../support/database.ts';
import { AUDIENCE, type OidcIssuer, startOidcIssuer } from '../../support/oidc-issuer.ts';
import { needOf } from '../../support/route-needs.ts';
import { type Api, claimed, SECRET, setup, justNow } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup({
    env: { ACCOUNT: 'alpha/dev', ITEM_BANK: 'alpha/dev', INPUT_DIR: '/nonexistent' },
    accountWaitMs: 1,
  });
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, wanted, next_starts CASCADE`.execute(api.db);
  await sql`DELETE FROM maintenance WHERE paused OR set_by <> 'syncrator'`.execute(api.db);
});

let made = 0;
/** A new user and its token. */
async function userWith(grant: Grant, of: Api = api): Promise<{ name: string; token: string }> {
  const name = `user${++made}`;
  await addUser(of.db, { username: name, passwordHash: 'none', grant }, { principal: 'test' });
  const token = await signToken([SECRET], { sub: name, authTime: justNow() });
  return { name, token };
}
const tokenWith = async (grant: Grant) => (await userWith(grant)).token;

type Route = { method: string; path: string; example: any };

async function routes(): Promise<Route[]> {
  const { body } = await api.call('GET', '/openapi.json', { token: null });
  return Object.entries<any>(body.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods)
      .filter(([, route]) => route.security === undefined)
      .map(([method, route]) => {
        const json = route.requestBody?.content['application/json'];
        const schema = body.components.schemas[json?.schema.$ref?.split('/').at(-1)] ?? json?.schema;
        return { method: method.toUpperCase(), path, example: json && (json.example ?? schema.example) };
      }),
  );
}

const filled = (path: string, env = 'dev') =>
  path
    .replace(/(schedules)\/\{id\}/, `$1/${env}.${env === 'dev' ? 'beta' : 'alpha'}.sync`)
    .replace('{id}', '999999')
    .replace('{item}', '1811')
    .replace('{action}', 'sync')
    .replace('{target}', 'alpha')
    .replace('{name}', 'alpha')
    .replace('{env}', env);

describe('every route', () => {
  it('every route refuses exactly the roles below the one that it needs', { timeout: 120_000 }, async () => {
    const all = await routes();
    expect(all.length).toBeGreaterThan(40);
    for (const role of ROLES) {
      const token = await tokenWith(unlimited(role));
      for (const { method, path, example } of all) {
        const need = needOf(method, path);
        const json = example && {
          ...example,
          ...('target' in example ? { target: 'alpha', env: 'dev' } : {}),
        };
        const where = path.endsWith('logs') ? `${filled(path)}?step=0` : filled(path);
        // The stream of all events does not end by itself.
        const signal = AbortSignal.timeout(path === '/events' ? 200 : 15_000);
        const answer = await api.raw(method, where, { token, signal, ...(json ? { json } : {}) });
        const { status } = answer;
        const text = path === '/events' ? '' : await answer.text();
        const told = `${method} ${path} as ${role}: ${status} ${text}`;
        if (ROLES.indexOf(role) < ROLES.indexOf(need.role)) {
          expect(status, told).toBe(403);
          expect(JSON.parse(text), told).toMatchObject({
            code: 'forbidden',
            needs: need.role,
            detail: `this needs the role ${need.role}; yours is ${role}`,
          });
        } else expect([401, 403, 500], told).not.toContain(status);
      }
    }
  });

  it('a route that touches jobs is refused outside a user’s limits; one that concerns everything is refused to every user with limits', async () => {
    const limits = { envs: ['qas'], actions: null };
    for (const { method, path, example } of await routes()) {
      const { role, touches } = needOf(method, path);
      // Each of these has a test below.
      if (touches === undefined || /\{id\}|resume-all$|^\/jobs$|^\/next\//.test(path)) continue;
      const token = await tokenWith({ role, ...limits });
      const json = example && { ...example, ...('target' in example ? { target: 'alpha', env: 'dev' } : {}) };
      const answer = await api.call(method, filled(path), { token, ...(json ? { json } : {}) });
      expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 403, 'forbidden']);
      expect(answer.body.outside).toEqual(touches === 'jobs' ? { env: 'dev' } : undefined);
      const within = await tokenWith(
        touches === 'jobs' ? { role, envs: ['dev'], actions: null } : unlimited(role),
      );
      const allowed = await api.call(method, filled(path), { token: within, ...(json ? { json } : {}) });
      expect([401, 403, 500], `${method} ${path}: ${allowed.text}`).not.toContain(allowed.status);
    }
  });

  it('a refusal comes after the caller is known, and before the body is read', async () => {
    const token = await tokenWith(unlimited('viewer'));
    const broken = { body: '{', headers: { 'content-type': 'application/json' } };
    expect((await api.call('POST', '/run', { ...broken, token })).status).toBe(403);
    expect((await api.call('POST', '/run', { ...broken, token: null })).status).toBe(401);
    expect((await api.call('DELETE', '/jobs/999999', { token })).status).toBe(403);
  });
});

describe('limits', () => {
  const qas = () => tokenWith(grantOf('operator', ['qas'], []));
  const deltas = () => tokenWith(grantOf('operator', [], ['delta']));
  const run = { target: 'alpha', env: 'dev', is_tag: 'latest', options: '-n 1000 -c 1' };

  it('only a user whose limits include a remembered start cancels it', async () => {
    const parameters = { action_name: 'sync', action: 'sync', is_tag: 'latest', options: '' };
    await sql`INSERT INTO next_starts (env, target, uid, request, "trigger", requested_by, behind)
      VALUES ('dev', 'alpha', gen_random_uuid(), ${JSON.stringify({ parameters })}, 'api', 'ann', 1)`.execute(
      api.db,
    );
    const cancel = async (token: string) => {
      const answer = await api.call('DELETE', '/next/alpha/dev', { token });
      return [answer.status, answer.body.outside];
    };
    expect(await cancel(await qas())).toEqual([403, { env: 'dev' }]);
    expect(await cancel(await deltas())).toEqual([403, { action: 'sync' }]);
    expect(await cancel(await tokenWith(grantOf('operator', ['dev'], ['sync'])))).toEqual([200, undefined]);
  });

  it('only an admin whose limits include the job starts it unpromoted', async () => {
    const start = async (token: string) =>
      (await api.call('POST', '/sync/alpha/dev?unpromoted=true', { token })).status;
    expect(await start(await tokenWith(unlimited('operator')))).toBe(403);
    expect(await start(await tokenWith(grantOf('admin', ['qas'], [])))).toBe(403);
    expect(await start(await tokenWith(grantOf('admin', ['dev'], [])))).toBe(202);
  });

  it('limits of actions apply to the actions that run, whatever alias a call uses', async () => {
    const token = await deltas();
    const words = async (action_name: string, action: string) => {
      const answer = await api.call('POST', '/run', { token, json: { ...run, action_name, action } });
      return [answer.status, answer.body.outside];
    };
    expect(await words('delta', 'delta')).toEqual([202, undefined]);
    expect(await words('delta', 'sync')).toEqual([403, { action: 'sync' }]);
    expect(await words('sync', 'delta')).toEqual([403, { action: 'sync' }]);
    expect((await api.call('POST', '/diff/alpha/dev', { token })).body.outside).toEqual({ action: 'diff' });
    expect((await api.call('POST', '/rollback/alpha/dev', { token })).body.outside).toEqual({
      action: 'rollback',
    });
    const free = await api.call('POST', '/run', {
      token,
      json: { ...run, action_name: 'delta', action: 'delete' },
    });
    expect(free.body.detail).toBe(
      "this needs operator for the action 'delete'; yours is limited to action delta",
    );
  });

  it('limits apply to an existing job, which stays unchanged', async () => {
    const { body } = await api.call('POST', '/sync/outside/dev');
    const where = `/jobs/${body.job_id}`;
    for (const token of [await qas(), await deltas()]) {
      expect((await api.call('DELETE', where, { token })).status).toBe(403);
      expect((await api.call('PUT', where, { token, json: { status: 'failed' } })).status).toBe(403);
      // The same request would only find the existing job.
      expect((await api.call('POST', '/sync/outside/dev', { token })).status).toBe(403);
      expect((await api.call('GET', where, { token })).body.status).toBe('queued');
    }
    const own = await tokenWith(grantOf('operator', ['dev'], ['sync']));
    expect((await api.call('PUT', where, { token: own, json: { status: 'begun' } })).status).toBe(200);
    expect((await api.call('DELETE', where, { token: own })).body.status).toBe('deleted');
    expect((await api.call('DELETE', '/jobs/999999', { token: own })).status).toBe(404);
  });

  it('limits apply to a force-delete, which needs an admin', async () => {
    const job = await claimed(api);
    await api.call('DELETE', `/jobs/${job.id}`);
    const where = `/jobs/${job.id}/force-delete`;
    const elsewhere = await tokenWith(grantOf('admin', ['qas'], []));
    expect((await api.call('POST', where, { token: elsewhere })).body.outside).toEqual({ env: 'dev' });
    expect(
      (await api.call('POST', where, { token: await tokenWith(unlimited('operator')) })).body.needs,
    ).toBe('admin');
    const here = await tokenWith(grantOf('admin', ['dev'], []));
    expect((await api.call('POST', where, { token: here })).status).toBe(202);
  });

  it('limits apply to resumes; resume-all skips jobs outside them, and says so', async () => {
    const failed = async (where: string) => {
      const job = await claimed(api, where);
      await finishJob(api.db, {
        jobId: job.id,
        runId: job.runId,
        outcome: {
          kind: 'failed',
          diagnosis: { code: 'exit_code', summary: '', detail: '', what_to_do: '' },
        },
      });
      return job.id;
    };
    const [inDev, inQas] = [await failed('/sync/beta/dev'), await failed('/sync/alpha/qas')];
    const token = await qas();
    const one = await api.call('POST', `/jobs/${inDev}/resume`, { token });
    expect([one.status, one.body.outside]).toEqual([403, { env: 'dev' }]);
    const all = await api.call('POST', '/jobs/resume-all', { token });
    expect(all.status).toBe(200);
    expect(all.body.toSorted((a: any, b: any) => a.resumes - b.resumes)).toEqual([
      { resumes: inDev, job_id: null, code: 'forbidden', msg: expect.stringContaining("env 'dev'") },
      { resumes: inQas, job_id: expect.any(Number), code: null, msg: 'resumed' },
    ]);
  });

  it('limits apply to each item of a batch separately', async () => {
    const jobs = [
      { operation: 'sync', target: 'alpha', env: 'qas' },
      { operation: 'sync', target: 'beta', env: 'dev' },
      { operation: 'nothing', target: 'alpha', env: 'qas' },
    ];
    const { status, body } = await api.call('POST', '/jobs', { token: await qas(), json: { jobs } });
    expect(status).toBe(200);
    expect(body).toEqual([
      { status: 'CREATED', msg: 'OK', job_id: expect.any(Number) },
      { status: 'FAILED', msg: "this needs operator in env 'dev'; yours is limited to env qas" },
      { status: 'FAILED', msg: expect.stringContaining('nothing') },
    ]);
    expect((await api.call('GET', '/jobs?target=beta')).body).toEqual([]);
  });

  it('limits apply to running, pausing and resuming a schedule', async () => {
    await syncSchedules({ ...api.deps, installation: await readInstallation(api.db) });
    const token = await qas();
    for (const verb of ['run', 'pause', 'resume']) {
      const refused = await api.call('POST', `/schedules/dev.beta.sync/${verb}`, { token });
      expect([verb, refused.status, refused.body.outside]).toEqual([verb, 403, { env: 'dev' }]);
      const done = await api.call('POST', `/schedules/qas.alpha.sync/${verb}`, { token });
      expect([verb, done.status < 300]).toEqual([verb, true]);
    }
  });

  it('limits do not apply to reads', async () => {
    const token = await qas();
    const { body } = await api.call('GET', '/targets', { token });
    expect(body).toEqual((await api.call('GET', '/targets')).body);
    expect((await api.call('GET', '/sync/alpha/dev', { token })).status).toBe(200);
    expect((await api.call('GET', '/jobs?env=dev', { token })).status).toBe(200);
  });

  it('a limited user may not do what concerns every environment, whatever the role', async () => {
    for (const grant of [grantOf('admin', ['dev'], []), grantOf('admin', [], ['sync'])]) {
      const token = await tokenWith(grant);
      const paused = await api.call('POST', '/maintenance-status', {
        token,
        json: { msg: '', paused: true },
      });
      expect([paused.status, paused.body.needs]).toEqual([403, 'admin']);
      expect(paused.body.detail).toContain('this concerns every environment');
      expect((await api.call('DELETE', '/importable-datasets/X', { token })).status).toBe(403);
    }
    expect((await api.call('GET', '/maintenance-status')).body.paused).toBe(false);
  });
});

describe('the permissions of a user', () => {
  it('GET /me shows them', async () => {
    const { name, token } = await userWith(grantOf('operator', ['qas', 'dev'], ['delta']));
    const told = {
      name,
      kind: 'local',
      role: 'operator',
      envs: ['qas', 'dev'],
      actions: ['delta'],
      expires_at: null,
    };
    expect((await api.call('GET', '/me', { token })).body).toEqual(told);
    expect((await api.call('GET', '/me')).body).toEqual({
      name: 'admin',
      kind: 'local',
      role: 'admin',
      envs: null,
      actions: null,
      expires_at: null,
    });
    expect((await api.call('GET', '/me', { token: null })).status).toBe(401);
  });

  it('a change applies from the next call on, also to an older token', async () => {
    const { name, token } = await userWith(unlimited('operator'));
    expect((await api.call('POST', '/sync/alpha/dev', { token })).status).toBe(202);
    await changeUser(api.db, name, { grant: unlimited('viewer') }, { principal: 'test' });
    expect((await api.call('POST', '/sync/beta/dev', { token })).status).toBe(403);
    await sql`DELETE FROM users WHERE username = ${name}`.execute(api.db);
    const gone = await api.call('GET', '/jobs', { token });
    expect([gone.status, gone.body.code]).toEqual([401, 'user_unknown']);
  });

  it('users from before there were roles may do everything', async () => {
    const database = await createDatabase({ migrated: true });
    const db = connect(database.url, { max: 1, applicationName: 'test', onError: () => undefined });
    try {
      await sql`DROP TABLE users, service_tokens`.execute(db);
      await sql`DROP TABLE audit`.execute(db);
      await sql`DROP FUNCTION audit_kept, end_logins`.execute(db);
      await sql`CREATE TABLE users (username text PRIMARY KEY, password_hash text NOT NULL,
        disabled boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now())`.execute(db);
      await sql`CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(), principal text NOT NULL, verb text NOT NULL,
        object text NOT NULL, detail jsonb)`.execute(db);
      await sql`INSERT INTO users (username, password_hash) VALUES ('ada', 'x')`.execute(db);
      await access.up(db as Kysely<unknown>);
      await logins.up(db as Kysely<unknown>);
      expect(await findUser(db, 'ada')).toMatchObject(unlimited('admin'));
      // From now on a role is required.
      const unsaid = sql`INSERT INTO users (username, password_hash) VALUES ('bob', 'x')`.execute(db);
      await expect(unsaid).rejects.toThrow('role');
      const empty = sql`UPDATE users SET envs = '{}'`.execute(db);
      await expect(empty).rejects.toThrow('users_envs_check');
    } finally {
      await db.destroy();
      await database.drop();
    }
  });
});

describe("an issuer's user", () => {
  let issuer: OidcIssuer;
  let theirs: Api;
  beforeAll(async () => {
    issuer = await startOidcIssuer();
    theirs = await setup({
      env: {
        OIDC_ISSUER: issuer.issuer,
        OIDC_AUDIENCE: AUDIENCE,
        OIDC_ROLE_CLAIM: 'accreditation/role,groups',
        OIDC_ROLES: 'role/dataadministrator=admin,etl=operator:qas:delta+sync,staff=operator',
      },
    });
  });
  afterAll(async () => {
    await theirs[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });
  const grantBy = async (claims: JWTPayload): Promise<[Role, string[] | null, string[] | null]> => {
    const { body } = await theirs.call('GET', '/me', { token: await issuer.token(claims) });
    expect(body.kind).toBe('oidc');
    return [body.role, body.envs, body.actions];
  };

  it('it has the role that its claim is mapped to: the first of the mapping if several match', async () => {
    expect(await grantBy({ 'accreditation/role': 'role/dataadministrator' })).toEqual(['admin', null, null]);
    expect(await grantBy({ groups: 'staff' })).toEqual(['operator', null, null]);
    expect(await grantBy({ groups: ['other', 'staff'] })).toEqual(['operator', null, null]);
    expect(await grantBy({ groups: ['staff', 'etl'] })).toEqual(['operator', ['qas'], ['delta', 'sync']]);
  });

  it('it may read if no role is mapped', async () => {
    for (const claims of [
      {},
      { groups: 'others' },
      { groups: [] },
      { groups: { staff: true } },
      { groups: 'staff,etl' },
      { role: 'staff' }, // not the claim that the api reads
      { groups: 'ROLE/DATAADMINISTRATOR' },
      { 'accreditation/role': 'other', groups: 'staff' }, // the first existing claim counts
    ])
      expect([claims, await grantBy(claims)]).toEqual([claims, ['viewer', null, null]]);
    const token = await issuer.token({ role: 'admin' });
    expect((await theirs.call('GET', '/jobs', { token })).status).toBe(200);
    expect((await theirs.call('POST', '/sync/alpha/dev', { token })).status).toBe(403);
  });

  it('the limits of the mapping apply to it', async () => {
    const token = await issuer.token({ groups: ['etl'] });
    expect((await theirs.call('POST', '/sync/alpha/qas', { token })).status).toBe(202);
    expect((await theirs.call('POST', '/sync/alpha/dev', { token })).body.outside).toEqual({ env: 'dev' });
  });

  it('with OIDC_DEFAULT_ROLE=none every call without a role is refused, a dry run too', async () => {
    await using strict = await setup({
      env: {
        OIDC_ISSUER: issuer.issuer,
        OIDC_AUDIENCE: AUDIENCE,
        OIDC_ROLES: 'staff=viewer',
        OIDC_DEFAULT_ROLE: 'none',
      },
    });
    for (const where of ['/jobs', '/me', '/sync/alpha/dev']) {
      const refused = await strict.call('GET', where, { token: await issuer.token({ role: 'other' }) });
      expect([where, refused.status, refused.body.code]).toEqual([where, 401, 'no_role']);
      const taken = await strict.call('GET', where, { token: await issuer.token({ role: 'staff' }) });
      expect([where, taken.status]).toEqual([where, 200]);
    }
    const told = await strict.db.selectFrom('audit').selectAll().where('refused', '=', 'no_role').execute();
    expect(told.map(({ verb, object }) => `${verb} ${object}`)).toEqual([
      'read /jobs',
      'read /me',
      'read /sync/alpha/dev',
    ]);
    for (const { principal } of told) expect(principal).toMatch(/^oidc:/);
  });
});
