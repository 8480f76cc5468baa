/** Gives each test its own database on the run's Postgres, cloned from a template that is migrated once. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { migrate } from '../../src/db/migrate.ts';

const TEMPLATE = 'syncrator_template';
/** Any number, as long as all workers of the run use the same. */
const TEMPLATE_LOCK = 4_711_001;

export type TestDatabase = AsyncDisposable & { readonly url: string; drop(): Promise<void> };

/** @param options.migrated true (default): the newest schema; false: an empty database */
export async function createDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  if (options.migrated ?? true) {
    await ensureTemplate();
    await onServer((client) =>
      client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY FILE_COPY`),
    );
  } else {
    await onServer((client) => client.query(`CREATE DATABASE ${name}`));
  }
  const drop = async () => {
    await onServer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return { url: databaseUrl(name), drop, [Symbol.asyncDispose]: drop };
}

let templateOfThisWorker: Promise<void> | undefined;

function ensureTemplate(): Promise<void> {
  templateOfThisWorker ??= onServer(async (client) => {
    // The session holds the lock: another worker waits here until the template is complete.
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount !== 0) return;
    const draft = `${TEMPLATE}_draft`;
    await client.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${draft}`);
    const db = connect(databaseUrl(draft), {
      max: 2,
      applicationName: 'test-template',
      onError: (error) => console.error(error),
    });
    try {
      await migrate(db);
    } finally {
      await db.destroy();
    }
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${TEMPLATE}`);
  });
  return templateOfThisWorker;
}

async function onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: inject('postgresUrl'), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function databaseUrl(name: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}
