/** The connection to Temporal: lazy, so that a process starts while Temporal is unreachable; every call has a deadline. */
import { Client, Connection } from '@temporalio/client';
import type { TemporalSecurity } from '../config/temporal-tls.ts';
import { createCallRetries } from './call-retries.ts';

export type Temporal = {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
  close(): Promise<void>;
};

/**
 * Milliseconds until a lost connection is retried. gRPC's own limit is two minutes (grpc/doc/connection-backoff.md), and
 * until then no key could be poked.
 */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

export function connectTemporal(config: {
  address: string;
  namespace: string;
  security?: TemporalSecurity;
}): Temporal {
  const retries = createCallRetries();
  const connection = Connection.lazy({
    address: config.address,
    ...config.security,
    connectTimeout: '5 seconds',
    channelArgs: RECONNECT,
    interceptors: [retries.interceptor],
  });
  return {
    client: new Client({ connection, namespace: config.namespace }),
    connection,
    namespace: config.namespace,
    async close() {
      await retries.end();
      await connection.close();
    },
  };
}

/** Thrown when Temporal did not answer in time; the call may or may not have taken effect. */
export class TemporalUnavailable extends Error {}

/**
 * Races a call against a timer of our own: the client's `withDeadline` alone rejects seconds late while the server is
 * unreachable.
 * @throws TemporalUnavailable after `ms` milliseconds
 */
export async function within<T>(ms: number, connection: Connection, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TemporalUnavailable(`Temporal did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([connection.withDeadline(Date.now() + ms, call), late]);
  } finally {
    clearTimeout(timer);
  }
}
