/** The api process: reads the settings, connects, makes the schema and the first user, serves, and stops cleanly. */
import { randomBytes } from 'node:crypto';
import { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { accountFault } from './api/account.ts';
import { createApp } from './api/app.ts';
import { itemBankFault } from './api/item-bank.ts';
import { hashPassword } from './api/passwords.ts';
import { type Config, readConfig } from './config.ts';
import { type Changes, listenForChanges } from './db/changes.ts';
import { readDatabaseClock } from './db/clock.ts';
import { connect, isDatabaseAway } from './db/connect.ts';

import type { Db } from './db/schema.ts';
import { NEWER_DATABASE, prepareSchema } from './db/upgrade.ts';
import { addUser, countUsers } from './db/users.ts';
import { unlimited } from './domain/grant.ts';
import { JobParamsError, loadJobParams } from './job-params.ts';
import { createLog, type Log } from './log.ts';
import { createApiMetrics } from './metrics/api-metrics.ts';
import { serveMetrics } from './metrics/serve.ts';
import { connectTemporal } from './temporal/connect.ts';

/** Milliseconds that answers under way have to end before their connections are cut. */
const GRACE_MS = 5_000;
const HEADER_BYTES = 16 * 1024;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readConfigOrFail(): Config {
  try {
    return readConfig();
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** Waits for Postgres with growing pauses; any other fault of the database ends the start. */
async function prepareDatabase(db: Db, url: string, log: Log, signal: AbortSignal): Promise<void> {
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      const { newer } = await prepareSchema(db, url, (what) =>
        log.warn(`${what}: somebody works there; trying again`),
      );
      if (newer.length > 0) log.warn({ newer }, NEWER_DATABASE);
      await readDatabaseClock(db);
      return;
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      const why = error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : '';
      log.warn({ retryInMs: pauseMs, why }, 'Postgres is away; waiting for it');
      await wait(pauseMs, undefined, { signal });
    }
  }
}

/** Makes `admin` when there is nobody. The password is returned only if it was generated. */
async function firstUser(db: Db, given: string | undefined): Promise<string | undefined> {
  if ((await countUsers(db)) > 0) return undefined;
  const password = given ?? randomBytes(15).toString('base64url');
  const added = await addUser(
    db,
    { username: 'admin', passwordHash: await hashPassword(password), grant: unlimited('admin') },
    { principal: 'syncrator' },
  );
  return added && given === undefined ? password : undefined;
}

function listen(server: Server, config: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : config.port);
    });
  });
}

function openMetrics(at: { host: string; port: number }, scrape: () => Promise<string>, log: Log) {
  return serveMetrics(at, scrape, log).catch((error: Error) =>
    fail(`cannot listen on ${at.host}:${at.port} (METRICS_PORT): ${error.message}`),
  );
}

async function close(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  // A connection whose answer ends after the stop would stay open, idle, until its keep-alive time is over.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(sweep);
  clearTimeout(cut);
}

async function serve(): Promise<void> {
  const config = readConfigOrFail();
  const log = createLog({ name: 'api', level: config.logLevel });
  const params = await loadJobParams(config.jobParamsDir).catch((error: unknown) => {
    if (error instanceof JobParamsError) return fail(error.message);
    throw error;
  });
  const fault = itemBankFault({ config, params }) ?? accountFault(config, params);
  if (fault !== undefined) return fail(fault);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  // `disconnect`: the process that started us is gone.
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, stop);

  const onError = (error: Error) => log.warn({ err: error }, 'a connection to Postgres broke');
  const db = connect(config.databaseUrl, { max: 20, applicationName: 'syncrator-api', onError });
  const temporal = connectTemporal(config.temporal);
  let changes: Changes | undefined;
  try {
    await prepareDatabase(db, config.databaseUrl, log, stopping.signal);
    const adminPassword = await firstUser(db, config.adminPassword);
    changes = listenForChanges({
      url: config.databaseUrl,
      onError: (error) => log.warn({ err: error }, 'Postgres tells no changes at the moment'),
    });
    const measures = config.metrics && createApiMetrics({ db, temporal, params, log });
    await using _metrics =
      config.metrics && measures && (await openMetrics(config.metrics, measures.scrape, log));
    const app = createApp({
      config,
      db,
      temporal,
      params,
      log,
      changes,
      measures,
      stopping: stopping.signal,
    });
    const server = createAdaptorServer({
      fetch: app.fetch,
      serverOptions: {
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        maxHeaderSize: HEADER_BYTES,
        // How often the two limits above are looked at; by itself Node does so each 30 s.
        connectionsCheckingInterval: 2_000,
      },
    });
    if (!(server instanceof Server)) throw new Error('the adaptor made no HTTP/1 server');
    const port = await listen(server, config).catch((error: Error) =>
      fail(`cannot listen on ${config.host}:${config.port}: ${error.message}`),
    );
    announce(log, { port, host: config.host, adminPassword });
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }));
    log.info('stopping');
    await close(server);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    await changes?.close();
    await db.destroy();
    await temporal.close();
  }
}

function announce(log: Log, of: { port: number; host: string; adminPassword: string | undefined }): void {
  const { port, host, adminPassword } = of;
  log.info({ port, host }, 'serving');
  if (process.send) process.send({ ready: true, port, ...(adminPassword ? { adminPassword } : {}) });
  else if (adminPassword)
    process.stderr.write(`created user admin with the password ${adminPassword} (shown this once)\n`);
}

/** Where it happened, and what caused it. */
function tellOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? error.message;
  return error.cause === undefined ? text : `${text}\ncaused by ${tellOf(error.cause)}`;
}

/** Serves until SIGTERM or SIGINT, and ends the process. */
export async function runServer(): Promise<never> {
  try {
    await serve();
  } catch (error) {
    fail(`api: ${tellOf(error)}`);
  }
  return process.exit(0);
}

if (import.meta.main) await runServer();
