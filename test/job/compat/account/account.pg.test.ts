/** An account's rows: a sync writes all or nothing, and a delete removes what is gone. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { FIVE_WAREHOUSES } from '../../../support/account-api.ts';
import { type AccountSetup, setupAccount } from '../../support/account.ts';

const NAMES = Object.fromEntries(FIVE_WAREHOUSES.map(({ id, name }) => [String(id), name]));

/** Another user of the same API, linked to some of the same warehouses. */
function become(t: AccountSetup, id: number, username: string, warehouses: readonly number[]) {
  t.api.user = { ...t.api.user, id, username };
  t.api.warehouses = FIVE_WAREHOUSES.filter((one) => warehouses.includes(one.id)).map((one) => ({ ...one }));
}

describe.each(['sync', 'delta'])('%s of an account', (action) => {
  it('fills an empty database and counts user and warehouses', async () => {
    await using t = await setupAccount();
    const { code, last, output } = await t.run(action);
    expect(code).toBe(EXIT.ok);
    expect(last).toMatchObject({
      phase: 'done',
      records_done: 6,
      records_total: 6,
      added: 6,
      updated: 0,
      data_source: t.api.url,
    });
    expect(output).toContain('6 upserted');
    expect(await t.warehouses()).toEqual(NAMES);
    expect(await t.links()).toEqual(['3-1', '3-2', '3-3', '3-4', '3-5']);
    expect(
      await t.query('SELECT id, username, email, employee_id, first_name, last_name FROM users'),
    ).toEqual([t.api.user]);
    const fields = 'line1, line2, site, city, state, zip_code, country, fax, phone';
    const [stored] = await t.query<Record<string, unknown>>(`SELECT ${fields} FROM warehouses WHERE id = 1`);
    expect(FIVE_WAREHOUSES[0]).toMatchObject(stored ?? {});
    expect(Object.keys(stored ?? {})).toHaveLength(9);
  });

  it('leaves existing equal rows unchanged and still counts them', async () => {
    await using t = await setupAccount();
    await t.run(action);
    const rows = () => t.query('SELECT * FROM warehouses ORDER BY id');
    const before = await rows();
    const { last } = await t.run(action);
    expect(last).toMatchObject({ records_done: 6, added: 0, updated: 0 });
    expect(await rows()).toEqual(before);
  });

  it('restores a changed name and inserts deleted rows again', async () => {
    await using t = await setupAccount();
    await t.run(action);
    await t.query(`UPDATE warehouses SET name = 'changed' WHERE id = 2`);
    await t.query('DELETE FROM warehouses WHERE id = 4');
    await t.query(`UPDATE users SET email = 'changed'`);
    const { last } = await t.run(action);
    expect(last).toMatchObject({ records_done: 6, added: 1, updated: 2 });
    expect(await t.warehouses()).toEqual(NAMES);
    expect(await t.links()).toHaveLength(5);
    expect(await t.query('SELECT email FROM users')).toEqual([{ email: 'alice@example.org' }]);
  });

  it('removes nothing and keeps the links of other users', async () => {
    await using t = await setupAccount();
    await t.run(action);
    become(t, 4, 'bob', [2, 3]);
    expect((await t.run(action)).last).toMatchObject({ records_done: 3, added: 1 });
    expect(await t.links()).toEqual(['3-1', '3-2', '3-3', '3-4', '3-5', '4-2', '4-3']);
    become(t, 3, 'alice', []);
    expect((await t.run(action)).last).toMatchObject({ records_done: 1 });
    expect(await t.links()).toHaveLength(7);
  });

  it('runs in one transaction: a fault in the middle leaves nothing', async () => {
    await using t = await setupAccount();
    become(t, 3, 'alice', [1]);
    await t.run(action);
    await t.query(`ALTER TABLE users_warehouses ADD CHECK (warehouse_id <> 5)`);
    become(t, 3, 'renamed', [1, 2, 3, 4, 5]);
    const { code, last } = await t.run(action);
    expect(code).toBe(EXIT.failed);
    expect(last?.message).toContain('violates check constraint');
    expect(await t.warehouses()).toEqual({ '1': 'Warehouse 1' });
    expect(await t.query('SELECT username FROM users')).toEqual([{ username: 'alice' }]);
    expect(await t.links()).toEqual(['3-1']);
  });
});

