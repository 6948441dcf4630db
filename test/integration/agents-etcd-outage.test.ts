/**
 * Whole agents (processes, kernel, BGP, VXLAN) whose etcd is real and goes away, under pings between their pods. What store,
 * syncer and agent do with each octet is tested in memory beside this: etcd-outages, etcd-cuts, etcd-agent.
 */
import { Etcd3 } from 'etcd3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../src/datastore/store.ts';
import { untilSettled } from '../support/agent-lab.ts';
import { EtcdAgentLab } from '../support/etcd-agent-lab.ts';
import { EtcdServer, HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';
import { lossOf, pingWhile } from '../support/pinger.ts';
import type { Traffic } from '../support/pinger.ts';
import { entryOf, resource } from '../support/resources.ts';

/** Agents wait up to half a minute before they ask again, and a loaded machine takes its time. */
const TIMEOUT_MS = 300_000;
const EXTRA_ROUTES = [
  expect.arrayContaining([expect.stringMatching(/^10\.48\.255\.192\/26 via \S+ dev vxlan\.calico proto 80 onlink/)]),
  expect.arrayContaining([expect.stringMatching(/^blackhole 10\.48\.255\.192\/26 proto 80/)]),
];
const away = !HAS_ETCD || (!isRoot && process.env['CI'] === undefined);

/** Under traffic: no packet is lost, no session flaps, and the kernels hear of nothing but the route that `work` leads to. */
async function goesOn(etcd: EtcdAgentLab, work: (traffic: Traffic) => Promise<void>): Promise<void> {
  const flaps = (): Promise<readonly unknown[]> =>
    Promise.all(
      etcd.lab.nodes.map(async (node) => (await etcd.status(node)).bgp.peers.map(({ since, flaps }) => [since, flaps])),
    );
  const before = await flaps();
  etcd.forgetEvents();
  const reports = await pingWhile(etcd.flows, async (traffic) => {
    await work(traffic);
    await etcd.untilFresh();
    await eventually(() => expect(etcd.events()).toEqual(EXTRA_ROUTES));
    await traffic.answers(100);
  });
  expect(etcd.events().map((lines) => lines.length)).toEqual([1, 1]);
  expect(lossOf(reports)).toEqual({});
  expect(await flaps()).toEqual(before);
}

describe.skipIf(away)('two agents whose etcd goes away', () => {
  let server: EtcdServer;
  let etcd: EtcdAgentLab;
  let raw: Etcd3;

  beforeAll(async () => {
    server = await EtcdServer.start();
    raw = new Etcd3({ hosts: server.endpoint });
    etcd = new EtcdAgentLab('cteo', [server]);
    await etcd.start();
  }, TIMEOUT_MS);
  afterAll(async () => {
    raw.close();
    await etcd.remove();
    await server.remove();
  });
  beforeEach(() => untilSettled(etcd.lab));
  afterEach(async () => {
    await etcd.back();
    await etcd.giveUpExtra();
    await etcd.untilFresh();
    await eventually(() => etcd.events().every((lines) => lines.at(-1)?.startsWith('Deleted')));
  }, TIMEOUT_MS);

  const isTold = (): void => {
    for (const node of etcd.lab.nodes) {
      expect(etcd.readiness(node).text).toMatch(/stale for .+, what was known is kept: etcd at http:\/\/127\.0\.0\.1/);
      const { said, status } = node.ctl('node', 'status');
      expect(said).toMatch(/The datastore is stale since .+, what was known is kept: etcd at http:\/\/127\.0\.0\.1/);
      expect(status).toBe(1);
    }
  };

  test.each([
    ['refused', /ECONNREFUSED/, (): Promise<void> => etcd.each((proxy) => proxy.refuse())],
    ['swallowed', /does not answer/, (): Promise<void> => etcd.each((proxy) => proxy.blackHole())],
    ['stalled', /does not answer/, (): Promise<void> => etcd.each((proxy) => proxy.stall())],
  ])(
    '%s: nothing is lost, it is told, and the change of another client arrives',
    async (_, sentence, fault) => {
      await goesOn(etcd, async ({ answers }) => {
        await fault();
        await etcd.claimExtra();
        await etcd.untilAllStale(sentence);
        isTold();
        await answers(100);
        expect(etcd.events()).toEqual([[], []]);
        await etcd.back();
      });
    },
    TIMEOUT_MS,
  );

  test(
    'killed for longer than a minute, and started again: not ready meanwhile, ready after it',
    async () => {
      await goesOn(etcd, async () => {
        await server.kill();
        const codes = (): readonly string[] => etcd.lab.nodes.map((node) => etcd.readiness(node).code);
        await eventually(() => expect(codes()).toEqual(['503', '503']), 150_000);
        isTold();
        expect(etcd.events()).toEqual([[], []]);
        await server.restart();
        await eventually(() => expect(codes()).toEqual(['200', '200']), 120_000);
        await etcd.claimExtra();
      });
    },
    TIMEOUT_MS,
  );

  test.each(['goes on', 'is cut'])(
    'compacted while the stream stands still, which then %s: each agent has exactly what etcd has',
    async (what) => {
      const listed = relistings();
      await goesOn(etcd, async () => {
        await etcd.each((proxy) => proxy.stall());
        await etcd.claimExtra();
        await manyWrites();
        const { revision } = await etcd.writer.list('/calico/');
        await raw.kv.compact({ revision: String(revision), physical: true });
        if (what === 'is cut') await etcd.back();
        else await etcd.each((proxy) => proxy.pass());
      });
      // Who goes on may have it all in the buffers between him and etcd.
      if (what === 'is cut') expect(relistings()).toEqual([listed[0]! + 1, listed[1]! + 1]);
    },
    TIMEOUT_MS,
  );

  const relistings = (): readonly number[] =>
    etcd.lab.nodes.map((node) => node.log().split('etcd keeps only what follows revision').length);

  /** Far more than a stream holds back, and nothing of it is left but the last. */
  async function manyWrites(): Promise<void> {
    const networkSet = (i: number): { readonly key: string; readonly value: Json } =>
      entryOf(resource('GlobalNetworkSet', 'busy', { nets: [`192.0.2.${i % 256}/32`] }));
    const { key, value } = networkSet(0);
    let { revision } = await etcd.writer.create(key, value);
    for (let i = 1; i < 1500; i++) ({ revision } = await etcd.writer.update(key, networkSet(i).value, revision));
    await etcd.writer.delete(key);
  }
});

describe.skipIf(away)('two agents whose etcd has three members', () => {
  let members: readonly EtcdServer[];
  let etcd: EtcdAgentLab;

  beforeAll(async () => {
    members = await EtcdServer.startThree();
    etcd = new EtcdAgentLab('ctem', members);
    await etcd.start();
  }, TIMEOUT_MS);
  afterAll(async () => {
    await etcd.remove();
    await Promise.all(members.map((member) => member.remove()));
  });

  test(
    'the one that the agents watch at is removed, and a new one takes its place: they go on, and then have it alone',
    async () => {
      const first = members[0]!;
      const admin = new Etcd3({ hosts: members[1]!.endpoint });
      try {
        await goesOn(etcd, async ({ answers }) => {
          const { members: listed } = await admin.cluster.memberList({});
          const { ID } = listed.find(({ peerURLs }) => peerURLs.includes(first.peerUrl))!;
          // etcd refuses while its members have not known each other for five seconds.
          await eventually(() => admin.cluster.memberRemove({ ID }));
          await first.kill();
          await first.wipe();
          // The others answer, so this is no outage that anybody would have to hear of for long.
          await etcd.untilFresh();
          await answers(100);
          await eventually(() => admin.cluster.memberAdd({ peerURLs: [first.peerUrl] }));
          await first.restartAsNew();
          for (const [, second, third] of etcd.proxies) await Promise.all([second!.refuse(), third!.refuse()]);
          await etcd.claimExtra();
        });
      } finally {
        admin.close();
      }
    },
    TIMEOUT_MS,
  );
});
