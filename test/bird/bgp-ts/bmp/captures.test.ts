/** What FRR and GoBGP sent, against their configuration: fixtures/README.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BmpMessage } from '../../../../bird/bgp-ts/bmp/index.ts';
import {
  bmpFromJson,
  BmpFramer,
  BmpSession,
  bmpToJson,
  decodeBmp,
  encodeBmp,
  formatBmp,
} from '../../../../bird/bgp-ts/bmp/index.ts';
import { formatMessage } from '../../../../bird/bgp-ts/index.ts';
import { bytes, hex } from '../../../support/bgp-bytes.ts';

const streams = ['frr', 'gobgp', 'frr-add-path', 'gobgp-add-path'] as const;

const linesOf = (name: string): readonly string[] =>
  readFileSync(new URL(`fixtures/${name}.hex`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

interface Received {
  readonly message: BmpMessage;
  /** BGP messages inside as readable lines, each with the context of its time. */
  readonly bgp: readonly string[];
}

function receive(name: string): readonly Received[] {
  const framer = new BmpFramer();
  const session = new BmpSession();
  const received: Received[] = [];
  framer.push(bytes(...linesOf(name)));
  for (let next = framer.next(); next !== undefined; next = framer.next()) {
    if (next.kind === 'malformed') throw new Error(next.text);
    const result = decodeBmp(next.bytes);
    if (result.kind === 'malformed') throw new Error(result.text);
    const { message } = result;
    received.push({ message, bgp: bgpOf(message, session) });
    session.observe(message);
  }
  return received;
}

function bgpOf(message: BmpMessage, session: BmpSession): readonly string[] {
  if (!('peer' in message)) return [];
  const raw = [
    ...('bgp' in message ? [message.bgp] : []),
    ...('tlvs' in message ? message.tlvs.flatMap((tlv) => ('bgp' in tlv ? [tlv.bgp] : [])) : []),
  ];
  return raw.map((bgp) => {
    const result = session.decode(message.peer, bgp);
    return result.kind === 'ok' ? formatMessage(result.message) : result.fault.text;
  });
}

const ofType = <T extends BmpMessage['type']>(
  received: readonly Received[],
  type: T,
): readonly Extract<BmpMessage, { readonly type: T }>[] =>
  received
    .map(({ message }) => message)
    .filter((message): message is Extract<BmpMessage, { type: T }> => message.type === type);

/** `192.0.2.2 post: UPDATE …` for all Route Monitoring. */
const monitored = (received: readonly Received[]): readonly string[] =>
  received.flatMap(({ message, bgp }) => {
    if (message.type !== 'route-monitoring') return [];
    const { peer } = message;
    const rib = peer.peerType === 'loc-rib' ? 'loc-rib' : 'postPolicy' in peer && peer.postPolicy ? 'post' : 'pre';
    return bgp.map((line) => `${hex(peer.address).slice(-8)} ${rib}: ${line}`);
  });

describe.each(streams)('%s', (name) => {
  test('every message decodes, and encodes to the same octets, also by way of JSON', () => {
    const lines = linesOf(name);
    const received = receive(name);
    expect(received.map(({ message }) => hex(encodeBmp(message)))).toEqual(lines);
    for (const [i, { message }] of received.entries()) {
      const again = bmpFromJson(JSON.parse(JSON.stringify(bmpToJson(message))));
      expect(again).toEqual({ kind: 'ok', message });
      expect(formatBmp(message)).toMatch(/^[A-Z-]+ /);
      expect(again.kind === 'ok' && hex(encodeBmp(again.message))).toBe(lines[i]);
    }
  });
});

