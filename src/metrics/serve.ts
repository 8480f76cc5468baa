/** `GET /metrics`, on a port of its own: what it tells needs no token, so it is for this machine or this network alone. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import type { Log } from '../log.ts';

export type MetricsServer = AsyncDisposable & { readonly port: number };

/** @throws Error when it cannot listen there */
export async function serveMetrics(
  at: { host: string; port: number },
  scrape: () => Promise<string>,
  log: Log,
): Promise<MetricsServer> {
  const server: Server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    scrape().then(
      (text) => response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'metrics cannot be made');
        response.writeHead(500, { 'content-type': 'text/plain' }).end('see the log\n');
      },
    );
  });
  server.listen(at.port, at.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  log.info({ host: at.host, port }, 'metrics at /metrics');
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
