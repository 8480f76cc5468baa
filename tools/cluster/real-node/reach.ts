/**
 * Lets pods reach a server that listens on this machine's loopback interface: at the bridge's address, same port.
 * Alone, until it is ended: `npx node tools/cluster/real-node/reach.ts <port…>`.
 */
import { type Forward, forward } from './forward.ts';
import { HOST_ADDRESS } from './places.ts';

/** @throws Error when the port is in use on the bridge, such as by a server that listens on all addresses */
export async function letPodsReach(port: number): Promise<Forward> {
  try {
    return await forward({ host: HOST_ADDRESS, port }, () => ({ host: '127.0.0.1', port }));
  } catch (cause) {
    throw new Error(
      `pods cannot be let through to port ${port}: something listens on ${HOST_ADDRESS} already`,
      { cause },
    );
  }
}

if (import.meta.main) {
  try {
    for (const port of process.argv.slice(2)) await letPodsReach(Number(port));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
