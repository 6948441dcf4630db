import { describe, expect, test } from 'vitest';
import type { MrtRecord, RibEntry } from '../../../../bird/bgp-ts/mrt/index.ts';
import { decodeMrt, encodeMrt } from '../../../../bird/bgp-ts/mrt/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';
import { mrt } from './samples.ts';

const IPV6 = '20010db8000000000000000000000001';
const LINK_LOCAL = 'fe800000000000000212f2fffe9f1b00';

/** A RIB record of one entry with these attributes, given in hex. */
function rib(subtype: number, prefix: string, attributes: string): Uint8Array {
  const block = hex(bytes(attributes));
  const length = (block.length / 2).toString(16).padStart(4, '0');
  return mrt(13, subtype, '00000000', prefix, '0001', '0000 00000000', length, block);
}

const ipv4Rib = (attributes: string): Uint8Array => rib(2, '08 0a', attributes);
const ipv6Rib = (attributes: string): Uint8Array => rib(4, '20 20010db8', attributes);

function recordOf(octets: Uint8Array): MrtRecord {
  const result = decodeMrt(octets);
  if (result.kind === 'malformed') throw new Error(result.text);
  return result.record;
}

function entryOf(octets: Uint8Array): RibEntry {
  const record = recordOf(octets);
  if (record.type !== 'rib') throw new Error(`${record.type} is no RIB`);
  return record.entries[0]!;
}

const faultsOf = (octets: Uint8Array): readonly string[] => entryOf(octets).faults.map(({ text }) => text);

describe('MP_REACH_NLRI in a RIB entry', () => {
  test.each([
    ['length and next hop', `800e 11 10${IPV6}`],
    ['the same with a length of two octets', `900e 0011 10${IPV6}`],
    ['whole, without a prefix', `800e 15 0002 01 10 ${IPV6} 00`],
    ['whole, with the prefix', `800e 1a 0002 01 10 ${IPV6} 00 2020010db8`],
  ])('%s gives the next hop', (_, attribute) => {
    expect(entryOf(ipv6Rib(`40010100 400200 ${attribute}`))).toMatchObject({
      attributes: { origin: 'igp', asPath: [], nextHop: bytes(IPV6) },
      faults: [],
    });
  });

  test.each([
    ['global and link-local', `800e 21 20 ${IPV6}${LINK_LOCAL}`, IPV6 + LINK_LOCAL],
    ['an IPv4 next hop of an IPv6 prefix, RFC 8950', '800e 05 04c0000201', 'c0000201'],
  ])('%s stays as it is', (_, attribute, nextHop) => {
    const octets = ipv6Rib(attribute);
    expect(entryOf(octets)).toEqual({
      peerIndex: 0,
      originatedTime: 0,
      attributes: { nextHop: bytes(nextHop) },
      faults: [],
    });
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(octets));
  });

  test('an IPv6 next hop of an IPv4 prefix is written to MP_REACH, RFC 8950', () => {
    const octets = ipv4Rib(`800e 11 10${IPV6}`);
    expect(entryOf(octets).attributes.nextHop).toEqual(bytes(IPV6));
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(octets));
  });

  test('beside NEXT_HOP both are kept, and written', () => {
    const octets = ipv6Rib(`400304c0000201 800e 11 10${IPV6}`);
    expect(entryOf(octets)).toMatchObject({
      attributes: { nextHop: bytes(IPV6) },
      ipv4NextHop: bytes('c0000201'),
      faults: [],
    });
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(octets));
  });

  test('stands in order of code, between CLUSTER_LIST and the extended communities', () => {
    const block = `400200 400504 00000064 800a04 01020304 800e11 10${IPV6} c01008 0002fde900000064 c06300`;
    const octets = ipv6Rib(block);
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(octets));
    const shuffled = `c06300 c01008 0002fde900000064 800e11 10${IPV6} 400504 00000064 800a04 01020304 400200`;
    expect(hex(encodeMrt(recordOf(ipv6Rib(shuffled))))).toBe(hex(octets));
  });

  test('a whole one is written abbreviated', () => {
    const whole = ipv6Rib(`800e 1a 0002 01 10 ${IPV6} 00 2020010db8`);
    expect(hex(encodeMrt(recordOf(whole)))).toBe(hex(ipv6Rib(`800e 11 10${IPV6}`)));
  });

  test.each([
    ['a next hop that runs past its attribute', '800e 05 10c0000201', 'a next hop of 16 octets runs past the end'],
    ['octets behind the next hop', `800e 13 10${IPV6} 0000`, '2 octets are left over behind the next hop'],
    ['a length that no IPv6 next hop has', '800e 04 03010203', 'next hop length 3 is not one of IPv6 unicast'],
    ['nothing in it', '800e 00', 'the value is empty'],
    ['a whole one cut short', '800e 04 000201 10', 'length 4 is below 5'],
    ['the flags of another', `c00e 11 10${IPV6}`, 'flags 0xd0 conflict with 0x80'],
    ['a second one', `800e 11 10${IPV6} 800e 11 10${IPV6}`, 'appears more than once'],
  ])('%s is a fault beside the other attributes', (_, attribute, text) => {
    const octets = ipv6Rib(`40010100 ${attribute} c01008 0002fde900000064`);
    expect(faultsOf(octets)).toEqual([`MP_REACH_NLRI: ${text}`]);
    expect(entryOf(octets).attributes).toMatchObject({
      origin: 'igp',
      extendedCommunities: [bytes('0002fde900000064')],
    });
    expect(entryOf(octets).faults[0]).toMatchObject({ remedy: 'session-reset', attribute: 14 });
  });

  test('without a next hop, as FlowSpec has it', () => {
    const rule = '00000000 0001 85 03 038106 0001 0000 00000000';
    expect(entryOf(mrt(13, 6, rule, '0004', '800e01 00'))).toMatchObject({ attributes: {}, faults: [] });
  });
});

