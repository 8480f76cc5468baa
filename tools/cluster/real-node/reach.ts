/**
 * Lets pods reach a server that listens on this machine's loopback interface: at the bridge's address, same port.
 * Alone, until it is ended: `npx node tools/cluster/real-node/reach.ts <port…>`.
 */
import { once } from 'node:events';
import net from 'node:net';
import { HOST_ADDRESS } from './places.ts';

export type Reach = AsyncDisposable & { close(): Promise<void> };

/** @throws Error when something else listens there, such as a server that is to be had on every address anyway */
export async function letPodsReach(port: number): Promise<Reach> {
  const open = new Set<net.Socket>();
  const server = net.createServer((pod) => {
    const target = net.connect(port, '127.0.0.1');
    for (const [one, other] of [
      [pod, target],
      [target, pod],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy()); // as the pod would see it without us
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(port, HOST_ADDRESS);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(
      `pods cannot be let through to port ${port}: something listens on ${HOST_ADDRESS} already`,
      {
        cause,
      },
    );
  }
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { close, [Symbol.asyncDispose]: close };
}

if (import.meta.main) {
  try {
    for (const port of process.argv.slice(2)) await letPodsReach(Number(port));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
