/** Passes connections to an address of this machine on to another one, byte by byte. */
import { once } from 'node:events';
import net from 'node:net';

export type Address = { readonly host: string; readonly port: number };

export type Forward = AsyncDisposable & { close(): Promise<void> };

/**
 * @param to asked for each connection, which is cut when there is none
 * @throws Error when nothing can listen there, as when something else does
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
      one.on('error', () => other.destroy()); // as the caller would see it without us
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