describe('delete of an account', () => {
  it('removes warehouses that are gone upstream, except those linked to other users', async () => {
    await using t = await setupAccount();
    await t.run('sync');
    become(t, 4, 'bob', [2, 3]);
    await t.run('sync');
    await t.query(`INSERT INTO warehouses (id, name) VALUES (77, 'of nobody')`);
    become(t, 3, 'alice', [3, 4, 5]);
    const { code, last } = await t.run('delete');
    expect([code, last]).toMatchObject([EXIT.ok, { records_done: 2, records_total: 2, deleted: 2 }]);
    expect(await t.links()).toEqual(['3-3', '3-4', '3-5', '4-2', '4-3']);
    // Warehouse 77 was never linked, so its removal upstream does not count.
    expect(Object.keys(await t.warehouses())).toEqual(['2', '3', '4', '5', '77']);
  });

  it('refuses an empty list even with --force-delete', async () => {
    await using t = await setupAccount();
    await t.run('sync');
    t.api.warehouses = [];
    for (const options of ['delete', 'delete --force-delete']) {
      expect((await t.run(options)).code).toBe(EXIT.deleteGuard);
    }
    expect(await t.links()).toHaveLength(5);
  });

  it('refuses to remove more than five records and more than the percentage without --force-delete', async () => {
    await using t = await setupAccount();
    const many = Array.from({ length: 40 }, (_, at) => ({ id: at + 1, name: `w ${at}`, line1: 'x' }));
    t.api.warehouses = many;
    await t.run('sync');
    t.api.warehouses = many.slice(6);
    const refused = await t.run('delete');
    expect(refused.code).toBe(EXIT.deleteGuard);
    expect(refused.last?.message).toContain('6 of 40');
    expect(await t.links()).toHaveLength(40);
    t.api.warehouses = many.slice(5);
    expect((await t.run('delete')).last).toMatchObject({ deleted: 5 });
    t.api.warehouses = many.slice(20);
    expect((await t.run('delete --force-delete')).last).toMatchObject({ deleted: 15 });
    expect(await t.links()).toHaveLength(20);
    expect(Object.keys(await t.warehouses())).toHaveLength(20);
  });

  it('does nothing for an account that was never synced', async () => {
    await using t = await setupAccount();
    expect((await t.run('delete')).code).toBe(EXIT.ok);
    expect(await t.query('SELECT * FROM users')).toEqual([]);
  });
});

it('rollback of an account fails, since it stores no earlier data', async () => {
  await using t = await setupAccount();
  await t.run('sync');
  expect((await t.run('rollback')).code).toBe(EXIT.nothingToRollBack);
  expect(t.api.count('iam/users/me')).toBe(1);
});

describe('the fence of an account', () => {
  it('refuses to start an older job of the same user', async () => {
    await using t = await setupAccount();
    await t.run('sync --api_job_id 8');
    t.api.warehouses = [];
    for (const action of ['sync', 'delta', 'delete']) {
      expect((await t.run(`${action} --api_job_id 7`)).code).toBe(EXIT.fenced);
    }
    expect((await t.run('sync --api_job_id 8')).code).toBe(EXIT.ok);
    become(t, 4, 'bob', [1]);
    expect((await t.run('sync --api_job_id 7')).code).toBe(EXIT.ok);
  });

  it('refuses writes of an older job while a newer one reads', async () => {
    await using t = await setupAccount();
    const held = Promise.withResolvers<undefined>();
    t.api.trouble = (path, count) => (path.endsWith('/warehouses') && count === 1 ? held.promise : undefined);
    const newer = t.run('sync --api_job_id 3', { API_TIMEOUT_SECONDS: '60' });
    await expect.poll(() => t.api.count('iam/users/3/warehouses')).toBe(1);
    expect((await t.run('sync --api_job_id 2')).code).toBe(EXIT.fenced);
    held.resolve(undefined);
    expect((await newer).code).toBe(EXIT.ok);
    expect(await t.links()).toHaveLength(5);
  });

  it.each(['sync', 'delete'])(
    'refuses to let an older %s write the data that it read before a newer job',
    async (action) => {
      await using t = await setupAccount();
      await t.run('sync --api_job_id 1');
      const held = Promise.withResolvers<undefined>();
      const path = 'iam/users/3/warehouses';
      const old = t.api.warehouses.slice(1).map((one) => ({ ...one, name: 'old' }));
      const reached = t.api.count(path) + 1;
      t.api.warehouses = old;
      t.api.trouble = (asked, count) => (asked === path && count === reached ? held.promise : undefined);
      const older = t.run(`${action} --api_job_id 2`, { API_TIMEOUT_SECONDS: '60' });
      await expect.poll(() => t.api.count(path)).toBe(reached);
      t.api.warehouses = structuredClone([...FIVE_WAREHOUSES]);
      expect((await t.run('sync --api_job_id 3')).code).toBe(EXIT.ok);
      t.api.warehouses = old;
      held.resolve(undefined);
      expect((await older).code).toBe(EXIT.fenced);
      expect(await t.warehouses()).toEqual(NAMES);
      expect(await t.links()).toHaveLength(5);
    },
  );
});

