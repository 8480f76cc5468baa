/** Picks loopback ports that nobody listens on. */
import net from 'node:net';

/**
 * A port of 127.0.0.1 that was free a moment ago: the preferred one if it still is, else one of the kernel's choice.
 * Whoever binds it must still expect to lose the race.
 */
export async function freePort(preferred = 0): Promise<number> {
  return (preferred !== 0 ? await tryPort(preferred) : undefined) ?? (await tryPort(0)) ?? 0;
}

/** True when the port can be bound on the host right now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await tryPort(port, host)) !== undefined;
}

function tryPort(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (port !== 0 && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) resolve(undefined);
      else reject(new Error(`no free port on ${host}`, { cause: error }));
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
