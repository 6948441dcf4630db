import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnyResource } from '../../../src/resources/index.ts';
import { view } from '../../support/resources.ts';
import { peer } from './bgp-resources.ts';
import { a, b, node, of } from './peers-cluster.ts';

interface PeerSpec {
  readonly node?: string;
  readonly nodeSelector?: string;
  readonly peerIP?: string;
  readonly peerSelector?: string;
  readonly asNumber?: number;
}

describe('for every cluster', () => {
  test('a node that is not registered has no peers', () => {
    expect(of('gone', a, b)).toEqual({
      peers: [],
      omitted: [{ origin: 'Node(gone)', peer: 'every peer', reason: 'the node is not registered' }],
      incomplete: [],
    });
  });

  const names = ['n1', 'n2', 'n3', 'n4'] as const;
  const cluster = fc
    .record({
      nodes: fc.tuple(
        ...names.map((name, i) =>
          fc
            .record({
              asNumber: fc.constantFrom(64512, 65001),
              cluster: fc.constantFrom(undefined, '1.0.0.1'),
              rack: fc.constantFrom('a', 'b'),
            })
            .map(({ asNumber, cluster: id, rack }) =>
              node(name, `10.0.0.${8 + i}/24`, {
                asNumber,
                labels: { rack },
                ...(id === undefined ? {} : { cluster: id }),
              }),
            ),
        ),
      ),
      peers: fc.array(
        fc.constantFrom<PeerSpec>(
          { peerIP: '10.9.0.1', asNumber: 65000 },
          { nodeSelector: "rack == 'a'", peerSelector: "rack == 'b'" },
          { node: 'n1', peerIP: '10.0.0.10' },
          { peerSelector: 'all()' },
          { peerIP: '10.0.0.9:179' },
        ),
        { maxLength: 4 },
      ),
    })
    .map(({ nodes, peers }) => [...nodes, ...peers.map((spec, i) => peer(`p${i}`, withAsnOf(nodes, spec)))]);

  /** A BGPPeer with another AS number than its node's is one-sided, and comes up nowhere. */
  function withAsnOf(
    nodes: readonly AnyResource[],
    spec: { readonly peerIP?: string; readonly asNumber?: number },
  ): object {
    if (spec.peerIP === undefined || spec.asNumber !== undefined) return spec;
    const address = spec.peerIP.replace(/:.*/, '');
    const owner = [...view(...nodes).Node.values()].find((one) => one.spec.bgp?.ipv4Address === `${address}/24`);
    return { ...spec, asNumber: owner?.spec.bgp?.asNumber };
  }

  test('the order in which the datastore told of the resources decides nothing', () => {
    const shuffled = cluster.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        for (const name of names) expect(of(name, ...other)).toEqual(of(name, ...list));
      }),
    );
  });

  test('two nodes of the cluster either both have a session, or neither has; and one of them dials', () => {
    let seen = 0;
    fc.assert(
      fc.property(cluster, (list) => {
        const sessions = names.flatMap((name, i) =>
          of(name, ...list)
            .peers.filter(({ address }) => address.words[0]! >>> 16 === 0x0a00)
            .map((p) => ({ from: i, to: (p.address.words[0]! & 255) - 8, passive: p.passive })),
        );
        seen += sessions.length;
        for (const { from, to, passive } of sessions) {
          const back = sessions.find((other) => other.from === to && other.to === from);
          expect(back).toBeDefined();
          expect(passive && back?.passive).toBe(false);
        }
      }),
    );
    expect(seen).toBeGreaterThan(0);
  });
});
