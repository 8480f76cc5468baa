/** Picks loopback ports that nobody listens on. */
import net from 'node:net';

/** Below what the kernel gives to outgoing connections (32768 on), one of which could take the port meanwhile. */
const FIRST = 16_000;
const COUNT = 16_000;
const TRIES = 200;

/**
 * A port of 127.0.0.1 that was free a moment ago: the preferred one if it still is. Whoever binds it must still expect
 * to lose the race.
 * @param options.except ports that are spoken for, though nobody listens there yet
 * @throws Error when none is to be had
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
