/** Serves `GET /metrics` on its own port, without a token: keep the port inside the machine or network. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { hostPort } from '../domain/host-port.ts';
import { hostCheck, isLoopback } from '../domain/host-names.ts';
import type { MetricsSettings } from '../config/config.ts';
import type { Log } from '../log.ts';

export type MetricsServer = AsyncDisposable & { readonly port: number };

/** @throws Error naming METRICS_PORT when it cannot listen there */
export async function serveMetrics(
  at: MetricsSettings,
  scrape: () => Promise<string>,
  log: Log,
): Promise<MetricsServer> {
  // On loopback the host name is checked against DNS rebinding by a web page; a network port is its firewall's concern.
  const isKnown = isLoopback(at.host) ? hostCheck(at.allowedHosts ?? []) : () => true;
  const times = { requestTimeout: 10_000, keepAliveTimeout: at.keepAliveSeconds * 1_000 };
  const server: Server = createServer(times, (request, response) => {
    if (!isKnown(request.headers.host ?? 'localhost')) {
      response.writeHead(421, { 'content-type': 'text/plain' }).end('not by this name: see ALLOWED_HOSTS\n');
      return;
    }
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    scrape().then(
      (text) => response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'cannot collect the metrics');
        response.writeHead(500, { 'content-type': 'text/plain' }).end('see the log\n');
      },
    );
  });
  server.listen(at.port, at.host);
  await once(server, 'listening').catch((cause: Error) => {
    throw new Error(`cannot listen on ${hostPort(at.host, at.port)} (METRICS_PORT): ${cause.message}`, {
      cause,
    });
  });
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
