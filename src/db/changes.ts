/** Listens for committed changes (LISTEN) on a connection of its own, and reconnects when it is lost. */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/**
 * A connection is asked this often whether it still is one, to a server that takes writes: a hung server says nothing,
 * which is no news, and so does the old one after a failover.
 */
const LOOK_MS = 4_000;
const ANSWER_MS = 5_000;

export type Change =
  | { readonly kind: 'job'; readonly id: number }
  | { readonly kind: 'maintenance' }
  /** The connection was made, or made anew: what was told before that may have been missed. */
  | { readonly kind: 'connected' };

export type Changes = {
  /** @returns what ends it */
  subscribe(listener: (change: Change) => void): () => void;
  close(): Promise<void>;
};

/**
 * Listens at once and for good; a lost connection is made again with growing pauses.
 * @param options.onError told of each lost or refused connection
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
    await wait(pauseMs, undefined, { signal: closing }).catch(() => undefined); // closing: at once
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Returns when it is closing. @throws Error when the connection is lost */
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
      await wait(LOOK_MS, undefined, { signal: over }).catch(() => undefined); // over: the loop ends
      if (!over.aborted) await expectWrites(client);
    }
    if (!closing.aborted) throw lost.signal.reason;
  } finally {
    await ended(client);
  }
}

/** @throws Error where nothing can change, so that nothing is ever told */
async function expectWrites(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
  if (rows[0]?.transaction_read_only === 'on')
    throw new Error('this Postgres takes no writes: a standby, or set to read-only');
}

/** A server that hangs does not answer a farewell either. */
async function ended(client: pg.Client): Promise<void> {
  const farewell = client.end().catch(() => undefined); // it may be gone already
  await Promise.race([farewell, wait(1_000)]);
}
