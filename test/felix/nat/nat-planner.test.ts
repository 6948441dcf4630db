import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planTunnels } from '../../../felix/calc/tunnels.ts';
import { NatPlanner } from '../../../felix/nat/nat-planner.ts';
import { planNat } from '../../../felix/nat/plan.ts';
import { host, inputs, pool } from '../../support/dataplane-inputs.ts';

const TUNNEL_SETTINGS = { ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
const POOLS = [[], [pool('10.48.0.0/16', { nat: true })], [pool('10.48.0.0/16', { vxlan: 'Always' })]];

const moment = fc.record({
  pools: fc.constantFrom(...POOLS),
  exclusions: fc.constantFrom('IPPoolsOnly' as const, 'IPPoolsAndHostIPs' as const),
  vxlanPort: fc.constantFrom(4789, 4790),
  keptLinks: fc.constantFrom([], ['vxlan.calico']),
});

test('whatever changes, the plan is that of the moment', () => {
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 12 }), (moments) => {
      const planner = new NatPlanner();
      const base = inputs({});
      for (const { pools, exclusions, vxlanPort, keptLinks } of moments) {
        const all = { ...base, pools };
        const tunnels = planTunnels(all, host(), TUNNEL_SETTINGS);
        const settings = { settings: { exclusions }, vxlanPort, keptLinks };
        expect(planner.plan(all, tunnels, settings)).toEqual(planNat(all, tunnels, settings));
      }
    }),
  );
});

test('of routes that come and go no other plan follows: it is the very same', () => {
  const planner = new NatPlanner();
  const all = inputs({ pools: POOLS[1]! });
  const plan = () =>
    planner.plan({ ...all, learned: [] }, planTunnels(all, host(), TUNNEL_SETTINGS), { vxlanPort: 4789 });
  expect(plan()).toBe(plan());
});
