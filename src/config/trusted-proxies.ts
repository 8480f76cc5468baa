/** `TRUSTED_PROXIES`: the addresses of our proxies, which may report where a call comes from. */
import { BlockList, isIP } from 'node:net';

/** @throws Error that names the part that is not an address or network, or that covers every address */
export function parseProxies(text: string): BlockList {
  const proxies = new BlockList();
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [address = '', bits, ...more] = part.split('/');
    const version = isIP(address);
    const most = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || more.length > 0 || !(prefix <= most))
      throw new Error(`'${part}' is not a valid address or network: expected e.g. 10.42.0.0/16`);
    if (prefix === 0)
      throw new Error(
        `'${part}' covers every address, so that any caller could forge its own: name only your proxies`,
      );
    proxies.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return proxies;
}
