import { describe, expect, test } from 'vitest';
import { SessionIndex } from '../../../bird/bfd/demultiplex.ts';
import type { Addressed, DiscardReason } from '../../../bird/bfd/demultiplex.ts';
import type { Datagram, Hops } from '../../../bird/bfd/network.ts';
import { encodeControl } from '../../../bird/bfd/packet.ts';
import type { ControlPacket } from '../../../bird/bfd/packet.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { peerPacket } from '../../support/bfd.ts';

const session = (
  localDiscriminator: number,
  peer: string,
  more: { readonly hops?: Hops; readonly interfaceIndex?: number } = {},
): Addressed => ({
  localDiscriminator,
  peer: parseIpAddress(peer),
  hops: 'single hop',
  interfaceIndex: undefined,
  ...more,
});

const PLAIN = session(1, '10.0.0.2');
const FAR = session(2, '10.0.0.2', { hops: 'multihop' });
const ETH0 = session(3, 'fe80::1', { interfaceIndex: 4 });
const ETH1 = session(4, 'fe80::1', { interfaceIndex: 5 });

const index = new SessionIndex<Addressed>();
for (const one of [PLAIN, FAR, ETH0, ETH1]) index.add(one);

const datagram = (packet: Partial<ControlPacket>, more: Partial<Datagram> = {}): Datagram => ({
  octets: encodeControl(peerPacket({ yourDiscriminator: 0, ...packet })),
  source: parseIpAddress('10.0.0.2'),
  interfaceIndex: 2,
  ttl: 255,
  hops: 'single hop',
  ...more,
});

const ownerOf = (one: Datagram): Addressed | undefined => index.judge(one).owner;
function reasonOf(one: Datagram): DiscardReason | undefined {
  const verdict = index.judge(one);
  return 'reason' in verdict ? verdict.reason : undefined;
}

describe('the session of a packet, RFC 5880 §6.3', () => {
  test('is that of Your Discriminator, wherever the packet comes from', () => {
    const elsewhere = { source: parseIpAddress('10.9.9.9') };
    expect(ownerOf(datagram({ state: 'Up', yourDiscriminator: 1 }, elsewhere))).toBe(PLAIN);
  });

  test('is that of the source, of the port and of the interface where the peer knows no discriminator yet', () => {
    expect(ownerOf(datagram({}))).toBe(PLAIN);
    expect(ownerOf(datagram({}, { hops: 'multihop' }))).toBe(FAR);
    const linkLocal = { source: parseIpAddress('fe80::1') };
    expect(ownerOf(datagram({}, { ...linkLocal, interfaceIndex: 4 }))).toBe(ETH0);
    expect(ownerOf(datagram({}, { ...linkLocal, interfaceIndex: 5 }))).toBe(ETH1);
    expect(reasonOf(datagram({}, { ...linkLocal, interfaceIndex: 6 }))).toBe('unknown peer');
  });

  test('a session on the interface goes before one on any', () => {
    const both = new SessionIndex<Addressed>();
    const any = session(1, '10.0.0.2');
    const bound = session(2, '10.0.0.2', { interfaceIndex: 2 });
    for (const one of [any, bound]) both.add(one);
    expect(both.judge(datagram({})).owner).toBe(bound);
    expect(both.judge(datagram({}, { interfaceIndex: 9 })).owner).toBe(any);
    both.remove(bound);
    expect(both.judge(datagram({})).owner).toBe(any);
    both.remove(any);
    expect(both.judge(datagram({}))).toEqual({ reason: 'unknown peer', owner: undefined });
  });
});

describe('discarded, and counted at the session whose peer seems to have sent it', () => {
  test('TTL 254 on the single-hop port, RFC 5881 §5; any TTL will do for multihop', () => {
    expect(index.judge(datagram({}, { ttl: 254 }))).toEqual({ reason: 'TTL is not 255', owner: PLAIN });
    expect(reasonOf(datagram({ yourDiscriminator: 1 }, { ttl: 1 }))).toBe('TTL is not 255');
    expect(reasonOf(datagram({}, { ttl: 3, hops: 'multihop' }))).toBeUndefined();
  });

  test('what the codec refuses, under its reason', () => {
    expect(index.judge(datagram({}, { octets: new Uint8Array(5) }))).toEqual({ reason: 'wrong version', owner: PLAIN });
  });

  test('a discriminator that is nobody’s', () => {
    expect(index.judge(datagram({ yourDiscriminator: 77 }))).toEqual({ reason: 'unknown discriminator', owner: PLAIN });
  });

  test('a discriminator of the other port: a multihop packet must not get around the TTL', () => {
    const far = datagram({ yourDiscriminator: 1, state: 'Down' }, { hops: 'multihop', ttl: 60 });
    expect(index.judge(far)).toEqual({ reason: 'discriminator of a session on the other port', owner: PLAIN });
  });

  test('Init or Up without a discriminator; Down and AdminDown pass', () => {
    expect(reasonOf(datagram({ state: 'Init' }))).toBe('no discriminator though Init or Up');
    expect(reasonOf(datagram({ state: 'Up' }))).toBe('no discriminator though Init or Up');
    expect(reasonOf(datagram({ state: 'AdminDown' }))).toBeUndefined();
  });

  test('an unknown peer, RFC 5880 §6.8.6', () => {
    expect(index.judge(datagram({}, { source: parseIpAddress('10.0.0.3') }))).toEqual({
      reason: 'unknown peer',
      owner: undefined,
    });
  });

  test('an authentication section, which nobody configured', () => {
    const octets = Uint8Array.from([...encodeControl(peerPacket({ yourDiscriminator: 1 })), 1, 2]);
    octets[1]! |= 0x04;
    octets[3] = 26;
    expect(index.judge(datagram({}, { octets }))).toEqual({ reason: 'authentication is not configured', owner: PLAIN });
  });
});
