/**
 * Checks that each connection has its own session: a pooler may give every transaction another one, and then LISTEN
 * hears nothing.
 */
import pg from 'pg';
import { UnfitDatabase } from './connect.ts';

const ANSWER_MS = 5_000;
/** A pooler that rotates among servers gives itself away only after a full round. */
const ROUNDS = 3;

/**
 * Uses two connections side by side: a session that changes under one of them, or that both share, is lent out.
 * @throws UnfitDatabase if a pooler lends sessions out by the transaction; the driver's error when Postgres cannot
 * be reached
 */
export async function assertOwnSessions(url: string): Promise<void> {
  const [one, other] = [clientOf(url), clientOf(url)];
  try {
    await Promise.all([one.connect(), other.connect()]);
    const own = await sessionOf(one);
    const expectOwn = async () => {
      if ((await sessionOf(one)) !== own) throw lentOut();
    };
    for (let round = 0; round < ROUNDS; round++) {
      await expectOwn();
      await begin(other);
      if ((await sessionOf(other)) === own) throw lentOut();
      await expectOwn();
      await other.query('COMMIT');
    }
  } finally {
    // the connection is gone already
    await Promise.all([one, other].map((client) => client.end().catch(() => undefined)));
  }
}

function clientOf(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'syncrator-start',
    connectionTimeoutMillis: 1_500,
    query_timeout: ANSWER_MS,
  });
  client.on('error', () => undefined); // the current statement reports it
  return client;
}

/** A pooler that lends sessions out by the statement refuses the transaction. */
async function begin(client: pg.Client): Promise<void> {
  await client.query('BEGIN').catch((error: Error) => {
    throw error.message.includes('transaction blocks not allowed') ? lentOut() : error;
  });
}

/** Process number and start time together: two servers behind one address may use the same number. */
async function sessionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ session: string }>(
    `SELECT pid || ' ' || extract(epoch FROM backend_start) AS session FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
  );
  return rows[0]?.session ?? '';
}

function lentOut(): UnfitDatabase {
  return new UnfitDatabase(
    'DATABASE_URL: a pooler lends sessions out by the transaction or statement, where LISTEN hears nothing and time-outs are lost; set pool_mode=session for this database in PgBouncer, or connect without it',
  );
}
