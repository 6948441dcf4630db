import { describe, expect, test } from 'vitest';
import { UpdateReader } from '../../../bird/rib/update-reader.ts';
import { explainPrefix } from '../../../bird/routing/explain.ts';
import { encodeUpdateFrame } from '../../../bird/wire.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { agreed, localSettings, openOf } from '../../support/bgp.ts';
import { bytes, mandatory } from '../../support/bgp-bytes.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const many = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
const marked = (count: number) => attributesOf(1, { communities: Array.from({ length: count }, (_, i) => i + 1) });

describe('extended messages, RFC 8654', () => {
  const bench = (): RoutingBench =>
    new RoutingBench([
      { address: '10.9.0.2' },
      { address: '10.9.0.3', remoteAsn: 65003 },
      { address: '10.9.0.4', remoteAsn: 65004, session: { extendedMessages: true } },
    ]);

  test('are filled to the brim for those who take them, and withdraw as much at once', () => {
    const b = bench();
    b.originate(many);
    b.sync();
    expect([b.told[1]!.size, b.told[2]!.size]).toEqual([many.length, many.length]);
    const [short, long] = [b.octets[1]!, b.octets[2]!];
    expect([Math.max(...short) <= 4096, short.length, Math.max(...long) > 65_500, long.length]).toEqual([
      true,
      21, // 20 if there were no end of a batch in between
      true,
      3,
    ]);
    b.originate([]);
    b.sync();
    expect([b.told[1]!.size, b.told[2]!.size, long.length]).toEqual([0, 0, 6]);
  });

  test('carry what fits into no other; a peer without them has it withdrawn, with the reason, said once', () => {
    const b = bench();
    b.announce(0, P, { attributes: attributesOf(1) });
    b.sync();
    expect([b.has(1, P), b.has(2, P)]).toEqual([['1'], ['1']]);
    for (const prefix of [P, '10.0.1.0/24']) b.announce(0, prefix, { attributes: marked(2000) });
    b.announce(0, '10.0.2.0/24', { attributes: marked(2001) });
    b.sync();
    expect([b.has(1, P), b.told[2]!.get(P)?.communities?.length]).toEqual([[], 2000]);
    expect(b.leftOut).toEqual([expect.stringMatching(/^a route is not told: its attributes fit into no message/)]);
    const outcomes = explainPrefix(b.routing, parsePrefix(P))!.exports;
    expect(outcomes.map(({ kind }) => kind)).toEqual(['kept back', 'kept back', 'send']);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('are read whole where we offered to', () => {
    const b = new RoutingBench([{ address: '10.9.0.2' }]);
    const local = localSettings({ remoteAsn: 65001, extendedMessages: true });
    const reader = new UpdateReader(agreed(local, openOf(local)), b.routing.sinkFor(b.peers[0]!));
    const communities = bytes('d008', (12_000).toString(16).padStart(4, '0'), '0001ffff'.repeat(3000));
    const frame = encodeUpdateFrame(
      { attributes: Uint8Array.of(...bytes(mandatory), ...communities), nlri: bytes('18 0a0000') },
      65_535,
    );
    for (let round = 0; round < 2; round++) expect(reader.read(frame)).toEqual({});
    expect([b.peers[0]!.adjRibIn[4].received, b.routing.attributes.size]).toEqual([1, 1]);
  });
});

describe('our own routes', () => {
  test('carry what was given with them, each its own', () => {
    const b = new RoutingBench([{ address: '10.9.0.2', remoteAsn: 64512 }]);
    b.originate([P], { communities: [7], largeCommunities: [[1, 2, 3]], med: 5, localPref: 300 });
    b.sync();
    expect(b.told[0]!.get(P)).toMatchObject({
      origin: 'igp',
      communities: [7],
      largeCommunities: [[1, 2, 3]],
      med: 5,
      localPref: 300,
    });
    b.originate([P], { communities: [8] });
    b.sync();
    expect(b.told[0]!.get(P)).toMatchObject({ communities: [8], localPref: 100 });
    expect(b.told[0]!.get(P)).not.toHaveProperty('med');
    b.originate([P], { communities: [] });
    b.sync();
    expect(b.told[0]!.get(P)).not.toHaveProperty('communities');
    expect(b.held()).toEqual([0, 0, 0]);
  });
});
