/** The api process: reads the settings, connects, creates the schema and the first user, serves, and stops cleanly. */
import { randomBytes } from 'node:crypto';
import { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { createApp } from './api/app.ts';
import { knownHosts } from './api/http/known-hosts.ts';
import { faultOfNamedTargets } from './api/compat/declared-targets.ts';
import { hashPassword } from './api/auth/passwords.ts';
import { type Config, type MetricsSettings, readConfig } from './config/config.ts';
import { type Changes, listenForChanges } from './db/changes.ts';
import { readDatabaseClock } from './db/clock.ts';
import { connect, isDatabaseUnavailable } from './db/connect.ts';

import type { Db } from './db/schema.ts';
import { NEWER_DATABASE, prepareSchema } from './db/upgrade.ts';
import { addUser, countUsers } from './db/access/users.ts';
import { unlimited } from './domain/permission.ts';
import { endingWords, reasonsOf } from './exit-message.ts';
import { hostPort } from './domain/host-port.ts';
import { followParams, openParams } from './engine/follow-params.ts';
import { JobParamsError } from './job-params/load.ts';
import { createLog, type Log } from './log.ts';
import { createApiMetrics } from './metrics/api-metrics.ts';
import { serveMetrics } from './metrics/serve.ts';
import { connectTemporal } from './temporal/connect.ts';

/** Milliseconds for open requests to finish before their connections are closed. */
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

/**
 * Creates the schema and the first user. Retries with growing pauses while Postgres is unreachable; any other
 * database error ends the start.
 * @returns the first user's password, if it was generated here
 */
async function prepareDatabase(
  db: Db,
  config: Config,
  log: Log,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      const { newer } = await prepareSchema(db, config.databaseUrl, (what) =>
        log.warn(`${what}: waiting for a table lock; retrying`),
      );
      if (newer.length > 0) log.warn({ newer }, NEWER_DATABASE);
      await readDatabaseClock(db);
      return await firstUser(db, config.adminPassword);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      log.warn({ retryInMs: pauseMs, why: reasonsOf(error) }, 'cannot reach Postgres; retrying');
      await wait(pauseMs, undefined, { signal });
    }
  }
}

/** Creates `admin` if there are no users. Returns the password only if it was generated here. */
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

function openMetrics(at: MetricsSettings, scrape: () => Promise<string>, log: Log) {
  return serveMetrics(at, scrape, log).catch((error: Error) => fail(error.message));
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
  const liveParams = await openParams(config.jobParamsDir, log, (params) =>
    faultOfNamedTargets(config, params),
  ).catch((error: unknown) => {
    if (error instanceof JobParamsError) return fail(error.message);
    throw error;
  });
  const { params } = liveParams;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  // `disconnect`: the parent process is gone.
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, stop);

  const following = followParams(liveParams, log, stopping.signal);
  const onError = (error: Error) => log.warn({ err: error }, 'lost a connection to Postgres');
  const db = connect(config.databaseUrl, { max: 20, applicationName: 'syncrator-api', onError });
  const temporal = connectTemporal(config.temporal);
  let changes: Changes | undefined;
  try {
    const adminPassword = await prepareDatabase(db, config, log, stopping.signal);
    changes = listenForChanges({
      url: config.databaseUrl,
      onError: (error) => log.warn({ err: error }, 'lost the LISTEN connection to Postgres; reconnecting'),
    });
    const measures = config.metrics && createApiMetrics({ db, temporal, params, log });
    await using _metrics =
      config.metrics && measures && (await openMetrics(config.metrics, measures.scrape, log));
    const app = createApp({
      config,
      db,
      temporal,
      params,
      liveParams,
      log,
      changes,
      measures,
      stopping: stopping.signal,
    });
    const server = createAdaptorServer({
      fetch: app.fetch,
      serverOptions: {
        // Longer than the keep-alive of proxies, which would otherwise send into a connection that is being closed.
        keepAliveTimeout: config.keepAliveSeconds * 1_000,
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        maxHeaderSize: HEADER_BYTES,
        // How often Node checks the two limits above; its default is 30 s.
        connectionsCheckingInterval: 2_000,
      },
    });
    if (!(server instanceof Server)) throw new Error('the adaptor made no HTTP/1 server');
    const port = await listen(server, config).catch((error: Error) =>
      fail(`cannot listen on ${hostPort(config.host, config.port)} (PORT): ${error.message}`),
    );
    const isOpen = config.publicReads && knownHosts(config) === undefined;
    announce(log, { port, host: config.host, adminPassword, isOpen });
    await following;
    log.info('stopping');
    await close(server);
  } catch (error) {
    if (!stopping.signal.aborted) fail(`api: ${endingWords(log, error)}`);
  } finally {
    await changes?.close();
    await db.destroy();
    await temporal.close();
  }
}

type Announced = {
  readonly port: number;
  readonly host: string;
  readonly adminPassword: string | undefined;
  /** Anyone may read, under any host name. */
  readonly isOpen: boolean;
};

function announce(log: Log, of: Announced): void {
  const { port, host, adminPassword, isOpen } = of;
  log.info({ port, host }, 'serving');
  if (isOpen)
    log.warn(
      'PUBLIC_READS=true accepts any host name; set SYNCRATOR_PUBLIC_URL or ALLOWED_HOSTS to restrict it',
    );
  if (process.send) process.send({ ready: true, port, ...(adminPassword ? { adminPassword } : {}) });
  else if (adminPassword)
    process.stderr.write(`created user admin with the password ${adminPassword} (shown this once)\n`);
}

/** Serves until SIGTERM or SIGINT, and ends the process. */
export async function runServer(): Promise<never> {
  try {
    await serve();
  } catch (error) {
    fail(`api: ${reasonsOf(error)}`);
  }
  return process.exit(0);
}

if (import.meta.main) await runServer();
