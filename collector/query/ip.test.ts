// SPDX-License-Identifier: Apache-2.0
/** Addresses have one key and one canonical text; networks are ranges of keys. */
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalIp, ipKey, parseNetwork } from './ip.ts';

test.each([
  ['1.2.3.4', '00000000000000000000ffff01020304', '1.2.3.4'],
  ['::ffff:1.2.3.4', '00000000000000000000ffff01020304', '1.2.3.4'],
  ['::', '00000000000000000000000000000000', '::'],
  ['2001:DB8:0:0:0:0:0:1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['64:ff9b::1.2.3.4', '0064ff9b000000000000000001020304', '64:ff9b::102:304'],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000', '1:2:3:4:5:6:7:0'],
])('%s has the key %s', (text, key, canonical) => {
  expect(ipKey(text)).toBe(key);
  expect(canonicalIp(text)).toBe(canonical);
});

test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', 'fe80::1%eth0', ':::', '1::2::3', 'localhost', '10.0.0.0/8'])(
  '%s is no address',
  (text) => {
    expect(ipKey(text)).toBeNull();
    expect(canonicalIp(text)).toBeNull();
  },
);

test.each(['10.0.0.0', '10.0.0.0/33', '::/129', 'x/8', '10.0.0.0/', '10.0.0.0/-1', '10/8'])('%s is no network', (text) => {
  expect(parseNetwork(text)).toBeNull();
});

test('a network holds what the runtime says it holds', () => {
  const four = fc.ipV4();
  const six = fc
    .tuple(...Array.from({ length: 8 }, () => fc.integer({ min: 0, max: 3 })))
    .map((groups) => groups.map((n) => n.toString(16)).join(':'));
  const check = (family: 'ipv4' | 'ipv6', bits: number, address: fc.Arbitrary<string>): void =>
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: bits }), (net, text, prefix) => {
        const network = parseNetwork(`${net}/${prefix}`);
        const list = new BlockList();
        list.addSubnet(net, prefix, family);
        const key = ipKey(text) as string;
        expect(network !== null && key >= network.from && key <= network.to).toBe(list.check(text, family));
      }),
    );
  check('ipv4', 32, four);
  check('ipv6', 128, six);
});
