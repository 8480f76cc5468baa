/** A TCP address that can be moved to another port, like that of a database at a failover; optionally IPv6 only. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { hostPort } from '../../src/domain/host-port.ts';

export type MovingAddress = AsyncDisposable & {
  readonly port: number;
  /** The same URL with this address. */
  at(url: string): string;
  /** Moves new connections; existing ones stay. */
  moveTo(port: number): void;
};

export async function startMovingAddress(
  first: number,
  host: '127.0.0.1' | '::1' = '127.0.0.1',
): Promise<MovingAddress> {
  let target = first;
  const open = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect({ host: '127.0.0.1', port: target });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on('error', () => undefined); // the close event that follows ends both
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen({ port: 0, host, ipv6Only: true });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    at(url) {
      const changed = new URL(url);
      changed.host = hostPort(host, port);
      return changed.href;
    },
    moveTo(to) {
      target = to;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
