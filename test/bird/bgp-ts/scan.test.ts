import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeEndOfRib, encodeUpdate, scanUpdate } from '../../../bird/bgp-ts/index.ts';
import { bytes, context, frame, hex, mandatory, updateFrame } from '../../support/bgp-bytes.ts';

const mpReach = '800e1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8';
const mpUnreach = '800f08 0002 01 20 20010db8';

describe('scanUpdate', () => {
  test('finds every part of an UPDATE that has all of them', () => {
    const octets = updateFrame({ withdrawn: '18 c63364', attributes: mandatory + mpReach + mpUnreach, nlri: '08 0a' });
    const scan = scanUpdate(octets, context());
    const part = (start: number, end: number): string => hex(octets.subarray(start, end));
    expect(part(scan.withdrawnStart, scan.withdrawnEnd)).toBe('18c63364');
    expect(part(scan.nlriStart, scan.nlriEnd)).toBe('080a');
    expect(part(scan.attributesStart, scan.attributesEnd)).toBe((mandatory + mpReach + mpUnreach).replaceAll(' ', ''));
    const { mpReach: reach, mpUnreach: unreach } = scan;
    expect(reach).toMatchObject({ afi: 2, safi: 1 });
    expect(part(reach!.nextHopStart, reach!.nextHopEnd)).toBe('20010db8000000000000000000000001');
    expect(part(reach!.nlriStart, reach!.nlriEnd)).toBe('2020010db8');
    expect(part(reach!.attributeStart, reach!.attributeEnd)).toBe(mpReach.replaceAll(' ', ''));
    expect(part(unreach!.nlriStart, unreach!.nlriEnd)).toBe('2020010db8');
    expect(part(unreach!.attributeStart, unreach!.attributeEnd)).toBe(mpUnreach.replaceAll(' ', ''));
    expect(scan).not.toHaveProperty('fault');
    expect(scan).not.toHaveProperty('endOfRib');
  });

  test.each([
    ['withdrawn routes that overrun', frame(2, bytes('0005 0000')), [3, 1]],
    ['attributes that overrun', frame(2, bytes('0000 0005 400101')), [3, 1]],
    ['an UPDATE cut short', frame(2, bytes('0000')), [1, 2]],
    ['a second MP_REACH_NLRI', updateFrame({ attributes: mpReach + mpReach }), [3, 1]],
    ['a second MP_UNREACH_NLRI', updateFrame({ attributes: mpUnreach + mpUnreach }), [3, 1]],
    ['an MP_REACH_NLRI of 4 octets', updateFrame({ attributes: '800e04 00020110' }), [3, 9]],
    ['an MP_UNREACH_NLRI of 2 octets', updateFrame({ attributes: '800f02 0002' }), [3, 9]],
    ['a next hop of 9 octets', updateFrame({ attributes: `800e0e 0002 01 09 ${'00'.repeat(10)}` }), [3, 9]],
  ] as const)('%s resets the session', (_, octets, code) => {
    expect(scanUpdate(octets, context())).toMatchObject({ remedy: 'session-reset', fault: { code } });
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code } });
  });

  test('a broken list of attributes withdraws the prefixes, which its total length still finds', () => {
    const octets = updateFrame({ attributes: `${mandatory} 400206 02`, nlri: '08 0a' });
    const scan = scanUpdate(octets, context());
    expect(scan).toMatchObject({ remedy: 'treat-as-withdraw', fault: { code: [3, 1] } });
    expect(hex(octets.subarray(scan.nlriStart, scan.nlriEnd))).toBe('080a');
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'ok', message: { remedy: 'treat-as-withdraw' } });
  });

  test.each([
    ['IPv4', updateFrame({}), { afi: 1, safi: 1 }],
    ['IPv6', updateFrame({ attributes: '800f03 000201' }), { afi: 2, safi: 1 }],
    ['IPv6 with the extended length', updateFrame({ attributes: '900f0003 000201' }), { afi: 2, safi: 1 }],
    ['an unknown family', updateFrame({ attributes: '800f03 404047' }), { afi: 0x4040, safi: 71 }],
  ])('End-of-RIB of %s is recognised', (_, octets, endOfRib) => {
    expect(scanUpdate(octets, context()).endOfRib).toEqual(endOfRib);
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'ok', message: { endOfRib, faults: [] } });
    expect(scanUpdate(encodeEndOfRib(endOfRib), context()).endOfRib).toEqual(endOfRib);
  });

  test.each([
    ['prefixes in MP_UNREACH', updateFrame({ attributes: mpUnreach })],
    ['another attribute', updateFrame({ attributes: '800f03 000201 40010100' })],
    ['withdrawn routes', updateFrame({ withdrawn: '00', attributes: '800f03 000201' })],
    ['prefixes', updateFrame({ attributes: '800f03 000201', nlri: '00' })],
  ])('%s beside it is no End-of-RIB', (_, octets) => {
    expect(scanUpdate(octets, context())).not.toHaveProperty('endOfRib');
  });
});

