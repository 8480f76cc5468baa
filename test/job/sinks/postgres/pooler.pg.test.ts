/** A sink behind PgBouncer, with session pooling and with transaction pooling. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import {
  createSinkPool,
  inTransaction,
  LOADING,
  OWN_TABLES,
  READ_ONLY,
  WRITING,
} from '../../../../src/job/sinks/postgres/connect.ts';
import { type PgBouncer, startPgBouncer } from '../../../support/pgbouncer.ts';
import { someRows } from '../../support/fake-source.ts';
import { setup } from '../../support/setup.ts';

describe.each(['session', 'transaction'] as const)('a pooler with %s pooling', (mode) => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer(inject('postgresUrl'), mode);
  });
  afterAll(() => bouncer[Symbol.asyncDispose]());

  it('does not change the result of two syncs', async () => {
    await using t = await setup(someRows(40));
    const environment = { SINK_URL: bouncer.through(t.sinkUrl) };
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    t.source.put(...someRows(50, '2025-02-01T00:00:00.000Z'));
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    expect(Object.keys((await t.names()) ?? {})).toHaveLength(50);
  });

  it('passes the time-outs on to each transaction', async () => {
    const pool = createSinkPool(bouncer.through(inject('postgresUrl')), 1);
    for (const begin of [LOADING, OWN_TABLES, READ_ONLY, WRITING]) {
      const { rows } = await inTransaction(pool, begin, (client) =>
        client.query(`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
          current_setting('idle_in_transaction_session_timeout') AS idle`),
      );
      expect(rows).toEqual([{ statement: '30min', lock: '30s', idle: '30min' }]);
    }
    await pool.end();
  });

  it('fails at once for an unknown database', async () => {
    await using t = await setup(someRows(1));
    const absent = new URL(bouncer.through(t.sinkUrl));
    absent.pathname = '/absent';
    expect((await t.run('sync', { SINK_URL: absent.href })).code).toBe(EXIT.notConfigured);
    expect(t.receiver.reports.at(-1)?.message).toMatch(/"absent" does not exist; create this database/);
  });

  it('lets the run name its blocker and end at once when terminated', async () => {
    await using t = await setup(someRows(5));
    const environment = { SINK_URL: bouncer.through(t.sinkUrl) };
    expect((await t.run('sync', environment)).code).toBe(EXIT.ok);
    t.source.put(...someRows(1).map((row) => ({ ...row, name: 'another' })));
    await t.query(`BEGIN; SET LOCAL application_name = 'holder'; UPDATE cities SET record = record`);
    const stop = new AbortController();
    const running = t.run('sync', environment, stop.signal);
    await expect
      .poll(() => t.receiver.reports.some(({ waiting_for: words }) => words?.includes('holder')))
      .toBe(true);
    stop.abort();
    const { code } = await running;
    expect(code).not.toBe(EXIT.ok);
    await t.query('ROLLBACK');
  });
});

it('a read-only server is left for a new connection, which may lead to the primary', async () => {
  const pool = createSinkPool(inject('postgresUrl'), 1);
  const pid = async () => {
    const { rows } = await inTransaction(pool, OWN_TABLES, (client) =>
      client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'),
    );
    return rows[0]?.pid;
  };
  const first = await pid();
  expect(await pid()).toBe(first);
  const refused = inTransaction(pool, `${OWN_TABLES}; SET LOCAL transaction_read_only = on`, (client) =>
    client.query('CREATE TABLE never (id int)'),
  );
  await expect(refused).rejects.toMatchObject({ code: 'sinkReadOnly' });
  expect(await pid()).not.toBe(first);
  await pool.end();
});
