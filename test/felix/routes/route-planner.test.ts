import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RoutePlanner } from '../../../felix/routes/route-planner.ts';
import { planRoutes, planRoutesInSteps } from '../../../felix/calc/routes.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { host, inputs, learned, nodeB1, nodeB2, pool } from '../../support/dataplane-inputs.ts';

const wanted = inputs({ learned: [learned('192.168.2.0/26', '172.30.1.12')] });

test('the same inputs on a host that looks the same have the very same plan', async () => {
  const planner = new RoutePlanner();
  const plan = await planner.plan(wanted, host());
  expect([...plan]).toEqual([...planRoutes(wanted, host())]);
  expect(await planner.plan(wanted, host())).toBe(plan);
});

test('other inputs or another host are planned anew', async () => {
  const planner = new RoutePlanner();
  const without = { ...host(), links: new Map() };
  const plan = await planner.plan(wanted, host());
  const another = await planner.plan(wanted, without);
  expect([...another]).toEqual([...planRoutes(wanted, without)]);
  expect([...another]).not.toEqual([...plan]);
  expect([...(await planner.plan(inputs(), without))]).toEqual([]);
});

test('a long list is planned in turns, and others have theirs between', async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => learned(`10.${i >> 8}.${i & 255}.0/26`, '172.30.1.12'));
  const wide = inputs({ learned: many });
  let turns = 0;
  const turn = setInterval(() => turns++, 0);
  const plan = await new RoutePlanner().plan(wide, host());
  clearInterval(turn);
  expect([...plan]).toEqual([...planRoutes(wide, host())]);
  expect([...plan]).toHaveLength(10_000);
  expect([...planRoutesInSteps(wide, host())].length).toBeGreaterThan(5);
  expect(turns).toBeGreaterThan(0);
});

const prefixes = [
  '192.168.2.0/26',
  '192.168.1.0/28',
  '192.168.1.7/32',
  '192.168.9.0/26',
  '172.30.2.0/24',
  '172.30.0.0/16',
  '10.2.0.0/24',
];
const hops = ['172.30.1.1', '172.30.1.12', '172.30.2.11', '10.2.0.9'];
const learnedLists = fc.array(
  fc
    .tuple(fc.constantFrom(...prefixes), fc.subarray(hops, { minLength: 1, maxLength: 2 }))
    .map(([prefix, nextHops]) => learned(prefix, ...nextHops)),
  { maxLength: 6 },
);
const known = inputs();
const localBlocks = [parsePrefix('192.168.1.0/26')];
/** What routes are decided by, each with one thing other: the same objects come again and again, as from a datastore that says nothing new. */
const bases = [
  known,
  { ...known, localBlocks },
  { ...known, localBlocks, lentAddresses: [parseIpAddress('192.168.1.7')] },
  { ...known, nodes: [nodeB1] },
  { ...known, local: nodeB2 },
  { ...known, pools: [pool('192.168.0.0/16', { vxlan: 'Always' }), pool('192.168.2.0/24', {}, 'q')] },
  // A tunnel would carry its own outer packets.
  { ...known, pools: [pool('172.30.0.0/15', { ipip: 'Always' })] },
  {
    ...known,
    peerGateways: [{ peer: parseIpAddress('10.2.0.9'), gateway: parseIpAddress('172.30.1.2'), origin: 'BGPPeer(p)' }],
  },
];
const hosts = [
  () => host(),
  () => host({ routes: ['172.30.2.0/24 via 172.30.1.1 dev eth0'] }),
  () => host({ down: ['tunl0'] }),
];
const steps = fc.array(
  fc.record({ basis: fc.constantFrom(...bases), host: fc.constantFrom(...hosts), learned: learnedLists }),
  { minLength: 2, maxLength: 12 },
);

test('after whatever came before, the plan is what it would be from nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const planner = new RoutePlanner();
      for (const step of sequence) {
        const now = { ...step.basis, learned: step.learned };
        const plan = await planner.plan(now, step.host());
        expect([...plan]).toEqual([...planRoutes(now, step.host())]);
      }
    }),
    { numRuns: 300 },
  );
});

test('what follows from the same inputs for the same next hop is decided once', async () => {
  const planner = new RoutePlanner();
  const first = await planner.plan(wanted, host());
  const more = { ...wanted, learned: [...wanted.learned, learned('192.168.7.0/26', '172.30.1.12')] };
  const second = await planner.plan(more, host());
  const target = [...first][0]?.route.target;
  expect([...second].map(({ route }) => route.target === target)).toEqual([true, true]);
});