it('delete keeps a warehouse that another account is being linked to', async () => {
  await using t = await setupAccount();
  await t.run('sync');
  // Bob's sync pauses between his warehouses and his links.
  await t.query(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.user_id = 4 THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NEW; END $$`);
  await t.query('CREATE TRIGGER hold BEFORE INSERT ON users_warehouses FOR EACH ROW EXECUTE FUNCTION hold()');
  await t.query('SELECT pg_advisory_lock(42)');
  const held = async () =>
    (
      await t.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
    ).length;
  await using other = await setupAccount();
  become(other, 4, 'bob', [1]);
  const linking = t.run('sync', { ACCOUNT_API_URL: other.api.url });
  await expect.poll(held).toBe(1);
  become(t, 3, 'alice', [2, 3, 4, 5]);
  const removing = t.run('delete');
  await expect.poll(held).toBe(2);
  await t.query('SELECT pg_advisory_unlock(42)');
  expect([(await linking).code, (await removing).code]).toEqual([EXIT.ok, EXIT.ok]);
  expect(await t.links()).toEqual(['3-2', '3-3', '3-4', '3-5', '4-1']);
  expect(await t.warehouses()).toEqual(NAMES);
});

it('two accounts that share warehouses can be written and removed concurrently', {
  timeout: 60_000,
}, async () => {
  await using t = await setupAccount();
  await using other = await setupAccount();
  become(other, 4, 'bob', [1, 2, 3, 4, 5]);
  const bob = { ACCOUNT_API_URL: other.api.url };
  await t.run('sync');
  for (let round = 0; round < 10; round += 1) {
    t.api.warehouses = structuredClone(FIVE_WAREHOUSES.slice(round % 2 === 0 ? 0 : 2));
    const ended = await Promise.all([t.run('delete'), t.run('sync', bob), t.run('delete', bob)]);
    expect(ended.map(({ code }) => code)).toEqual([EXIT.ok, EXIT.ok, EXIT.ok]);
    // Whatever order they ran in: a user linked upstream finds the warehouse.
    expect((await t.links()).filter((link) => link.startsWith('4-'))).toHaveLength(5);
  }
});

describe('the tables of an account', () => {
  it('lie in the configured schema', async () => {
    await using t = await setupAccount();
    expect((await t.run('sync', { SINK_SCHEMA: 'souk' })).code).toBe(EXIT.ok);
    expect(await t.query('SELECT count(*)::int AS n FROM souk.users_warehouses')).toEqual([{ n: 5 }]);
    expect(await t.query(`SELECT to_regclass('public.users') AS there`)).toEqual([{ there: null }]);
  });

  it('may come from soukosync', async () => {
    await using t = await setupAccount();
    const times = 'inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL';
    const texts = (names: string) =>
      names
        .split(' ')
        .map((name) => `${name} varchar(255)`)
        .join(', ');
    await t.query(`CREATE TABLE users (id bigserial PRIMARY KEY,
      ${texts('username email employee_id first_name last_name')}, origin_id integer, ${times})`);
    await t.query(`CREATE TABLE warehouses (id bigserial PRIMARY KEY,
      ${texts('name line1 line2 site city state zip_code country fax phone')}, origin_id integer, ${times})`);
    await t.query(`CREATE TABLE users_warehouses (id bigserial PRIMARY KEY,
      user_id bigint REFERENCES users ON DELETE CASCADE, warehouse_id bigint REFERENCES warehouses ON DELETE CASCADE)`);
    await t.query('CREATE UNIQUE INDEX ON users_warehouses (user_id, warehouse_id)');
    await t.query(
      `INSERT INTO users VALUES (3, 'alice', null, null, null, null, 9, '2020-08-16', '2020-08-16')`,
    );
    await t.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo'); END $$`,
    );
    const { code, last } = await t.run('sync');
    expect([code, last]).toMatchObject([EXIT.ok, { records_done: 6, added: 5, updated: 1 }]);
    const [user] = await t.query<{ origin_id: number; is_new: boolean; was: string }>(
      `SELECT origin_id, inserted_at::text AS was,
        abs(extract(epoch FROM updated_at - (now() AT TIME ZONE 'UTC'))) < 300 AS is_new FROM users`,
    );
    expect(user).toEqual({ origin_id: 9, was: '2020-08-16 00:00:00', is_new: true });
    t.api.warehouses.pop();
    expect((await t.run('delete')).last).toMatchObject({ deleted: 1 });
  });

  it.each([
    ['lacks employee_id', 'CREATE TABLE users (id bigint PRIMARY KEY, username text)'],
    [
      'requires tenant',
      'CREATE TABLE users_warehouses (user_id bigint, warehouse_id bigint, tenant int NOT NULL)',
    ],
  ])('are refused if they belong to another program: a table %s', async (words, create) => {
    await using t = await setupAccount();
    await t.query(create);
    const { code, last } = await t.run('sync');
    expect(code).toBe(EXIT.notConfigured);
    expect(last?.message).toContain(words.replace('lacks employee_id', 'lacks email, employee_id'));
    expect(await t.query(`SELECT to_regclass('warehouses') AS there`)).toEqual([{ there: null }]);
  });
});
