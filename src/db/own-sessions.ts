/** Whether each connection has a session of its own: a pooler may give every transaction another one, where LISTEN hears nothing. */
import pg from 'pg';
import { UnfitDatabase } from './connect.ts';

const ANSWER_MS = 5_000;
/** A pooler that goes round its servers shows it only when it has come round. */
const ROUNDS = 3;

/**
 * Two connections side by side: a session that changes under one of them, or that both of them have, is lent out.
 * @throws UnfitDatabase where sessions are lent out by the transaction; the driver's error when Postgres cannot be reached
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
    await Promise.all([one, other].map((client) => client.end().catch(() => undefined))); // gone already
  }
}

function clientOf(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'syncrator-start',
    connectionTimeoutMillis: 1_500,
    query_timeout: ANSWER_MS,
  });
  client.on('error', () => undefined); // the statement in hand tells
  return client;
}

/** Where even a transaction has no session of its own, it is refused. */
async function begin(client: pg.Client): Promise<void> {
  await client.query('BEGIN').catch((error: Error) => {
    throw error.message.includes('transaction blocks not allowed') ? lentOut() : error;
  });
}

/** Number and start together: two servers behind one address may have the same number. */
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
