/** `TRUSTED_PROXIES`: the addresses of proxies of ours, whose word on where a call comes from counts. */
import { BlockList, isIP } from 'node:net';

/** @throws Error naming the part that is no address and no network, or that is everybody's */
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
    if (prefix === 0) throw new Error(`'${part}' is everybody, whose word on an address is worth nothing`);
    proxies.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return proxies;
}
