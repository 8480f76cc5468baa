/** Closes connections to Postgres without waiting for a server that has fallen silent. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client, Pool } from 'pg';

const END_MS = 5_000;

/**
 * The driver waits until the server closes its side, which a silent server never does. Later errors of the connection
 * are of no interest: nothing uses it any more, and the program ends.
 */
export async function endConnections(connections: Client | Pool): Promise<void> {
  const ended = connections.end().catch(() => {});
  await Promise.race([ended, wait(END_MS, undefined, { ref: false })]);
}
