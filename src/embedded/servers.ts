/** Brings up what api and worker need: Postgres and Temporal, the user's own or the embedded ones. */
import { ensureDatabases } from './databases.ts';
import { startPostgres } from './postgres.ts';
import type { StackSettings } from './stack-settings.ts';
import type { Stage } from './stop-order.ts';
import { startTemporal } from './temporal.ts';

export type Servers = {
  readonly databaseUrl: string;
  /** Where the demo target's records go. */
  readonly demoUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string | undefined;
  /** What runs here by default, each with its address; for the block after `ready`. */
  readonly embedded: readonly string[];
};

/** A server in the order of stopping, and the way to end it without any. */
export type ServerStage = Stage & { readonly kill: () => void };

type Context = {
  readonly settings: StackSettings;
  readonly dataDir: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Told of each server as soon as it runs, so that a start that fails halfway can end it. */
  readonly onStarted: (kind: 'postgres' | 'temporal', stage: ServerStage) => void;
};

export async function startServers(context: Context): Promise<Servers> {
  // Both are waited for, also when one fails: the other must be known before everything is stopped.
  // Without Postgres there is no point in minutes of building Temporal.
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

async function bringPostgres({ settings, dataDir, say, onStarted }: Context) {
  if (settings.databaseUrl !== undefined) {
    say(`Postgres: ${withoutPassword(settings.databaseUrl)} (DATABASE_URL)`);
    return { databaseUrl: settings.databaseUrl, demoUrl: settings.databaseUrl, embedded: undefined };
  }
  const server = await startPostgres({ dataDir, onProgress: say });
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

async function bringTemporal({ settings, dataDir, say, signal, onStarted }: Context) {
  if (settings.temporalAddress !== undefined) {
    say(`Temporal: ${settings.temporalAddress} (TEMPORAL_ADDRESS)`);
    return {
      temporalAddress: settings.temporalAddress,
      temporalUiUrl: settings.temporalUiUrl,
      embedded: undefined,
    };
  }
  const server = await startTemporal({ dataDir, onProgress: say, signal });
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
