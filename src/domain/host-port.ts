/** An address and a port as one text: an IPv6 address gets brackets. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The address at which this machine reaches a server that listens on a host: the loopback address if it listens on
 * all.
 */
export function reachedAt(host: string): string {
  return /^[0:.]+$/.test(host) ? '127.0.0.1' : host;
}
