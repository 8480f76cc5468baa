/** An address and a port as one text: an address of IPv6 stands in brackets. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where a server that listens on a host is reached from this machine: of all addresses at the loopback one. */
export function reachedAt(host: string): string {
  return /^[0:.]+$/.test(host) ? '127.0.0.1' : host;
}
