import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import type { Audit, Evidence, Users } from '../../../src/ipam/index.ts';
import { audit, createIpam, ipamSurvey, PoolsExhaustedError, repairPlan } from '../../../src/ipam/index.ts';
import { formatPrefix } from '../../../src/model/ip.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { interleavedStore } from '../../support/interleaved-store.ts';
import { assign, checkInvariants, pool } from '../../support/ipam.ts';

const pools = [pool('10.65.0.0/28', 30)];
const START = Date.UTC(2026, 0, 1);
const ports = (now: () => number) => ({ clock: hurriedClock(now), random: () => 0 });

const users = (inUse: readonly (readonly [string, string])[], nodes = ['n1', 'n2']): Users => ({
  nodes: new Set(nodes),
  inUse: new Map(inUse.map(([ip, owner]) => [ip, [owner]])),
  containers: new Set(),
});

const evidence = (found: Audit, takenAt: number): Evidence => ({
  takenAt,
  leaked: found.allocations.filter(({ verdict }) => verdict === 'leaked'),
  leakedHandles: found.leakedHandles,
  wrongCounts: found.wrongCounts,
  affinitiesWithoutNode: found.affinitiesWithoutNode.map((one) => ({ ...one, cidr: formatPrefix(one.prefix) })),
  blocksWithoutAffinity: found.blocksWithoutAffinity.map((one) => ({ ...one, cidr: formatPrefix(one.prefix) })),
});

test('an address is left alone while the endpoint of its handle has another', async () => {
  const store = new MemoryStore();
  const ipam = createIpam(
    store,
    ports(() => START),
  );
  const attributes = { pod: 'web', namespace: 'default' };
  await ipam.autoAssign({ node: 'n1', count: 2, handleId: 'k.web', attributes, pools });
  const look = async (used: Users) => audit(ipamSurvey(await store.list('/')), used).allocations;
  expect((await look(users([]))).map(({ verdict }) => verdict)).toEqual(['leaked', 'leaked']);
  const [first] = await look(users([]));
  expect((await look(users([[first!.ip, 'Workload(web)']]))).map(({ verdict }) => verdict)).toEqual([
    'in-use',
    'unknown',
  ]);
});

