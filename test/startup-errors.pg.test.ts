/** Api and worker that cannot start report the reason and the fix in their last line, without the password. */
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase } from './support/database.ts';
import { createProductPart } from './support/product-part.ts';
import { freePort } from '../src/embedded/ports.ts';

const ROLE = 'start_words';
const PASSWORD = 'not-to-be-shown';
let database: Awaited<ReturnType<typeof createDatabase>>;

beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  await asAdmin(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
});

afterAll(async () => {
  await database.drop();
  await asAdmin(`DROP ROLE ${ROLE}`);
});

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The address of the test's database, with one part replaced. */
function address(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

async function environment(more: Record<string, string>): Promise<Record<string, string>> {
  return {
    PORT: String(await freePort()),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    SYNCRATOR_SECRET: 'a-secret-of-the-tests-long-enough-to-be-taken',
    PROGRAM_USER: 'worker',
    ...more,
  };
}

async function lastLine(script: string, more: Record<string, string>): Promise<string> {
  const part = createProductPart({ name: script, script, environment: await environment(more) });
  await expect(part.start()).rejects.toThrow('ended before it was ready');
  expect(part.output()).not.toContain(PASSWORD);
  expect(part.output()).not.toMatch(/^\s+at /m);
  return part.output().trim().split('\n').at(-1) ?? '';
}

const faults: [string, (url: URL) => void, RegExp][] = [
  [
    'a database that is not there',
    (url) => (url.pathname = '/absent'),
    /database "absent" does not exist; create/,
  ],
  [
    'a wrong password',
    (url) => (url.password = PASSWORD),
    /password authentication failed for user "postgres"; correct/,
  ],
  [
    'a role that is not there',
    (url) => (url.username = 'stranger'),
    /password authentication failed for user "stranger"; /,
  ],
  [
    'a role without rights',
    (url) => Object.assign(url, { username: ROLE, password: PASSWORD }),
    /permission denied for schema public; grant/,
  ],
  [
    'TLS that the server has not',
    (url) => url.searchParams.set('sslmode', 'require'),
    /does not support SSL connections; /,
  ],
];

test.each(faults)('%s', async (_, change, words) => {
  const url = address(change);
  for (const [script, name] of [
    ['src/server.ts', 'api'],
    ['src/worker.ts', 'worker'],
  ] as const) {
    const line = await lastLine(script, { DATABASE_URL: url });
    expect(line).toMatch(words);
    expect(line.startsWith(`${name}: DATABASE_URL: `), line).toBe(true);
  }
});

test('api and worker wait for a missing namespace, and tell how to create it', async () => {
  const migrated = await createDatabase();
  const part = createProductPart({
    name: 'worker',
    script: 'src/worker.ts',
    environment: await environment({ DATABASE_URL: migrated.url, TEMPORAL_NAMESPACE: 'absent' }),
  });
  const started = part.start().catch(() => undefined);
  await expect
    .poll(() => part.output(), { timeout: 30_000 })
    .toContain('temporal operator namespace create --namespace absent');
  await part.kill();
  await started;
  await migrated.drop();
});
