import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import ipnum from 'ip-num';
import { describe, expect, test } from 'vitest';
import {
  addressAt,
  compareAddresses,
  formatIpAddress,
  formatPrefix,
  offsetIn,
  parseInterfaceAddress,
  parseIpAddress,
  parsePrefix,
  prefixContains,
  prefixContainsAddress,
  prefixesOverlap,
  prefixOf,
  sameAddress,
} from '../../../src/model/ip.ts';
import type { IpAddress } from '../../../src/model/ip.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const ipv4 = word.map((value): IpAddress => ({ family: 4, words: [value] }));
/** Zero words are frequent, so that the runs of zeros that RFC 5952 shortens are met. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(1), word), { minLength: 4, maxLength: 4 })
  .map((words): IpAddress => ({ family: 6, words }));
const address = fc.oneof(ipv4, ipv6);

describe('addresses', () => {
  test('what looks like an IPv4 address is one exactly where ip-num says so, and the same', () => {
    const octet = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '00', '01', '1e1', '-1', ' 1'),
    );
    const texts = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'));
    const parsed = (parse: () => number | undefined): number | undefined => {
      try {
        return parse();
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(texts, (text) => {
        const theirs = parsed(() => Number(new ipnum.IPv4(text).getValue()));
        expect(parsed(() => parseIpAddress(text).words[0])).toBe(theirs);
      }),
    );
  });

  test('what is formatted parses back to itself', () => {
    fc.assert(fc.property(address, (a) => sameAddress(parseIpAddress(formatIpAddress(a)), a)));
  });

  test('of what looks like dotted decimal, what ip-num takes is taken, and nothing else', () => {
    const octet = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '0', '00', '01', '255', '1a'),
    );
    const nearly = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'));
    const outcome = (parse: () => number): number | 'refused' => {
      try {
        return parse();
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(nearly, (text) => {
        const judged = outcome(() => Number(new ipnum.IPv4(text).getValue()));
        expect(outcome(() => parseIpAddress(text).words[0]!)).toBe(judged);
      }),
      { numRuns: 2000 },
    );
  });

  test('IPv6 text is the same as the runtime prints', () => {
    const canonical = (text: string): string => new SocketAddress({ address: text, family: 'ipv6' }).address;
    // inet_ntop shows embedded IPv4 in dotted form; we do not, as RFC 5952 §5 leaves it open for unknown prefixes.
    const embedded = (a: IpAddress): boolean => a.words[0] === 0 && a.words[1] === 0;
    fc.assert(fc.property(ipv6, (a) => embedded(a) || canonical(formatIpAddress(a)) === formatIpAddress(a)));
  });

  test.each(['1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4/8', '', 'fe80:::1', '1::2::3', 'x'])(
    '%j is not an address',
    (text) => {
      expect(() => parseIpAddress(text, 'peerIP')).toThrow(`peerIP = '${text}'`);
    },
  );

  test('order is numeric, not of text', () => {
    expect(compareAddresses(parseIpAddress('10.0.0.9'), parseIpAddress('10.0.0.10'))).toBe(-1);
    expect(compareAddresses(parseIpAddress('255.0.0.1'), parseIpAddress('::'))).toBeLessThan(0);
  });
});

describe('prefixes', () => {
  test('host bits that are set are refused, and the network is named', () => {
    expect(() => parsePrefix('10.0.0.1/24', 'spec.cidr')).toThrow(
      "spec.cidr = '10.0.0.1/24': has host bits set; the network is 10.0.0.0/24",
    );
  });

  test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '10.0.0.0/8/8', 'fd00::/129', '10.0.0.0/-1'])(
    '%j is no prefix',
    (text) => {
      expect(() => parsePrefix(text)).toThrow(`cidr = '${text}'`);
    },
  );

  test('a bare address is one host', () => {
    expect(formatPrefix(parsePrefix('10.1.2.3'))).toBe('10.1.2.3/32');
    expect(formatPrefix(parsePrefix('fd00::1'))).toBe('fd00::1/128');
  });

  test('an interface address keeps its host part', () => {
    expect(formatPrefix(parseInterfaceAddress('172.30.1.11/24'))).toBe('172.30.1.11/24');
  });

  test('a network holds each of its addresses and nothing beyond', () => {
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 8, max: 32 }), fc.nat(300), (a, length, offset) => {
        const prefix = prefixOf(a, length);
        const at = offset % 2 ** (32 - length);
        const inside = addressAt(prefix, at);
        return (
          prefixContainsAddress(prefix, inside) && offsetIn(prefix, inside) === at && prefixContainsAddress(prefix, a)
        );
      }),
    );
  });

  test('one contains the other exactly where they overlap and it is not longer', () => {
    const any = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([a, length]) => prefixOf(a, length));
    fc.assert(
      fc.property(any, any, (a, b) => prefixContains(a, b) === (prefixesOverlap(a, b) && a.length <= b.length)),
    );
    expect(prefixesOverlap(parsePrefix('10.0.0.0/8'), parsePrefix('::/0'))).toBe(false);
  });

  test('IPv6 addresses are counted across words', () => {
    expect(formatIpAddress(addressAt(parsePrefix('fd00::ffff:fff0/124'), 15))).toBe('fd00::ffff:ffff');
    expect(formatIpAddress(addressAt(parsePrefix('fd00::/64'), 2 ** 32 + 5))).toBe('fd00::1:0:5');
  });
});
