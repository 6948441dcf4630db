import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TunnelPeerPlanner } from '../../../felix/calc/tunnel-peer-planner.ts';
import { planTunnelPeers } from '../../../felix/calc/tunnels.ts';
import { inputs, nodeA2, nodeB1, pool } from '../../support/dataplane-inputs.ts';

const NODES = [[], [nodeA2], [nodeA2, nodeB1]];
const POOLS = [[], [pool('10.48.0.0/16', { vxlan: 'Always' })], [pool('10.48.0.0/16', { ipip: 'Always' })]];
const moment = fc.record({ nodes: fc.constantFrom(...NODES), pools: fc.constantFrom(...POOLS) });

test('whatever changes, the peers are those of the moment', () => {
  const base = inputs({});
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 12 }), (moments) => {
      const planner = new TunnelPeerPlanner();
      for (const given of moments) {
        const all = { ...base, ...given };
        expect(planner.plan(all)).toEqual(planTunnelPeers(all));
      }
    }),
  );
});

test('of routes that come and go no other peers follow: they are the very same', () => {
  const planner = new TunnelPeerPlanner();
  const all = inputs({ nodes: NODES[2]!, pools: POOLS[1]! });
  const peers = planner.plan(all);
  expect(peers).toHaveLength(2);
  expect(planner.plan({ ...all, learned: [] })).toBe(peers);
});
