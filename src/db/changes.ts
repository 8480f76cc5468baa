/** Listens for committed changes (LISTEN) on its own connection, and reconnects after a loss. */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/**
 * Interval of the check that the connection still leads to a server that takes writes. A hung server and the old
 * server of a failover both stay silent, which looks like no news.
 */
const LOOK_MS = 4_000;
const ANSWER_MS = 5_000;

export type Change =
  | { readonly kind: 'job'; readonly id: number }
  | { readonly kind: 'maintenance' }
  /** Called after each connect: notifications from before it may have been missed. */
  | { readonly kind: 'connected' };

export type Changes = {
  /** @returns a function that ends the listening */
  subscribe(listener: (change: Change) => void): () => void;
  close(): Promise<void>;
};

/**
 * Starts listening now and never gives up: pauses between reconnects grow.
 * @param options.onError receives each lost or refused connection
 */
export function listenForChanges(options: { url: string; onError: (error: unknown) => void }): Changes {
  const listeners = new Set<(change: Change) => void>();
  const closing = new AbortController();
  const tell = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  const done = keepListening(options, tell, closing.signal);
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort();
      await done;
    },
  };
}

async function keepListening(
  { url, onError }: { url: string; onError: (error: unknown) => void },
  tell: (change: Change) => void,
  closing: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!closing.aborted) {
    try {
      await listenOnce(
        url,
        (change) => {
          pauseMs = FIRST_PAUSE_MS;
          tell(change);
        },
        closing,
      );
    } catch (error) {
      if (closing.aborted) return;
      onError(error);
    }
    await wait(pauseMs, undefined, { signal: closing }).catch(() => undefined); // closing: no pause
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/**
 * Returns when the listener closes.
 * @throws Error when the connection is lost
 */
async function listenOnce(url: string, tell: (change: Change) => void, closing: AbortSignal): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'syncrator-listen',
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
  });
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('Postgres ended the connection')));
  client.on('notification', ({ channel, payload }) =>
    tell(channel === 'syncrator_job' ? { kind: 'job', id: Number(payload) } : { kind: 'maintenance' }),
  );
  try {
    await client.connect();
    await expectWrites(client);
    await client.query('LISTEN syncrator_job; LISTEN syncrator_maintenance');
    tell({ kind: 'connected' });
    const over = AbortSignal.any([closing, lost.signal]);
    while (!over.aborted) {
      // the connection ended: so does the loop
      await wait(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
      if (!over.aborted) await expectWrites(client);
    }
    if (!closing.aborted) throw lost.signal.reason;
  } finally {
    await ended(client);
  }
}

/** @throws Error if the server takes no writes, since it would never notify */
async function expectWrites(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
  if (rows[0]?.transaction_read_only === 'on')
    throw new Error('this Postgres takes no writes: a standby, or set to read-only');
}

/** A hung server does not answer a farewell either. */
async function ended(client: pg.Client): Promise<void> {
  const farewell = client.end().catch(() => undefined); // the connection may be gone already
  await Promise.race([farewell, wait(1_000)]);
}
