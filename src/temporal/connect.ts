/** The connection to Temporal: lazy, so that a process starts while Temporal is away; every call has a deadline. */
import { Client, Connection } from '@temporalio/client';
import type { TemporalSecurity } from '../temporal-security.ts';

export type Temporal = {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  close(): Promise<void>;
};

/**
 * How soon a lost connection is tried again, in milliseconds. gRPC's own limit is two minutes
 * (grpc/doc/connection-backoff.md): after an outage nobody would be poked for so long.
 */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

export function connectTemporal(config: {
  address: string;
  namespace: string;
  security?: TemporalSecurity;
}): Temporal {
  const connection = Connection.lazy({
    address: config.address,
    ...config.security,
    connectTimeout: '5 seconds',
    channelArgs: RECONNECT,
  });
  return {
    client: new Client({ connection, namespace: config.namespace }),
    connection,
    namespace: config.namespace,
    close: () => connection.close(),
  };
}

/** Thrown when Temporal did not answer in time; what was asked may or may not have happened. */
export class TemporalAway extends Error {}

/**
 * Races a call against a deadline of its own: the client's `withDeadline` answers seconds late while the server is
 * away (notes/libraries.md, pitfall 15).
 * @throws TemporalAway after `ms` milliseconds
 */
export async function within<T>(ms: number, connection: Connection, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TemporalAway(`Temporal did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([connection.withDeadline(Date.now() + ms, call), late]);
  } finally {
    clearTimeout(timer);
  }
}
