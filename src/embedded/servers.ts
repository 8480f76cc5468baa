/** Starts the embedded Postgres and Temporal, unless settings name the user's own. */
import { ensureDatabases } from './databases.ts';
import { startPostgres } from './postgres.ts';
import type { StackSettings } from './stack-settings.ts';
import type { Stage } from './stop-order.ts';
import { startTemporal } from './temporal.ts';

export type Servers = {
  readonly databaseUrl: string;
  /** Database of the demo target's records. */
  readonly demoUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string | undefined;
  /** Embedded servers, each with its address; for the text after `ready`. */
  readonly embedded: readonly string[];
};

/** A server in the stop order, which can also be killed at once. */
export type ServerStage = Stage & { readonly kill: () => void };

type Context = {
  readonly settings: StackSettings;
  readonly dataDir: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Ports reserved for other parts. */
  readonly except: ReadonlySet<number>;
  /** Called for each running server, so that a failed start can stop it. */
  readonly onStarted: (kind: 'postgres' | 'temporal', stage: ServerStage) => void;
};

export async function startServers(context: Context): Promise<Servers> {
  // Waits for both, also when one fails: the other must be known before everything is stopped.
  // A failure of Postgres aborts the build of Temporal, which may take minutes.
  const givenUp = new AbortController();
  const signal = AbortSignal.any([context.signal, givenUp.signal]);
  const [postgres, temporal] = await Promise.allSettled([
    bringPostgres(context).catch((error: unknown) => {
      givenUp.abort();
      throw error;
    }),
    bringTemporal({ ...context, signal }),
  ]);
  if (postgres.status === 'rejected') throw postgres.reason;
  if (temporal.status === 'rejected') throw temporal.reason;
  return {
    ...postgres.value,
    ...temporal.value,
    embedded: [postgres.value.embedded, temporal.value.embedded].filter((text) => text !== undefined),
  };
}

async function bringPostgres({ settings, dataDir, say, except, onStarted }: Context) {
  if (settings.databaseUrl !== undefined) {
    say(`Postgres: ${withoutPassword(settings.databaseUrl)} (DATABASE_URL)`);
    return { databaseUrl: settings.databaseUrl, demoUrl: settings.databaseUrl, embedded: undefined };
  }
  const server = await startPostgres({ dataDir, onProgress: say, except });
  onStarted('postgres', { name: 'Postgres', stop: server.stop, kill: server.kill });
  await ensureDatabases(server.url('postgres'), ['syncrator', 'demo']);
  const where = `127.0.0.1:${server.port}`;
  say(`Postgres: ${where} (embedded${server.adopted ? ', still running from before' : ''})`);
  return {
    databaseUrl: server.url('syncrator'),
    demoUrl: server.url('demo'),
    embedded: `Postgres on ${where} (DATABASE_URL for one of yours)`,
  };
}

async function bringTemporal({ settings, dataDir, say, signal, except, onStarted }: Context) {
  if (settings.temporalAddress !== undefined) {
    say(`Temporal: ${settings.temporalAddress} (TEMPORAL_ADDRESS)`);
    return {
      temporalAddress: settings.temporalAddress,
      temporalUiUrl: settings.temporalUiUrl,
      embedded: undefined,
    };
  }
  const server = await startTemporal({ dataDir, onProgress: say, signal, except });
  onStarted('temporal', { name: 'Temporal', stop: server.stop, kill: server.kill });
  say(`Temporal: ${server.address} (embedded${server.adopted ? ', still running from before' : ''})`);
  return {
    temporalAddress: server.address,
    temporalUiUrl: server.uiUrl,
    embedded: `Temporal dev server on ${server.address} (TEMPORAL_ADDRESS for one of yours)`,
  };
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) throw new Error('DATABASE_URL is not postgres://user:password@host:port/database');
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.href;
}