describe('FRR 8.4.4', () => {
  const received = receive('frr');

  test('begins with its name and version', () => {
    expect(received[0]!.message).toEqual({
      type: 'initiation',
      tlvs: [
        { name: 'sys-descr', text: 'FRRouting 8.4.4' },
        { name: 'sys-name', text: 'frr' },
      ],
    });
  });

  test('says Peer Up for both peers, with both OPENs', () => {
    const [ipv4, ipv6, ...others] = ofType(received, 'peer-up');
    expect(others).toEqual([]);
    expect(ipv4).toMatchObject({
      peer: {
        peerType: 'global',
        ipv6: false,
        postPolicy: false,
        adjRibOut: false,
        address: bytes('c0000202'),
        asn: 4_200_000_002,
        bgpIdentifier: 0xc0000202,
      },
      localAddress: bytes('c0000201'),
      localPort: 179,
      tlvs: [],
    });
    expect(ipv6).toMatchObject({
      peer: { ipv6: true, address: bytes('20010db8000000000000000000000002'), asn: 4_200_000_002 },
      localAddress: bytes('20010db8000000000000000000000001'),
      localPort: 179,
    });
    const session = new BmpSession();
    expect(session.decode(ipv4!.peer, ipv4!.sentOpen)).toMatchObject({
      message: { type: 'open', asn: 65001, holdSeconds: 30, bgpIdentifier: 0xc0000201 },
    });
    expect(session.decode(ipv4!.peer, ipv4!.receivedOpen)).toMatchObject({
      message: { type: 'open', asn: 23456, holdSeconds: 30, bgpIdentifier: 0xc0000202 },
    });
  });

  test('monitors before and after policy, where the route-map sets the metric to 77', () => {
    const lines = monitored(received);
    expect(lines).toContain(
      'c0000202 post: UPDATE announce 203.0.113.0/24 next-hop 192.0.2.2 as-path [65001 4200000002] origin incomplete med 77 communities 65001:7',
    );
    expect(lines).toContain('c0000202 post: UPDATE withdraw 203.0.113.128/25');
    // Without soft-reconfiguration inbound it has nothing before policy to announce, and says so by a withdrawal.
    expect(lines).toContain('c0000202 pre: UPDATE withdraw 203.0.113.128/25');
    expect(lines).toContain('00000002 pre: UPDATE withdraw 2001:db8:1::/48');
  });

  test('mirrors what GoBGP sent, with the metric of GoBGP', () => {
    const mirrored = received.filter(({ message }) => message.type === 'route-mirroring').flatMap(({ bgp }) => bgp);
    expect(mirrored.filter((line) => line.startsWith('UPDATE'))).toEqual([
      'UPDATE announce 203.0.113.0/24 next-hop 192.0.2.2 as-path [4200000002] origin incomplete med 10 communities 65001:7',
      'UPDATE announce 203.0.113.128/25 next-hop 192.0.2.2 as-path [4200000002] origin incomplete',
      'UPDATE announce 2001:db8:1::/48 next-hop 2001:db8::2 as-path [4200000002] origin incomplete',
      'UPDATE withdraw 203.0.113.128/25',
    ]);
    expect(mirrored).toContain('KEEPALIVE');
    expect(mirrored).toContain('NOTIFICATION Cease / Administrative Shutdown');
  });

  test('reports statistics per peer, one of a type of its own', () => {
    const [first] = ofType(received, 'statistics-report');
    expect(first!.statistics.map(({ type }) => type)).toEqual([0, 4, 5, 3, 2, 11, 65531]);
    expect(first!.statistics.at(-1)).toEqual({ kind: 'counter', type: 65531, value: 0n });
  });

  test('says Peer Down before a peer was ever up, and why it went', () => {
    const downs = ofType(received, 'peer-down');
    expect(downs[0]).toMatchObject({ reason: 'local-no-notification', fsmEvent: 0, peer: { bgpIdentifier: 0 } });
    expect(downs.filter(({ reason }) => reason === 'remote-notification')).not.toEqual([]);
  });
});

describe('GoBGP 3.10', () => {
  const received = receive('gobgp');

  test('begins with its name and version', () => {
    expect(received[0]!.message).toEqual({
      type: 'initiation',
      tlvs: [
        { name: 'sys-name', text: 'GoBGP' },
        { name: 'sys-descr', text: '3.10.0' },
      ],
    });
  });

  test('monitors Adj-RIB-In before and after policy and the Loc-RIB, route-monitoring-policy "all"', () => {
    const route = 'UPDATE announce 198.51.100.0/24 next-hop 192.0.2.1 as-path [65001] origin igp med 0';
    expect(monitored(received).slice(0, 3)).toEqual([
      `c0000201 pre: ${route}`,
      `c0000201 post: ${route}`,
      `00000000 loc-rib: ${route}`,
    ]);
    const locRib = ofType(received, 'route-monitoring').find(({ peer }) => peer.peerType === 'loc-rib');
    expect(locRib!.peer).toMatchObject({ asn: 4_200_000_002, bgpIdentifier: 0xc0000202, filtered: false });
  });

  test('routes in the Loc-RIB have next hop 0.0.0.0, which no UPDATE between peers may have', () => {
    expect(monitored(received)).toContain(
      '00000000 loc-rib: UPDATE announce 203.0.113.0/24 next-hop 0.0.0.0 origin incomplete med 10 communities 65001:7 remedy treat-as-withdraw (AS_PATH is missing)',
    );
  });

  test('counts routes as gauges and errors as counters', () => {
    const [first] = ofType(received, 'statistics-report');
    expect(first!.statistics).toEqual([
      { kind: 'gauge', type: 7, name: 'routes in Adj-RIBs-In', value: 3n },
      { kind: 'gauge', type: 8, name: 'routes in Loc-RIB', value: 1n },
      { kind: 'counter', type: 11, name: 'updates treated as withdraw', value: 0n },
      { kind: 'counter', type: 12, name: 'prefixes treated as withdraw', value: 0n },
    ]);
  });

  test('says Peer Down with the NOTIFICATION that it sent, 6/2', () => {
    const down = received.at(-1)!;
    expect(down.message).toMatchObject({ type: 'peer-down', reason: 'local-notification' });
    expect(down.bgp).toEqual(['NOTIFICATION Cease / Administrative Shutdown']);
  });
});

describe('where the OPENs settled ADD-PATH', () => {
  test("FRR's mirrored messages and GoBGP's Adj-RIB-In before policy have path identifiers", () => {
    const mirrored = receive('frr-add-path').filter(({ message }) => message.type === 'route-mirroring');
    expect(mirrored.flatMap(({ bgp }) => bgp)).toContain('UPDATE withdraw 203.0.113.128/25#1');
    expect(monitored(receive('gobgp-add-path'))[0]).toMatch(/^c0000201 pre: UPDATE announce 198.51.100.0\/24#2 /);
  });

  test('the Loc-RIB of GoBGP, which has no Peer Up, is read without', () => {
    expect(monitored(receive('gobgp-add-path'))).toContain('00000000 loc-rib: UPDATE withdraw 203.0.113.128/25');
  });

  test('both leave the identifiers out of other Route Monitoring: a fault, and readable without ADD-PATH', () => {
    const [, post] = ofType(receive('gobgp-add-path'), 'route-monitoring');
    expect(monitored(receive('gobgp-add-path'))[1]).toMatch(/^c0000201 post: a prefix runs past the end/);
    expect(formatBmp(post!)).toContain(': UPDATE announce 198.51.100.0/24 next-hop');
  });
});
