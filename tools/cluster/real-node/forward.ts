/** Forwards connections from an address of this machine to another, byte by byte. */
import { once } from 'node:events';
import net from 'node:net';

export type Address = { readonly host: string; readonly port: number };

export type Forward = AsyncDisposable & { close(): Promise<void> };

/**
 * @param to called for each connection; without a result the connection is cut
 * @throws Error if the address is in use
 */
export async function forward(from: Address, to: () => Address | undefined): Promise<Forward> {
  const open = new Set<net.Socket>();
  const server = net.createServer((caller) => {
    const there = to();
    if (there === undefined) {
      caller.destroy();
      return;
    }
    const target = net.connect(there.port, there.host);
    for (const [one, other] of [
      [caller, target],
      [target, caller],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy()); // the caller sees what it would see without us
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(from.port, from.host);
  await once(server, 'listening');
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { close, [Symbol.asyncDispose]: close };
}