describe('an UPDATE as a whole', () => {
  test.each([
    ['a prefix length of 33', updateFrame({ attributes: mandatory, nlri: '21 0a00000000' }), [3, 10]],
    ['a prefix cut short', updateFrame({ attributes: mandatory, nlri: '18 0a00' }), [3, 10]],
    ['a withdrawn prefix of length 33', updateFrame({ withdrawn: '21 0a00000000' }), [3, 10]],
    ['an IPv6 prefix length of 129', updateFrame({ attributes: `800f15 0002 01 81 ${'00'.repeat(17)}` }), [3, 9]],
    ['an IPv6 prefix cut short', updateFrame({ attributes: '800f07 0002 01 20 20010d' }), [3, 9]],
    ['malformed attributes and no prefix', updateFrame({ attributes: '40010103' }), [3, 6]],
  ] as const)('%s resets the session', (_, octets, code) => {
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code } });
  });

  test('host bits are cleared, not refused', () => {
    const result = decodeMessage(updateFrame({ attributes: mandatory, nlri: '09 0aff' }), context());
    expect(result).toMatchObject({ message: { announced: [{ nlri: [{ words: [0x0a800000], length: 9 }] }] } });
  });

  test('the prefixes of a family that nobody decodes are kept as bytes', () => {
    const result = decodeMessage(updateFrame({ attributes: `${mandatory} 800e08 0019 46 00 00 0203ff` }), context());
    expect(result).toMatchObject({
      message: {
        announced: [{ kind: 'bytes', family: { afi: 25, safi: 70 }, nlri: bytes('0203ff') }],
      },
    });
  });

  test('missing ORIGIN withdraws', () => {
    const octets = updateFrame({ attributes: '400200 400304c0000201', nlri: '08 0a' });
    expect(decodeMessage(octets, context())).toMatchObject({
      message: { remedy: 'treat-as-withdraw', faults: [{ code: [3, 3] }] },
    });
  });
});

describe('what rules an UPDATE as a whole, RFC 7606 §5.2', () => {
  const emptyReach = `800e15 0002 01 10 ${'20'.repeat(16)} 00`;
  const disabling = context({ mpFaults: 'afi-safi-disable' });

  test('an octet behind an empty MP_UNREACH is no End-of-RIB: the session is reset', () => {
    const octets = updateFrame({ attributes: '800f03 000201 00' });
    expect(scanUpdate(octets, context())).not.toHaveProperty('endOfRib');
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code: [3, 1] } });
  });

  test('an MP_REACH without a prefix is no reachable prefix', () => {
    const octets = updateFrame({ attributes: `${emptyReach} 40010103 400200` });
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code: [3, 6] } });
    const well = updateFrame({ attributes: `${emptyReach} 40010100 400200` });
    expect(decodeMessage(well, context())).toMatchObject({ kind: 'ok', message: { faults: [] } });
  });

  test('a family that is disabled does not hide that there is nothing to withdraw', () => {
    const octets = updateFrame({ attributes: 'c00f03 000201 40010103' });
    expect(decodeMessage(octets, disabling)).toMatchObject({ kind: 'fault', fault: { code: [3, 6] } });
    const withPrefix = updateFrame({ attributes: 'c00f03 000201 40010103', nlri: '08 0a' });
    expect(decodeMessage(withPrefix, disabling)).toMatchObject({ kind: 'ok', message: { remedy: 'afi-safi-disable' } });
  });
});

