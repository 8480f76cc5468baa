/**
 * Lets pods reach a server on this machine's loopback interface, at the bridge's address and the same port. Alone,
 * until it is ended: `npx node tools/cluster/real-node/reach.ts <port…>`.
 */
import { type Forward, forward } from './forward.ts';
import { HOST_ADDRESS } from './places.ts';

/** @throws Error if the port is in use on the bridge, for example by a server that listens on all addresses */
export async function letPodsReach(port: number): Promise<Forward> {
  try {
    return await forward({ host: HOST_ADDRESS, port }, () => ({ host: '127.0.0.1', port }));
  } catch (cause) {
    throw new Error(
      `cannot forward port ${port} to pods: another server listens on ${HOST_ADDRESS} already`,
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