describe('the other attributes of a RIB entry', () => {
  test('AS numbers have four octets in AS_PATH and AGGREGATOR', () => {
    const octets = ipv4Rib('4002 06 0201 00010000 c007 08 00010001 01020304');
    expect(entryOf(octets).attributes).toEqual({
      asPath: [{ type: 'sequence', asns: [65536] }],
      aggregator: { asn: 65537, address: 0x01020304 },
    });
    expect(faultsOf(ipv4Rib('4002 04 0201 fde9'))).toEqual(['AS_PATH: a segment of 1 AS numbers runs past the end']);
  });

  test('LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are kept: a dump may be of an internal session', () => {
    expect(entryOf(ipv4Rib('400504 00000064 800904 01020304 800a04 05060708'))).toMatchObject({
      attributes: { localPref: 100, originatorId: 0x01020304, clusterList: [0x05060708] },
      faults: [],
    });
  });

  test('unknown ones and partial bits go out as they came in', () => {
    const octets = ipv4Rib('400200 e00804 fde90064 c06302 abcd');
    expect(entryOf(octets).attributes).toMatchObject({ partial: [8], unknown: [{ code: 99, flags: 0xc0 }] });
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(octets));
  });

  test('known ones without any flags, as BIRD writes its own, are what they are', () => {
    const octets = ipv6Rib(`000504 00000064 000804 fde90064 000e11 10${IPV6}`);
    expect(entryOf(octets)).toMatchObject({
      attributes: { localPref: 100, communities: [0xfde90064], nextHop: bytes(IPV6) },
      faults: [],
    });
    expect(hex(encodeMrt(recordOf(octets)))).toBe(hex(ipv6Rib(`400504 00000064 c00804 fde90064 800e11 10${IPV6}`)));
  });

  test.each([
    ['wrong flags', 'c00304 c0000201', 'NEXT_HOP: flags 0xc0 conflict with 0x40'],
    ['an unknown one without any flags', '006301 00', 'attribute 99: well-known, but not known here'],
    ['a list that ends within an attribute', '400504 0000', 'attribute 5 of 4 octets runs past the end, 2 left'],
    [
      'the same behind one that was put right',
      '000804 fde90064 400504 0000',
      'attribute 5 of 4 octets runs past the end, 2 left',
    ],
    ['an octet behind the list', '000804 fde90064 40', '1 octets are left over behind the last attribute'],
  ])('%s: a fault, and the record is whole', (_, attributes, text) => {
    expect(faultsOf(ipv4Rib(attributes))).toEqual([text]);
  });

  test('faults are not written', () => {
    const record = recordOf(ipv4Rib('40010103 400200'));
    expect(record).toMatchObject({ entries: [{ attributes: { asPath: [] }, faults: [{ attribute: 1 }] }] });
    expect(hex(encodeMrt(record))).toBe(hex(ipv4Rib('400200')));
  });
});

describe('what the fuzzer found', () => {
  test('a whole MP_REACH of another family than the record’s is a fault', () => {
    const other = ipv6Rib(`800e 11 0000 00 0c ${'00'.repeat(12)} 00`);
    expect(faultsOf(other)).toEqual(['MP_REACH_NLRI: 0/0 in a record of IPv6 unicast']);
    expect(entryOf(other).attributes).not.toHaveProperty('nextHop');
  });

  test('beside VPN prefixes, NEXT_HOP with an IPv4 address stays NEXT_HOP', () => {
    const vpn = mrt(
      13,
      6,
      '00000000 0001 80 70 000641 0000006400000064 0a0000',
      '0001',
      '0000 00000000 0007 400304 c0000201',
    );
    expect(entryOf(vpn)).toMatchObject({ attributes: { nextHop: bytes('c0000201') }, faults: [] });
    expect(hex(encodeMrt(recordOf(vpn)))).toBe(hex(vpn));
  });

  test('NEXT_HOP beside an MP_REACH without a next hop, as of FlowSpec, is written again', () => {
    const flow = mrt(13, 6, '00000000 0001 85 05 01180a0000', '0001', '0000 00000000 000b 400304 c0000201 800e01 00');
    expect(entryOf(flow)).toMatchObject({ ipv4NextHop: bytes('c0000201') });
    expect(entryOf(mrtOf(flow))).toMatchObject({ attributes: { nextHop: bytes('c0000201') } });
  });
});

const mrtOf = (octets: Uint8Array): Uint8Array => encodeMrt(recordOf(octets));
