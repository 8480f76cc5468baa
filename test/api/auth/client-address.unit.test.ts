/** Tests whose report of a client's address is trusted, and which addresses form one network. */
import { describe, expect, test } from 'vitest';
import { clientAddress, networkOf } from '../../../src/api/auth/client-address.ts';
import { parseProxies } from '../../../src/config/trusted-proxies.ts';

describe('the address of a call', () => {
  const proxies = parseProxies('10.42.0.0/16, 192.0.2.7, 2001:db8:1::/48');
  test.each<[string, string, string | undefined, string]>([
    ['the socket’s, without a proxy in between', '203.0.113.9', undefined, '203.0.113.9'],
    ['the socket’s, if that is not a trusted proxy', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['the one that our proxy reports', '10.42.3.4', '203.0.113.9', '203.0.113.9'],
    [
      'the last one that is not a trusted proxy: anybody may forge those before it',
      '10.42.3.4',
      '1.1.1.1, 203.0.113.9',
      '203.0.113.9',
    ],
    ['behind several proxies', '10.42.3.4', '1.1.1.1, 203.0.113.9, 192.0.2.7 ,10.42.0.1', '203.0.113.9'],
    ['the first one, if all are trusted proxies', '10.42.3.4', '10.42.0.2, 10.42.0.1', '10.42.0.2'],
    ['our proxy’s, if it reports nothing', '10.42.3.4', '', '10.42.3.4'],
    ['our proxy’s, if it reports nonsense', '10.42.3.4', '203.0.113.9, unknown', '10.42.3.4'],
    ['without a port', '10.42.3.4', '203.0.113.9:4711', '203.0.113.9'],
    ['of IPv6', '2001:db8:1::5', '2001:db8:9::1', '2001:db8:9::1'],
    ['an IPv6 one with brackets, port and zone', '10.42.3.4', '[fe80::1%eth0]:443', 'fe80::1'],
    ['an IPv4 one within IPv6, on both sides', '::ffff:10.42.3.4', '::ffff:203.0.113.9', '203.0.113.9'],
  ])('%s', (_, socket, said, address) => {
    expect(clientAddress(socket, said, proxies)).toBe(address);
  });

  test('without trusted proxies it is the socket’s, whatever the header says', () => {
    expect(clientAddress('127.0.0.1', '203.0.113.9', parseProxies(''))).toBe('127.0.0.1');
  });

  test('an endless header is read from its end, and no further than a real chain is long', () => {
    const said = Array.from({ length: 5_000 }, () => '10.42.0.1').join(',');
    expect(clientAddress('10.42.3.4', `203.0.113.9,${said}`, proxies)).toBe('10.42.0.1');
  });
});

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::203.0.113.9', '64:ff9b:0:0::/64'],
  ['unknown', 'unknown'],
])('%s belongs to the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ['10.0.0', 'is not a valid address or network'],
  ['10.0.0.0/33', 'is not a valid address or network'],
  ['10.0.0.0/', 'is not a valid address or network'],
  ['::/129', 'is not a valid address or network'],
  ['ingress', 'is not a valid address or network'],
  ['10.0.0.1/8/8', 'is not a valid address or network'],
  ['0.0.0.0/0', 'covers every address'],
  ['::/0', 'covers every address'],
])('TRUSTED_PROXIES=%s is refused: %s', (text, words) => {
  expect(() => parseProxies(`127.0.0.1,${text}`)).toThrow(words);
});
