/** A relay in front of a database that can fall silent: it keeps its connections open, and passes nothing on. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type SilentRelay = AsyncDisposable & {
  /** The database's URL through the relay. */
  readonly url: string;
  readonly fallSilent: () => void;
};

export async function startSilentRelay(database: string): Promise<SilentRelay> {
  const url = new URL(database);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  let isSilent = false;
  // A half that ends must not end the other one, as with a peer that is gone.
  const server = createServer({ allowHalfOpen: true }, (program) => {
    const peer = connect({ ...target, allowHalfOpen: true });
    for (const [from, to] of [
      [program, peer],
      [peer, program],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('data', (chunk: Buffer) => void (isSilent || to.write(chunk)));
      from.on('end', () => void (isSilent || to.end()));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    fallSilent: () => void (isSilent = true),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
