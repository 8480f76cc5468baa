/**
 * The host names that our server answers to: addresses, names that nobody else can register, and configured ones.
 * Pure.
 */

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

/**
 * Names that nobody can register: this machine's, those of the local network's search path, those of a cluster's
 * Services.
 */
function isOfNobody(host: string): boolean {
  return !host.includes('.') || /\.(localhost|svc|svc\.cluster\.local)$/.test(host);
}

/** True for an address: no name ends in a number or contains a colon. */
function isAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

function withoutPort(header: string): string {
  return header.replace(/:\d*$/, '');
}

/** Removes the brackets of an address, and the final dot of a name. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
