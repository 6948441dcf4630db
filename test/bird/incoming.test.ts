import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callerName, passwordsOf, peerOf, peersByAddress, rangeOf, settingsOf } from '../../bird/incoming.ts';
import type { Caller } from '../../bird/incoming.ts';
import type { DynamicPeers } from '../../bird/settings.ts';
import {
  addressAt,
  formatPrefix,
  hostPrefix,
  parseIpAddress,
  parsePrefix,
  prefixContainsAddress,
  prefixOf,
  sameAddress,
} from '../../src/model/ip.ts';
import { dynamicPeers as range, peerSettings } from '../support/bgp.ts';
import type { PeerText } from '../support/bgp.ts';

const caller = (address: string, link?: string): Caller => ({ address: parseIpAddress(address), interface: link });

const peers = (...texts: readonly PeerText[]) => texts.map((text) => ({ settings: peerSettings(text) }));

describe('who calls', () => {
  test('a configured peer, by its address', () => {
    const two = peers({ address: '10.0.0.1' }, { address: '10.0.0.2' });
    expect(peerOf(two, caller('10.0.0.2'))).toBe(two[1]);
    expect(peerOf(two, caller('10.0.0.3'))).toBeUndefined();
  });

  test('a link-local peer, on its own link alone', () => {
    const two = peers({ address: 'fe80::1', interface: 'eth0' }, { address: 'fe80::1', interface: 'eth1' });
    expect(peerOf(two, caller('fe80::1', 'eth1'))).toBe(two[1]);
    expect(peerOf(two, caller('fe80::1', 'eth2'))).toBeUndefined();
  });

  test('a peer whose interface is named, and whose address is not link-local: a caller brings no interface', () => {
    const [one] = peers({ address: '10.0.0.1', interface: 'eth0' });
    expect(peerOf([one!], caller('10.0.0.1'))).toBe(one);
  });

  test('the same among those of the address alone', () => {
    const all = peers(
      { address: '10.0.0.1' },
      { address: 'fe80::1', interface: 'eth0' },
      { address: 'fe80::1', interface: 'eth1' },
    );
    const byAddress = peersByAddress(all);
    expect([...byAddress.keys()]).toEqual(['10.0.0.1', 'fe80::1']);
    expect(peerOf(byAddress.get('fe80::1')!, caller('fe80::1', 'eth1'))).toBe(all[2]);
  });

  test('somebody from the longest prefix', () => {
    const ranges = ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.0/24', '10.0.0.0/8', '2001:db8::/32'].map((cidr) =>
      range(cidr),
    );
    expect(rangeOf(ranges, caller('10.1.2.3'))).toBe(ranges[1]);
    expect(rangeOf(ranges, caller('10.1.0.3'))).toBe(ranges[2]);
    expect(rangeOf(ranges, caller('10.2.0.3'))).toBe(ranges[0]);
    expect(rangeOf(ranges, caller('2001:db8::9'))).toBe(ranges[4]);
    expect(rangeOf(ranges, caller('192.168.0.1'))).toBeUndefined();
  });

  test('and is a passive peer with the settings of its range', () => {
    const settings = settingsOf(range('fe80::/10', { port: 1790 }, { remoteAsns: [1, 2] }), caller('fe80::7', 'eth3'));
    expect(settings).toMatchObject({ passive: true, port: 1790, interface: 'eth3', remoteAsns: [1, 2] });
    expect(sameAddress(settings.address, parseIpAddress('fe80::7'))).toBe(true);
  });

  test('and has a name of its own', () => {
    expect(callerName(caller('fe80::1', 'eth0'))).toBe('fe80::1%eth0');
    expect(callerName(caller('10.0.0.1'))).toBe('10.0.0.1');
  });
});

describe('the keys of the listeners', () => {
  const keys = (ofPeers: readonly PeerText[], ranges: readonly DynamicPeers[]): readonly string[] =>
    passwordsOf(
      ofPeers.map((text) => peerSettings(text)),
      ranges,
    ).map(({ prefix, password, interface: link }) => [formatPrefix(prefix), password, link ?? ''].join(' ').trim());

  test('one for each peer that has one, and for each range', () => {
    expect(
      keys(
        [
          { address: '10.0.0.1', password: 'a' },
          { address: '10.0.0.2' },
          { address: 'fe80::1', interface: 'eth0', password: 'b' },
        ],
        [range('10.9.0.0/16', { password: 'c' }), range('10.8.0.0/16')],
      ),
    ).toEqual(['10.0.0.1/32 a', 'fe80::1/128 b eth0', '10.9.0.0/16 c']);
  });

  test('a range with a password leaves out the peer and the range without one', () => {
    expect(keys([{ address: '10.0.0.1' }], [range('10.0.0.0/30', { password: 'x' })])).toEqual([
      '10.0.0.0/32 x',
      '10.0.0.2/31 x',
    ]);
    expect(keys([], [range('10.0.0.0/8', { password: 'x' }), range('10.0.0.0/10')])).toEqual([
      '10.64.0.0/10 x',
      '10.128.0.0/9 x',
    ]);
  });

  test('whoever is asked for a key: its own, that of its longest range, or none', () => {
    const network = parsePrefix('10.0.0.0/24');
    const host = fc.integer({ min: 0, max: 255 }).map((offset) => addressAt(network, offset));
    const password = fc.constantFrom(undefined, 'a', 'b');
    const some = fc.record({ address: host, length: fc.integer({ min: 24, max: 32 }), password });
    fc.assert(
      fc.property(
        fc.uniqueArray(some, { maxLength: 6, selector: (one) => formatPrefix(prefixOf(one.address, one.length)) }),
        fc.uniqueArray(fc.record({ address: host, password }), {
          maxLength: 6,
          selector: ({ address }) => address.words[0],
        }),
        host,
        (given, ofPeers, asked) => {
          const ranges = given.map(({ address, length, password: key }) => ({
            ...range('0.0.0.0/0', key === undefined ? {} : { password: key }),
            prefix: prefixOf(address, length),
          }));
          const settings = ofPeers.map(({ address, password: key }) => ({
            ...peerSettings({ address: '0.0.0.0', ...(key !== undefined && { password: key }) }),
            address,
          }));
          const own = settings.find(({ address }) => sameAddress(address, asked));
          const wanted =
            own === undefined
              ? rangeOf(ranges, { address: asked, interface: undefined })?.template.password
              : own.password;
          const installed = passwordsOf(settings, ranges);
          // As the kernel: the longest prefix; of two keys for one prefix the first.
          const kernel = installed
            .filter(({ prefix }) => prefixContainsAddress(prefix, asked))
            .reduce<(typeof installed)[number] | undefined>(
              (best, one) => (best === undefined || one.prefix.length > best.prefix.length ? one : best),
              undefined,
            );
          expect(kernel?.password).toBe(wanted);
          const host32 = formatPrefix(hostPrefix(asked));
          expect(installed.filter(({ prefix }) => formatPrefix(prefix) === host32).length).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 500 },
    );
  });
});