test('whatever happens between the report and the repair and during it, nothing that lives is freed and all that stays leaked is', async () => {
  const pod = fc.record({
    node: fc.constantFrom('n1', 'n2'),
    fate: fc.constantFrom('lives', 'leaks', 'goes', 'returns'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(pod, { minLength: 1, maxLength: 5 }),
      fc.nat(3),
      async (s, pods, late) => {
        const data = new MemoryStore();
        let now = START;
        const quiet = createIpam(
          data,
          ports(() => now),
        );
        const attributes = (name: string) => ({ pod: name, namespace: 'default' });
        const give = (ipam: typeof quiet, name: string, node: string) =>
          ipam.autoAssign({ node, count: 1, handleId: `k.${name}`, attributes: attributes(name), pools });
        for (const [i, { node }] of pods.entries()) await give(quiet, `p${i}`, node);
        const living = (fates: readonly string[]) =>
          pods.map(({ fate }, i) => [fate, `k.p${i}`] as const).filter(([fate]) => fates.includes(fate));
        const usersOf = async (handles: readonly string[]) => {
          const held = await Promise.all(handles.map((id) => quiet.assignmentsOf(id)));
          const survey = ipamSurvey(await data.list('/'));
          const all = audit(survey, users([])).allocations;
          const ips = all.filter(({ handle }) => handle !== null && handles.includes(handle)).map(({ ip }) => ip);
          expect(ips).toHaveLength(held.flat().length);
          return users(ips.map((ip) => [ip, 'Workload(x)'] as const));
        };
        const look = async (handles: readonly string[]) =>
          audit(ipamSurvey(await data.list('/')), await usersOf(handles));
        const lives = living(['lives']).map(([, id]) => id);
        const report = evidence(await look(lives), now);
        now += 900_000;
        // Between report and repair: `returns` are released and assigned anew under the same handle, before their endpoint is there.
        for (const [, id] of living(['returns'])) await quiet.releaseByHandle(id);
        for (const [i, { fate, node }] of pods.entries()) if (fate === 'returns') await give(quiet, `p${i}`, node);
        const plan = repairPlan([report], await look(lives), { nowMs: now, graceMs: 900_000, byOwnAge: false });
        const store = (who: string) =>
          interleavedStore(data, (label) => s.schedule(Promise.resolve(), `${who} ${label}`));
        const repairing = createIpam(
          store('repair'),
          ports(() => now),
        ).repair(plan);
        const agent = createIpam(
          store('agent'),
          ports(() => now),
        );
        const work = [
          ...living(['goes']).map(([, id]) => agent.releaseByHandle(id)),
          ...Array.from({ length: late }, (_, i) =>
            give(agent, `late${i}`, 'n1').catch((error: unknown) => {
              if (!(error instanceof PoolsExhaustedError)) throw error;
            }),
          ),
        ];
        const all = Promise.all([repairing, ...work]);
        await s.waitFor(all);
        await all;
        for (const [fate, id] of living(['lives', 'returns', 'leaks', 'goes'])) {
          const held = await quiet.assignmentsOf(id);
          expect(held.length, `${id}, which ${fate}`).toBe(fate === 'lives' || fate === 'returns' ? 1 : 0);
        }
        await checkInvariants(data);
      },
    ),
    { numRuns: 100 },
  );
});

test('a count that is too high is set right, whoever assigns meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 2 }), async (s, more) => {
      const data = new MemoryStore();
      const quiet = createIpam(
        data,
        ports(() => START),
      );
      const { claimed } = await assign(quiet, 'n1', 'h', pools);
      const cidr = formatPrefix(claimed[0]!.prefix);
      const [handle] = (await data.list('/calico/ipam/v2/handle/h')).entries;
      await data.update(handle!.key, { block: { [cidr]: 3 }, deleted: false }, handle!.revision);
      const look = async () => audit(ipamSurvey(await data.list('/')), users([]));
      const plan = repairPlan([evidence(await look(), START)], await look(), {
        nowMs: START,
        graceMs: 0,
        byOwnAge: false,
      });
      expect(plan.counts).toMatchObject([{ counted: 3, allocated: 1 }]);
      const store = (who: string) =>
        interleavedStore(data, (label) => s.schedule(Promise.resolve(), `${who} ${label}`));
      const all = Promise.all([
        createIpam(
          store('repair'),
          ports(() => START),
        ).repair(plan),
        // Another address of the same block.
        assign(
          createIpam(
            store('agent'),
            ports(() => START),
          ),
          'n1',
          'other',
          pools,
          more,
        ),
      ]);
      await s.waitFor(all);
      await checkInvariants(data);
    }),
    { numRuns: 50 },
  );
});

test('an address that its handle got anew after the plan was made is skipped', async () => {
  const data = new MemoryStore();
  const ipam = createIpam(
    data,
    ports(() => START),
  );
  const narrow = [pool('10.65.0.0/32', 32)];
  const attributes = { pod: 'web', namespace: 'default' };
  const give = () => ipam.autoAssign({ node: 'n1', count: 1, handleId: 'k.web', attributes, pools: narrow });
  await give();
  const found = audit(ipamSurvey(await data.list('/')), users([]));
  const plan = repairPlan([evidence(found, START)], found, { nowMs: START, graceMs: 0, byOwnAge: false });
  expect(plan.addresses).toHaveLength(1);
  await ipam.releaseByHandle('k.web');
  await give();
  expect(await ipam.repair(plan)).toMatchObject({
    addresses: 0,
    skipped: [expect.stringContaining('was assigned anew since')],
  });
  expect(await ipam.assignmentsOf('k.web')).toHaveLength(1);
});
