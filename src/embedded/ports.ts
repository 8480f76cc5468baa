/** Picks free ports of the loopback interface. */
import net from 'node:net';

/** Below the ephemeral ports (from 32768), which an outgoing connection could take meanwhile. */
const FIRST = 16_000;
const COUNT = 16_000;
const TRIES = 200;

/**
 * Returns a port of 127.0.0.1 that is free now, the preferred one if possible. Binding it may still fail, if another
 * process is faster.
 * @param options.except ports to avoid, because another part will listen there
 * @throws Error when no free port is found
 */
export async function freePort(
  preferred?: number,
  options: { except?: ReadonlySet<number> } = {},
): Promise<number> {
  const random = () => FIRST + Math.floor(Math.random() * COUNT);
  for (let port = preferred ?? random(), tries = 0; tries < TRIES; port = random(), tries++)
    if (!options.except?.has(port) && (await isPortFree(port))) return port;
  throw new Error(`no free port of 127.0.0.1 between ${FIRST} and ${FIRST + COUNT - 1} in ${TRIES} tries`);
}

/** True when the port can be bound on the host right now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(new Error(`cannot listen on ${host}`, { cause: error }));
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
