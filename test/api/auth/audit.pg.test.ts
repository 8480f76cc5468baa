/**
 * The audit: one line for each accepted and each refused write, with origin and reason; bounded, never changed,
 * read by admins only.
 */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signToken } from '../../../src/api/auth/tokens.ts';
import { audit } from '../../../src/db/access/audit.ts';
import { readInstallation } from '../../../src/db/migrate.ts';
import { addServiceToken, revokeServiceToken } from '../../../src/db/access/service-tokens.ts';
import { addUser, changeUser } from '../../../src/db/access/users.ts';
import { type Grant, grantOf, unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';
import { syncSchedules } from '../../../src/temporal/schedules.ts';
import { type Api, type Asked, claimed, SECRET, setup, justNow } from '../support.ts';

const input = mkdtempSync(path.join(os.tmpdir(), 'syncrator-audit-'));
let api: Api;
let from = 0;
beforeAll(async () => {
  api = await setup({ env: { ACCOUNT: 'alpha/dev', INPUT_DIR: input } });
  await syncSchedules({ ...api.deps, installation: await readInstallation(api.db) });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(input, { recursive: true, force: true });
});
afterEach(async () => {
  await sql`TRUNCATE jobs, idempotency_keys, targets, sync_jobs, wanted CASCADE`.execute(api.db);
  // The audit only grows: each test reads the lines since the one before.
  const { rows } = await sql<{ id: number }>`SELECT coalesce(max(id), 0) AS id FROM audit`.execute(api.db);
  from = rows[0]?.id ?? 0;
});

/** The lines of this test, oldest first. */
async function lines(of: Api = api): Promise<any[]> {
  return await of.db.selectFrom('audit').selectAll().where('id', '>', from).orderBy('id').execute();
}
let made = 0;
async function tokenWith(grant: Grant): Promise<{ name: string; token: string }> {
  const name = `reader${++made}`;
  await addUser(api.db, { username: name, passwordHash: 'none', grant }, { principal: 'test' });
  const { rows } = await sql<{ id: number }>`SELECT max(id) AS id FROM audit`.execute(api.db);
  from = rows[0]?.id ?? 0;
  const authTime = justNow();
  return { name, token: await signToken([SECRET], { sub: name, authTime }) };
}

describe('accepted writes', () => {
  const WHY = { 'x-reason': 'a reason', 'x-request-id': 'request-1' };
  const json = { type: 'sync' };
  it.each<[string, string, (id: number) => [method: string, where: string, asked?: Asked]]>([
    ['start', 'job \\d+', () => ['POST', '/sync/beta/dev']],
    ['start', 'job \\d+', () => ['POST', '/rollback/beta/dev']],
    [
      'start',
      'job \\d+',
      () => ['POST', '/jobs', { json: { jobs: [{ operation: 'sync', target: 'beta', env: 'dev' }] } }],
    ],
    ['start', 'job \\d+', () => ['POST', '/schedules/dev.beta.sync/run']],
    ['cancel', 'job \\d+', (id) => ['DELETE', `/jobs/${id}`]],
    ['want', 'target alpha', () => ['PATCH', '/api/syncast']],
    ['pause', 'maintenance', () => ['POST', '/maintenance-status', { json: { msg: 'x', paused: true } }]],
    ['unpause', 'maintenance', () => ['POST', '/maintenance-status', { json: { msg: 'x', paused: false } }]],
    ['pause', 'schedule dev.beta.sync', () => ['POST', '/schedules/dev.beta.sync/pause', { json: {} }]],
    ['resume', 'schedule dev.beta.sync', () => ['POST', '/schedules/dev.beta.sync/resume']],
    ['add', 'sync job \\d+', () => ['POST', '/sync_jobs', { json }]],
    ['delete', 'dataset GONE', () => ['DELETE', '/importable-datasets/GONE']],
  ])('%s of %s adds one line with origin and reason', async (verb, object, of) => {
    writeFileSync(path.join(input, 'GONE.tar'), '');
    const { body } = await api.call('POST', '/sync/outside/dev');
    const before = (await lines()).length;
    const [method, where, asked] = of(body.job_id);
    const answer = await api.call(method, where, { ...asked, headers: WHY });
    expect(answer.status, answer.text).toBeLessThan(300);
    const added = (await lines()).slice(before);
    expect(added).toMatchObject([
      {
        principal: 'admin',
        verb,
        refused: null,
        address: 'unknown',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        client_request_id: 'request-1',
        reason: 'a reason',
      },
    ]);
    expect(added[0].object).toMatch(new RegExp(`^${object}$`));
  });

  it('the audit of a job lists updates by its executor, a forced end, and the jobs that follow', async () => {
    const { body } = await api.call('POST', '/sync/outside/dev', { headers: WHY });
    const where = `/jobs/${body.job_id}`;
    await api.call('PUT', where, { json: { status: 'begun' }, headers: { 'x-reason': 'as asked' } });
    await api.call('DELETE', where);
    await api.call('DELETE', where); // the job is final: nothing happens
    const job = await claimed(api, '/sync/alpha/dev');
    await api.call('DELETE', `/jobs/${job.id}`);
    await api.call('POST', `/jobs/${job.id}/force-delete`, { headers: { 'x-reason': 'node 3 is gone' } });
    expect((await lines()).map(({ verb, object, reason }) => [verb, object, reason])).toEqual([
      ['start', `job ${body.job_id}`, 'a reason'],
      ['update', `job ${body.job_id}`, 'as asked'],
      ['cancel', `job ${body.job_id}`, null],
      ['start', `job ${job.id}`, null],
      ['cancel', `job ${job.id}`, null],
      ['force-delete', `job ${job.id}`, 'node 3 is gone'],
    ]);
  });

  it('a message or a note serves as the reason if the header is missing', async () => {
    await api.call('POST', '/maintenance-status', { json: { msg: 'Solr upgrade', paused: false } });
    await api.call('POST', '/schedules/dev.beta.sync/pause', { json: { note: 'moving' } });
    await api.call('POST', '/schedules/dev.beta.sync/resume');
    expect((await lines()).map(({ reason }) => reason)).toEqual(['Solr upgrade', 'moving', null]);
  });

  it('a reason is kept on one line, in any language, without credentials', async () => {
    const reasonOf = async (bytes: string) => {
      await api.call('POST', '/sync_jobs', { json, headers: { 'x-reason': bytes } });
      return (await lines()).at(-1).reason as string | null;
    };
    expect(await reasonOf('see https://ada:secret@h/?token=x')).toBe(
      'see https://<FILTERED>@h/?token=<FILTERED>',
    );
    expect(await reasonOf(Buffer.from('größer, 更大').toString('latin1'))).toBe('größer, 更大');
    expect(await reasonOf('gr\u00f6\u00dfer')).toBe('größer'); // Latin-1, as some clients send it
    expect(await reasonOf('  ')).toBeNull();
    const far = { 'x-reason': 'y'.repeat(600), 'x-request-id': 'z'.repeat(129) };
    await api.call('GET', '/audit', { token: (await tokenWith(unlimited('viewer'))).token, headers: far });
    expect(await lines()).toMatchObject([
      { refused: 'forbidden', reason: 'y'.repeat(500), client_request_id: null },
    ]);
    const long = await api.call('POST', '/sync_jobs', { json, headers: { 'x-reason': 'x'.repeat(501) } });
    expect([long.status, long.body.code]).toEqual([400, 'bad_header']);
  });

  it('reads, dry runs and invalid calls add no line', async () => {
    const { body } = await api.call('POST', '/sync/alpha/dev');
    const before = (await lines()).length;
    for (const [method, where, asked] of [
      ['GET', '/jobs'],
      ['GET', '/sync/alpha/dev'],
      ['GET', '/audit'],
      ['POST', '/sync/alpha/dev'], // the same job: deduplicated
      ['POST', '/sync/nothing/dev'],
      ['POST', '/run', { json: {} }],
      ['DELETE', '/jobs/999999'],
      ['GET', '/jobs', { token: 'nonsense' }],
      ['POST', '/sync/beta/dev', { token: null }],
    ] as [string, string, Asked?][])
      await api.call(method, where, asked);
    expect(body.job_id).toBeGreaterThan(0);
    expect((await lines()).slice(before)).toEqual([]);
  });
});

describe('refused writes', () => {
  it('a call denied for its role or a limit adds a line of the caller', async () => {
    const viewer = await tokenWith(unlimited('viewer'));
    const headers = { 'x-reason': 'it is urgent', 'x-request-id': 'request-2' };
    const { token } = viewer;
    await api.call('POST', '/sync/alpha/dev', { token, headers });
    await api.call('DELETE', '/jobs/77', { token });
    await api.call('POST', '/schedules/dev.beta.sync/pause', { token, json: {} });
    await api.call('POST', '/maintenance-status', { token, json: { msg: 'x', paused: true } });
    await api.call('DELETE', '/importable-datasets/GONE', { token });
    await api.call('GET', '/audit', { token });
    const told = await lines();
    expect(told.map(({ verb, object, refused }) => [verb, object, refused])).toEqual([
      ['start', '/sync/alpha/dev', 'forbidden'],
      ['cancel', 'job 77', 'forbidden'],
      ['pause', 'schedule dev.beta.sync', 'forbidden'],
      ['pause', 'maintenance', 'forbidden'],
      ['delete', 'dataset GONE', 'forbidden'],
      ['read', '/audit', 'forbidden'],
    ]);
    expect(told[0]).toMatchObject({
      principal: viewer.name,
      reason: 'it is urgent',
      client_request_id: 'request-2',
      address: 'unknown',
      detail: { needs: 'operator', message: 'this needs the role operator; yours is viewer' },
    });
    const limited = await tokenWith(grantOf('operator', ['qas'], []));
    await api.call('POST', '/sync/alpha/dev', { token: limited.token });
    expect(await lines()).toMatchObject([
      { principal: limited.name, verb: 'start', refused: 'forbidden', detail: { outside: { env: 'dev' } } },
    ]);
  });

  it('a call with an expired token adds a line of the user it names, on every route', async () => {
    const gone = await tokenWith(unlimited('admin'));
    const disabled = await tokenWith(unlimited('admin'));
    const service = async (name: string, seconds: number) => {
      const { id, hash, token } = makeServiceToken();
      await addServiceToken(
        api.db,
        { id, hash, name, grant: unlimited('operator'), seconds },
        { principal: 'test' },
      );
      return token;
    };
    const revoked = await service('revoked', 3_600);
    const expired = await service('expired', -1);
    const good = await service('good', 3_600);
    await revokeServiceToken(api.db, 'revoked', { principal: 'test' });
    await api.db.deleteFrom('users').where('username', '=', gone.name).execute();
    await changeUser(api.db, disabled.name, { disabled: true }, { principal: 'test' });
    const before = (await lines()).length;
    for (const token of [gone.token, disabled.token, revoked, expired])
      expect((await api.call('POST', '/sync/alpha/dev', { token })).status).toBe(401);
    expect((await api.call('GET', '/jobs', { token: revoked })).status).toBe(401);
    await api.call('GET', '/jobs', { token: good });
    await api.call('POST', '/login/renew', { token: good }); // 409: nothing was to be changed
    // A token that names its user, with a wrong signature.
    await api.call('GET', '/jobs', { token: `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}` });
    expect(
      (await lines()).slice(before).map((line) => [line.principal, line.verb, line.object, line.refused]),
    ).toEqual([
      [gone.name, 'start', '/sync/alpha/dev', 'user_unknown'],
      [disabled.name, 'start', '/sync/alpha/dev', 'user_disabled'],
      [
        expect.stringMatching(/^token:revoked \([0-9a-f]{16}\)$/),
        'start',
        '/sync/alpha/dev',
        'token_revoked',
      ],
      [
        expect.stringMatching(/^token:expired \([0-9a-f]{16}\)$/),
        'start',
        '/sync/alpha/dev',
        'token_expired',
      ],
      [expect.stringMatching(/^token:revoked /), 'read', '/jobs', 'token_revoked'],
      ['nobody known', 'read', '/jobs', 'unauthorized'],
    ]);
    await api.call('POST', '/sync/alpha/dev', { token: good });
    expect((await lines()).at(-1)).toMatchObject({
      principal: expect.stringMatching(/^token:good \(/),
      verb: 'start',
      refused: null,
    });
  });

  it('a call refused for a busy target or an ended job adds a line, too', async () => {
    const { body } = await api.call('POST', '/sync/alpha/dev');
    await api.call('POST', '/delta/alpha/dev');
    await api.call('POST', `/jobs/${body.job_id}/force-delete`);
    await api.call('POST', `/jobs/${body.job_id}/resume`);
    expect((await lines()).slice(1).map(({ verb, object, refused }) => [verb, object, refused])).toEqual([
      ['start', '/delta/alpha/dev', 'busy'],
      ['force-delete', `job ${body.job_id}`, 'not_cancelling'],
      ['start', `job ${body.job_id}`, 'not_failed'],
    ]);
    expect((await lines())[1].detail).toMatchObject({ holder: { id: body.job_id, action: 'sync' } });
  });

  it('a denied batch adds one line for all of its jobs', async () => {
    const { name, token } = await tokenWith(grantOf('operator', ['qas'], []));
    const item = { operation: 'sync', target: 'alpha', env: 'dev' };
    const jobs = [{ ...item, env: 'qas' }, ...Array.from({ length: 30 }, () => item)];
    await api.call('POST', '/jobs', { token, json: { jobs } });
    const told = await lines();
    expect(told.map(({ principal, verb, refused }) => [principal, verb, refused])).toEqual([
      [name, 'start', null],
      [name, 'start', 'items_refused'],
    ]);
    const { count, items } = told[1].detail;
    expect([count, items.length, items[0]]).toEqual([
      30,
      20,
      { item: 1, msg: "this needs operator in env 'dev'; yours is limited to env qas" },
    ]);
  });

  it('repeated refusals of one caller add few lines, and do not suppress those of others', async () => {
    const [one, other] = [await tokenWith(unlimited('viewer')), await tokenWith(unlimited('viewer'))];
    const ask = ({ token }: { token: string }) => api.call('DELETE', '/jobs/1', { token });
    for (let batch = 0; batch < 10; batch++)
      for (const { status } of await Promise.all(Array.from({ length: 10 }, () => ask(one))))
        expect(status).toBe(403);
    expect(await lines()).toHaveLength(60);
    await ask(other);
    expect((await lines()).at(-1)).toMatchObject({ principal: other.name });
    expect(await lines()).toHaveLength(61);
  });

  it('a refused call is answered even if the audit cannot be written', async () => {
    await using own = await setup();
    await own.call('POST', '/sync/alpha/dev');
    await own.db.schema.alterTable('audit').renameColumn('refused', 'gone').execute();
    expect((await own.call('POST', '/delta/alpha/dev')).body.code).toBe('busy');
  });
});

describe('a line', () => {
  it('no statement changes or removes a line', async () => {
    expect((await api.call('POST', '/sync/alpha/dev')).status).toBe(202);
    const before = await lines();
    for (const statement of [
      "UPDATE audit SET principal = 'nobody'",
      'UPDATE audit SET detail = NULL WHERE false',
      'DELETE FROM audit',
      'TRUNCATE audit',
      'TRUNCATE audit, jobs CASCADE',
    ])
      await expect(sql.raw(statement).execute(api.db), statement).rejects.toThrow('the audit only grows');
    expect(await lines()).toEqual(before);
    expect(before).toHaveLength(1);
  });
});

describe('GET /audit', () => {
  const get = async (query: string, token?: string) => {
    const { body } = await api.call('GET', `/audit?${query}`, token === undefined ? {} : { token });
    return body as any[];
  };
  const written = async (line: Partial<Parameters<typeof audit>[1]>) =>
    await audit(api.db, { principal: 'ada', verb: 'start', object: 'job 7', ...line });

  it('only admins may read the audit', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const { token } = await tokenWith(unlimited(role));
      const answer = await api.call('GET', '/audit', { token });
      expect([answer.status, answer.body.needs]).toEqual([403, 'admin']);
    }
    expect((await api.call('GET', '/audit', { token: null })).status).toBe(401);
    await using open = await setup({ env: { PUBLIC_READS: 'true' } });
    expect((await open.call('GET', '/audit', { token: null })).status).toBe(401);
    // Limits do not apply to reads.
    const { token } = await tokenWith(grantOf('admin', ['qas'], []));
    expect((await api.call('GET', '/audit', { token })).status).toBe(200);
  });

  it('entries come newest first, in pages that a Link header connects', async () => {
    for (let at = 0; at < 5; at++) await written({ object: `job ${at}` });
    const seen: string[] = [];
    let next: string | undefined = '/audit?principal=ada&limit=2';
    for (let pages = 0; next && pages < 10; pages++) {
      const { body, headers } = await api.call('GET', next);
      seen.push(...body.map((entry: any) => entry.object));
      // Entries added meanwhile do not shift the pages.
      await written({ principal: 'bob' });
      next = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(['job 4', 'job 3', 'job 2', 'job 1', 'job 0']);
    expect(await get('limit=1&page=2&principal=ada')).toMatchObject([{ object: 'job 3' }]);
    expect((await api.call('GET', '/audit?page=1&cursor=aWQ6NQ')).status).toBe(400);
    expect((await api.call('GET', '/audit?colour=red')).status).toBe(400);
  });

  it('entries are filtered by principal, verb, object, time, and refusal', async () => {
    await written({ principal: 'oidc:7 (Ada Lovelace)', object: 'job 70', verb: 'cancel' });
    await written({ principal: 'oidc:77', object: 'job 7', refused: 'busy', detail: { x: 1 } });
    await written({ principal: '100%', object: 'schedule a_b' });
    await written({ principal: '100 percent', object: 'schedule axb' });
    const found = async (query: string) =>
      (await get(query)).filter(({ id }) => id > from).map(({ principal }) => principal);
    expect(await found('principal=oidc%3A7')).toEqual(['oidc:7 (Ada Lovelace)']);
    expect(await found('principal=oidc%3A7+(Ada+Lovelace)')).toEqual(['oidc:7 (Ada Lovelace)']);
    expect(await found('principal=oidc')).toEqual([]);
    expect(await found('principal=100%25')).toEqual(['100%']);
    expect(await found('object=job+7')).toEqual(['oidc:77']);
    expect(await found('object=job')).toEqual(['oidc:77', 'oidc:7 (Ada Lovelace)']);
    expect(await found('object=schedule+a_b')).toEqual(['100%']);
    expect(await found('verb=cancel')).toEqual(['oidc:7 (Ada Lovelace)']);
    expect(await found('refused=true')).toEqual(['oidc:77']);
    expect(await found('refused=false&object=job')).toEqual(['oidc:7 (Ada Lovelace)']);
    const [newest] = await get('principal=oidc%3A77');
    expect(newest).toMatchObject({ refused: 'busy', detail: { x: 1 }, reason: null, address: null });
    await sql`INSERT INTO audit (principal, verb, object, at)
      VALUES ('early', 'x', 'clock', '2031-01-01T00:00:00Z'), ('late', 'x', 'clock', '2031-01-01T00:00:01Z')`.execute(
      api.db,
    );
    expect(await found('since=2031-01-01T00:00:01Z')).toEqual(['late']);
    expect(await found('object=clock&until=2031-01-01T00:00:01Z')).toEqual(['early']);
    expect(await found('since=2999-01-01T00:00:00Z')).toEqual([]);
  });
});
