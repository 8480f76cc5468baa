/** TLS in front of a plain server, like a proxy: clients need a certificate of the same authority. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificate } from './certificates.ts';

export type TlsFront = AsyncDisposable & {
  readonly address: string;
  /** Accepted connections with a valid certificate. */
  admitted(): number;
};

/** @param to host:port */
export async function startTlsFront(to: string, of: Certificate & { ca: string }): Promise<TlsFront> {
  const [host, port] = to.split(':');
  const sockets = new Set<Socket>();
  let admitted = 0;
  const options = {
    cert: readFileSync(of.crt),
    key: readFileSync(of.key),
    ca: readFileSync(of.ca),
    requestCert: true,
    ALPNProtocols: ['h2'],
  };
  const server = createServer(options, (near) => {
    admitted++;
    const far = connect(Number(port), host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()); // the other side sees a lost connection
      socket.on('close', () => sockets.delete(socket));
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    admitted: () => admitted,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