describe('AFI/SAFI disable, where the context asks for it (RFC 7606 §2)', () => {
  const session = context({ mpFaults: 'afi-safi-disable' });
  const ipv6 = { afi: 2, safi: 1 };

  test.each([
    ['a next hop of 9 octets', `800e0e 0002 01 09 ${'00'.repeat(10)}`, 14],
    ['an IPv6 prefix length of 129', `800e27 0002 01 10 ${'20'.repeat(16)} 00 81 ${'00'.repeat(17)}`, 14],
    ['a withdrawn IPv6 prefix cut short', '800f07 0002 01 20 20010d', 15],
    ['an MP_UNREACH_NLRI marked transitive', 'c00f03 000201', 15],
  ])('%s costs the family, and the message says which', (_, attribute, code) => {
    const octets = updateFrame({ attributes: `${attribute} ${mandatory}`, nlri: '08 0a' });
    const result = decodeMessage(octets, session);
    expect(result).toMatchObject({ message: { remedy: 'afi-safi-disable', disabled: [ipv6] } });
    expect(result).toMatchObject({
      message: { faults: [{ code: [3, 9], remedy: 'afi-safi-disable', attribute: code }] },
    });
    expect(decodeMessage(octets, context())).toMatchObject({ kind: 'fault', fault: { code: [3, 9] } });
  });

  test('both can be lost in one message, and an attribute that is too short to name its family costs the session', () => {
    const both = updateFrame({ attributes: '800e05 0002 01 10 00 c00f03 000184' });
    expect(decodeMessage(both, session)).toMatchObject({ message: { disabled: [ipv6, { afi: 1, safi: 0x84 }] } });
    expect(scanUpdate(both, session)).toMatchObject({ remedy: 'afi-safi-disable', fault: { code: [3, 9] } });
    const short = updateFrame({ attributes: '800e05 0002 01 10 00 800f02 0002' });
    expect(decodeMessage(short, session)).toMatchObject({ kind: 'fault', fault: { code: [3, 9] } });
    expect(scanUpdate(short, session).remedy).toBe('session-reset');
  });

  test('the data of 3/9 is the whole attribute, also where a prefix in it is malformed', () => {
    const attribute = '800f07 0002 01 20 20010d'.replaceAll(' ', '');
    const result = decodeMessage(updateFrame({ attributes: attribute }), context());
    expect(result.kind === 'fault' && hex(result.fault.data)).toBe(attribute);
  });
});

describe('how the attributes stood on the wire', () => {
  const again = (octets: Uint8Array): string => {
    const result = decodeMessage(octets, context());
    if (result.kind === 'fault' || result.message.type !== 'update') throw new Error('no UPDATE');
    return hex(encodeUpdate(result.message, context()));
  };

  test.each([
    ['in our own order', updateFrame({ attributes: mpReach + mandatory, nlri: '08 0a' }), undefined],
    ['MP_REACH last', updateFrame({ attributes: mandatory + mpReach, nlri: '08 0a' }), [1, 2, 3, 14]],
    [
      'unknown ones in between',
      updateFrame({ attributes: `c0c800 ${mandatory} 80c900`, nlri: '08 0a' }),
      [200, 1, 2, 3, 201],
    ],
    [
      'lengths of two octets',
      updateFrame({ attributes: '50010001 00 500200 00 400304c0000201', nlri: '08 0a' }),
      [1, 2, 3],
    ],
    ['End-of-RIB of IPv4 in MP_UNREACH', updateFrame({ attributes: '800f03 000101' }), [15]],
    ['End-of-RIB with a length of two octets', updateFrame({ attributes: '900f0003 000201' }), [15]],
  ])('%s: the copy is exact', (_, octets, order) => {
    const result = decodeMessage(octets, context());
    if (order === undefined) expect(result).not.toHaveProperty('message.form');
    else expect(result).toMatchObject({ message: { form: { order } } });
    expect(again(octets)).toBe(hex(octets));
  });

  test('NEXT_HOP beside FlowSpec rules, which have none, is for the IPv4 prefixes', () => {
    const octets = updateFrame({ attributes: `${mandatory} 800e0b 0001 85 00 00 050901048109`, nlri: '08 0a' });
    expect(decodeMessage(octets, context())).toMatchObject({ message: { ipv4NextHop: bytes('c0000201'), faults: [] } });
    expect(again(octets)).toBe(hex(octets));
  });

  test('an UPDATE with nothing in it is refused: it would be End-of-RIB', () => {
    const nothing = { type: 'update', attributes: {}, announced: [], withdrawn: [], faults: [] } as const;
    expect(() => encodeUpdate(nothing, context())).toThrow('would be End-of-RIB');
  });
});
