/** Logins end with the password that made them, and with the user; a change of permissions ends none. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { hashPassword } from '../../../src/api/auth/passwords.ts';
import { skipIds } from '../../../src/db/retention/after-restore.ts';
import { addServiceToken, revokeServiceToken } from '../../../src/db/access/service-tokens.ts';
import { addUser, changeUser, type UserChange } from '../../../src/db/access/users.ts';
import { unlimited } from '../../../src/domain/permission.ts';
import { makeServiceToken } from '../../../src/auth/service-token.ts';
import { openStream } from '../event-stream.ts';
import { type Api, setup } from '../support.ts';

const TEST = { principal: 'test' };
let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

let made = 0;
async function person(password = 'the old password'): Promise<{ name: string; token: string }> {
  const name = `person${++made}`;
  await addAgain(name, password);
  return { name, token: await login(name, password) };
}
async function addAgain(name: string, password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  expect(await addUser(api.db, { username: name, passwordHash, grant: unlimited('operator') }, TEST)).toBe(
    true,
  );
}
async function login(username: string, password: string): Promise<string> {
  const { status, body } = await api.call('POST', '/login', { json: { username, password }, token: null });
  expect(status).toBe(200);
  return (body as { access_token: string }).access_token;
}
async function change(name: string, to: UserChange): Promise<void> {
  expect(await changeUser(api.db, name, to, TEST)).toBe(true);
}
/** Calls a route that reads, one that writes, one that streams, and the renewal. */
async function codes(token: string): Promise<unknown[]> {
  const asked = [
    ['GET', '/me'],
    ['POST', '/sync/beta/dev'],
    ['GET', '/events'],
    ['POST', '/login/renew'],
  ] as const;
  return await Promise.all(
    asked.map(async ([method, where]) => {
      const answer = await api.raw(method, where, { token });
      if (answer.ok) await answer.body?.cancel();
      return answer.ok ? 'let in' : ((await answer.json()) as { code: string }).code;
    }),
  );
}
const everywhere = (code: string) => [code, code, code, code];

describe('a login ends', () => {
  it('a login ends with the password that made it, however soon after it', async () => {
    const { name, token } = await person();
    expect(await codes(token)).toEqual(everywhere('let in'));
    const renewed = (await api.call('POST', '/login/renew', { token })).body as { access_token: string };
    await change(name, { passwordHash: await hashPassword('the new password') });
    for (const old of [token, renewed.access_token])
      expect(await codes(old)).toEqual(everywhere('password_changed'));
    expect(await codes(await login(name, 'the new password'))).toEqual(everywhere('let in'));
  });

  it('a login ends when its user is disabled, and stays ended when the user is enabled again', async () => {
    const { name, token } = await person();
    await change(name, { disabled: true });
    expect(await codes(token)).toEqual(everywhere('user_disabled'));
    await change(name, { disabled: false });
    expect(await codes(token)).toEqual(everywhere('login_ended'));
    const again = await login(name, 'the old password');
    expect(await codes(again)).toEqual(everywhere('let in'));
    // Enabling an enabled user ends nothing.
    await change(name, { disabled: false });
    expect(await codes(again)).toEqual(everywhere('let in'));
  });

  it('a login ends with its user, even when another user of that name is added', async () => {
    const { name, token } = await person();
    await sql`DELETE FROM users WHERE username = ${name}`.execute(api.db);
    expect(await codes(token)).toEqual(everywhere('user_unknown'));
    await addAgain(name, 'another password');
    expect(await codes(token)).toEqual(everywhere('login_ended'));
  });

  it('a login ends when an older version of the product changes the password', async () => {
    const { name, token } = await person();
    await sql`UPDATE users SET password_hash = 'another', updated_at = now() WHERE username = ${name}`.execute(
      api.db,
    );
    expect(await codes(token)).toEqual(everywhere('password_changed'));
  });

  it('a login whose password was checked during a change of it ends', async () => {
    const { name } = await person();
    const passwordHash = await hashPassword('the new password');
    const asked = { json: { username: name, password: 'the old password' }, token: null };
    let asking: ReturnType<typeof api.call> | undefined;
    await api.db.transaction().execute(async (tx) => {
      await tx
        .updateTable('users')
        .set({ password_hash: passwordHash })
        .where('username', '=', name)
        .execute();
      asking = api.call('POST', '/login', asked);
      await expect
        .poll(async () => {
          const { rows } = await sql`SELECT FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%for share%' AND datname = current_database()`.execute(
            api.db,
          );
          return rows.length;
        })
        .toBe(1);
    });
    expect((await asking)?.status).toBe(401);
  });
});

