/** The address of a client: that of its socket, or the one that trusted proxies report; and its network. */
import { type BlockList, isIP } from 'node:net';

/** Longer than any chain of proxies; the rest is invented. */
const MOST_HOPS = 32;

/**
 * Reads X-Forwarded-For from its end: each proxy appends its peer, so all before the first untrusted address was sent by
 * the caller. Ignores `Forwarded`, which a proxy that sets X-Forwarded-For passes on unchecked.
 * @param socket the peer's address
 * @param said the header X-Forwarded-For
 */
export function clientAddress(socket: string, said: string | undefined, proxies: BlockList): string {
  let address = plain(socket) ?? socket;
  if (said === undefined) return address;
  const hops = said.split(',').slice(-MOST_HOPS);
  while (isAmong(proxies, address)) {
    const before = plain(hops.pop() ?? '');
    if (before === undefined) break; // nothing, or not an address: the proxy is the last known one
    address = before;
  }
  return address;
}

/** The unit of limits by address: an IPv4 address, or an IPv6 /64, since a host has 2^64 addresses of it. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const behind = groups(tail ?? '');
  const zeros = Array<string>(Math.max(0, 8 - groups(head).length - behind.length)).fill('0');
  return `${[...groups(head), ...zeros, ...behind].slice(0, 4).join(':')}::/64`;
}

function isAmong(proxies: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && proxies.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** Normalises an address: no port, brackets or zone; IPv4 in IPv6 becomes IPv4. Undefined for any other text. */
function plain(text: string): string | undefined {
  const trimmed = text.trim();
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1] ?? trimmed;
  const unzoned = bare.replace(/%.*$/, '');
  const inner = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(unzoned)?.[1] ?? unzoned;
  if (isIP(inner) !== 0) return inner;
  const unported = /^([\d.]+):\d+$/.exec(inner)?.[1] ?? '';
  return isIP(unported) === 4 ? unported : undefined;
}
