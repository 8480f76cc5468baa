/** A connection to MySQL or MariaDB: statements one after another, and rows as a stream. Loads the driver on first use. */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Connection, ConnectionOptions, FieldPacket, RowDataPacket } from 'mysql2';
import { JobError, reasonOf } from '../../job-error.ts';
import { SilentServer } from './mysql-fault.ts';
import type { MysqlAddress } from './mysql-url.ts';
import type { Values } from './mysql-values.ts';

const CONNECT_MS = 15_000;
const KILL_MS = 5_000;
const READ_AHEAD_ROWS = 100;

export type MysqlConnection = {
  readonly query: (sql: string) => Promise<{ rows: Values[]; fields: FieldPacket[] }>;
  /** @throws SilentServer if the server sends no row for `silenceMs`, not counting the time that the caller takes */
  readonly stream: (sql: string, silenceMs: number) => AsyncGenerator<Values>;
  readonly close: () => Promise<void>;
};

/** @param answerMs longest wait for the answer to a query; longer than the server's own limit */
export async function connectMysql(address: MysqlAddress, answerMs: number): Promise<MysqlConnection> {
  /** End the statements in hand: the driver tells neither a stream of a lost connection nor anyone of a closed one. */
  const inHand = new Set<(error: Error) => void>();
  const failAll = (error: Error): void => {
    for (const fail of inHand) fail(error);
  };
  const connection = await connected(address, { connectTimeout: CONNECT_MS, onError: failAll });

  async function* stream(sql: string, silenceMs: number): AsyncGenerator<Values> {
    const rows = connection.query(sql).stream({ highWaterMark: READ_AHEAD_ROWS });
    const fail = (error: Error): void => void rows.destroy(error);
    inHand.add(fail);
    const watch = watchForSilence(silenceMs, fail);
    try {
      for await (const row of rows) {
        watch.pause();
        yield row as Values;
        watch.resume();
      }
      inHand.delete(fail);
    } finally {
      watch.end();
    }
  }

  return {
    query: (sql) =>
      new Promise((resolve, reject) => {
        const fail = (error: Error): void => {
          clearTimeout(timer);
          reject(error);
        };
        const timer = setTimeout(() => fail(new SilentServer('no answer came')), answerMs);
        inHand.add(fail);
        connection.query<RowDataPacket[][]>(sql, (error, rows, fields) => {
          clearTimeout(timer);
          inHand.delete(fail);
          if (error) reject(error);
          else resolve({ rows: Array.isArray(rows) ? rows : [], fields: fields ?? [] });
        });
      }),
    stream,
    async close() {
      const isBusy = inHand.size > 0;
      failAll(new Error('the connection was closed'));
      inHand.clear();
      connection.destroy();
      if (isBusy) await kill(address, connection.threadId);
    },
  };
}

async function connected(
  address: MysqlAddress,
  { connectTimeout, onError }: { connectTimeout: number; onError: (error: Error) => void },
): Promise<Connection> {
  const { createConnection } = await import('mysql2');
  const connection = createConnection({ ...optionsOf(address), connectTimeout });
  // Without a listener a lost connection ends the process.
  connection.on('error', onError);
  try {
    await new Promise<void>((resolve, reject) =>
      connection.connect((error) => (error === null ? resolve() : reject(error))),
    );
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

function optionsOf({ host, port, user, password, database, tls }: MysqlAddress): ConnectionOptions {
  return {
    host,
    port,
    user,
    password,
    database,
    charset: 'utf8mb4',
    flags: ['-LOCAL_FILES'],
    enableKeepAlive: true,
    rowsAsArray: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    ...(tls === null ? {} : { ssl: sslOf(tls) }),
  };
}

function sslOf({ verify, caFile }: NonNullable<MysqlAddress['tls']>): NonNullable<ConnectionOptions['ssl']> {
  if (verify === 'nothing') return { rejectUnauthorized: false };
  const ca = caFile === null ? {} : { ca: readCa(caFile) };
  return { rejectUnauthorized: true, verifyIdentity: verify === 'host', ...ca };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new JobError('notConfigured', `cannot read ssl-ca of SOURCE_URL: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The server would sort on for a client that is gone. Failures are ignored: the statement has a time-out of its own. */
async function kill(address: MysqlAddress, threadId: number): Promise<void> {
  try {
    const connection = await connected(address, { connectTimeout: KILL_MS, onError: () => {} });
    const killed = new Promise<void>((resolve) => connection.query(`KILL ${threadId}`, () => resolve()));
    await Promise.race([killed, wait(KILL_MS, undefined, { ref: false })]);
    connection.destroy();
  } catch {
    // The server is away, or has no connection left.
  }
}

function watchForSilence(silenceMs: number, fail: (error: Error) => void) {
  let since: number | null = performance.now();
  const look = (): void => {
    if (since !== null && performance.now() - since > silenceMs) fail(new SilentServer('no row came'));
  };
  const timer = setInterval(look, Math.min(1_000, silenceMs / 2));
  return {
    /** The caller works on a row. */
    pause: () => void (since = null),
    resume: () => void (since = performance.now()),
    end: () => clearInterval(timer),
  };
}
