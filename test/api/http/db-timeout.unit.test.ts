/** A call is refused when Postgres keeps it waiting, but not for an earlier wait of another kind. */
import { setTimeout as wait } from 'node:timers/promises';
import { Hono } from 'hono';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { expect, test } from 'vitest';
import type { ApiEnv } from '../../../src/api/context.ts';
import { databaseDeadline } from '../../../src/api/http/db-timeout.ts';
import { Problem } from '../../../src/api/http/problem.ts';
import type { Schema } from '../../../src/db/schema.ts';

/** A Postgres that answers each statement after this delay. */
function slowBy(ms: number): Kysely<Schema> {
  class SlowDriver extends DummyDriver {
    override async acquireConnection() {
      return {
        ...(await super.acquireConnection()),
        executeQuery: async <R>(): Promise<QueryResult<R>> => await wait(ms, { rows: [] }),
      };
    }
  }
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new SlowDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

/** @returns the status of a call that waits for something else, queries Postgres, and does both once more */
async function statusOf(of: { before: number; asking: number }): Promise<number> {
  const app = new Hono<ApiEnv>();
  app.onError((error, c) => c.text(error.message, error instanceof Problem ? error.status : 500));
  app.use(async (c, next) => {
    c.set('db', slowBy(of.asking));
    await next();
  });
  app.use(databaseDeadline);
  app.get('/', async (c) => {
    const ask = () => c.var.db.selectFrom('jobs').select('id').execute();
    await wait(of.before);
    await ask();
    await ask();
    return c.text('answered');
  });
  return (await app.request('/')).status;
}

test.concurrent.each([
  [{ before: 0, asking: 0 }, 200],
  [{ before: 0, asking: 4_000 }, 503],
  // Like the wait at the gate of passwords.
  [{ before: 1_500, asking: 600 }, 200],
  [{ before: 1_500, asking: 4_000 }, 503],
  [{ before: 2_000, asking: 4_000 }, 503],
])('%j is answered %i', async (of, status) => {
  expect(await statusOf(of)).toBe(status);
});