it('an open stream ends with the login that opened it', async () => {
  const app = createApp({ ...api.deps, streams: { lookAgainMs: 50 } });
  const { name, token } = await person();
  await using stream = await openStream(api, '/events', { app, token });
  await stream.until('ready');
  await change(name, { passwordHash: await hashPassword('the new password') });
  await stream.until('error', ({ code }: { code: string }) => code === 'password_changed');
  await expect.poll(stream.isOver).toBe(true);
});

it('a change of role or limits ends no login', async () => {
  const { name, token } = await person();
  await change(name, { grant: { ...unlimited('admin'), envs: ['dev'] } });
  expect(await codes(token)).toEqual(everywhere('let in'));
});

it('a restored database ends all logins', async () => {
  await using restored = await setup();
  expect((await restored.call('GET', '/me')).status).toBe(200);
  await skipIds(restored.db, 'test');
  const refused = await restored.call('GET', '/me');
  expect(refused).toMatchObject({ status: 401, body: { code: 'login_ended' } });
});

describe('an Idempotency-Key belongs to a caller, not to a name', () => {
  const start = async (token: string, key: string) => {
    await sql`UPDATE jobs SET status = 'completed', finished_at = now() WHERE finished_at IS NULL`.execute(
      api.db,
    );
    const { status, body } = await api.call('POST', '/sync/alpha/dev', {
      token,
      headers: { 'idempotency-key': key },
    });
    return [status, (body as { job_id: number }).job_id] as const;
  };

  it('the Idempotency-Key of a program is not that of a new token of the same name', async () => {
    const make = async () => {
      const { id, hash, token } = makeServiceToken();
      const of = { id, hash, name: 'nightly', grant: unlimited('operator'), seconds: 60 };
      await addServiceToken(api.db, of, TEST);
      return { id, token };
    };
    const one = await make();
    const [, first] = await start(one.token, 'of-a-program');
    expect(await start(one.token, 'of-a-program')).toEqual([202, first]);
    await revokeServiceToken(api.db, 'nightly', TEST);
    const other = await make();
    const [status, second] = await start(other.token, 'of-a-program');
    expect(status).toBe(202);
    expect(second).not.toBe(first);
    // The audit tells the two apart, and finds both by the name.
    const principals = async (by: string) => {
      const { body } = await api.call('GET', `/audit?verb=start&principal=${encodeURIComponent(by)}`);
      return (body as { principal: string }[]).map(({ principal }) => principal);
    };
    const shown = [`token:nightly (${other.id})`, `token:nightly (${one.id})`];
    expect([...new Set(await principals('token:nightly'))]).toEqual(shown);
    expect(new Set(await principals(shown[0] ?? ''))).toEqual(new Set([shown[0]]));
  });

  it('the Idempotency-Key of a user is not that of a user added again under the name', async () => {
    const { name, token } = await person();
    const [, first] = await start(token, 'of-a-user');
    expect(await start(token, 'of-a-user')).toEqual([202, first]);
    await sql`DELETE FROM users WHERE username = ${name}`.execute(api.db);
    await addAgain(name, 'another password');
    const [status, second] = await start(await login(name, 'another password'), 'of-a-user');
    expect(status).toBe(202);
    expect(second).not.toBe(first);
  });
});
