/** By which names a server of ours may be asked: addresses, names that nobody else can give away, and those it is told. Pure. */

/** @param names `*.example.org` stands for every name below it, `*` for all */
export function hostCheck(names: readonly string[]): (host: string) => boolean {
  const whole = new Set(names.map(plain));
  const below = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1).toLowerCase());
  return (header) => {
    const host = plain(withoutPort(header));
    return (
      whole.has('*') ||
      whole.has(host) ||
      isAddress(host) ||
      isOfNobody(host) ||
      below.some((end) => host.endsWith(end))
    );
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Names that nobody can have made: of this machine, of the local network's search path, of a cluster's Services. */
function isOfNobody(host: string): boolean {
  return !host.includes('.') || /\.(localhost|svc|svc\.cluster\.local)$/.test(host);
}

/** No name ends in a number or has a colon. */
function isAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

function withoutPort(header: string): string {
  return header.replace(/:\d*$/, '');
}

/** Of an address without its brackets, of a name without the dot at its end. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
