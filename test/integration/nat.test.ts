/** Packets through our table of nftables, on the real kernel; what nat-lab.ts lays out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { a, b, DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { ELSEWHERE, NatLab, NODE, PODS, poolsOf, WORLD } from '../support/nat-lab.ts';
import { isRoot } from '../support/netns.ts';
import { recordPings, takeSources } from '../support/ping-recorder.ts';
import { Pinger } from '../support/pinger.ts';

const runs = isRoot || process.env['CI'] !== undefined;
const TOGGLES = 20;

describe.runIf(runs)('pods of a pool with natOutgoing and of one without', () => {
  let lab: NatLab;
  const table = (): string => lab.spaces.node.run('nft', '-a', '-s', 'list', 'ruleset');

  beforeAll(async () => {
    lab = new NatLab('ctm');
    await lab.start();
  });
  afterAll(() => lab.close());

  test('where no pool asks for it there is no table, and every pod has its own address outside', () => {
    expect(table()).toBe('');
    expect(lab.sources('one', WORLD)).toEqual(PODS.one);
  });

  test('to the outside the node’s address, in both families; to pods their own, on this node and elsewhere', async () => {
    await lab.want(poolsOf({ one: true, two: false }));
    expect(lab.sources('one', WORLD)).toEqual(NODE);
    expect(lab.sources('one', ELSEWHERE)).toEqual(PODS.one);
    expect(lab.sources('one', PODS.two, 'two')).toEqual(PODS.one);
    expect(lab.sources('two', WORLD)).toEqual(PODS.two);
    expect(lab.nat().map(({ state }) => state)).toEqual(['in force', 'in force', 'off', 'off']);
  });

  test(`a pool toggled ${TOGGLES} times under a running ping loses no packet, and new flows do as it says`, async () => {
    await lab.want(poolsOf({ one: true, two: true }));
    const ping = await Pinger.start(lab.spaces.one, WORLD[0]);
    await ping.answers(10);
    for (let i = 1; i <= TOGGLES; i++) {
      const one = i % 2 === 0;
      await lab.want(poolsOf({ one, two: true }));
      // The running ping was translated when it began, and stays so: conntrack knows it, not the rule.
      expect(lab.sources('one', [WORLD[1], ELSEWHERE[1]])).toEqual([one ? NODE[1] : PODS.one[1], PODS.one[1]]);
      // Answers that are read now may be older than the toggle; what the world notes from here on is not.
      takeSources(lab.spaces.world, WORLD[0]);
      let sources: readonly string[] = [];
      await eventually(() => (sources = takeSources(lab.spaces.world, WORLD[0])).length > 0);
      expect(sources).toEqual([NODE[0]]);
    }
    expect((await ping.stop()).lost).toEqual([]);
  });

  test.each(['delete table inet calico-ts', 'flush table inet calico-ts', 'flush ruleset'])(
    'after nft %s it is back, and a running ping loses nothing',
    async (command) => {
      const pools = poolsOf({ one: true, two: true });
      await lab.want(pools);
      const before = table().replaceAll(/ # handle \d+/g, '');
      const ping = await Pinger.start(lab.spaces.two, ELSEWHERE[0]);
      await ping.answers(5);
      lab.spaces.node.run('nft', command);
      await eventually(() => table().replaceAll(/ # handle \d+/g, '') === before);
      await ping.answers(5);
      expect((await ping.stop()).lost).toEqual([]);
      expect(lab.sources('one', WORLD)).toEqual(NODE);
    },
  );

  test('a successor over the same pools rewrites nothing: every handle is as it was', async () => {
    const pools = poolsOf({ one: true, two: false });
    await lab.want(pools);
    const before = table();
    await lab.restart(pools);
    expect(table()).toBe(before);
    expect(lab.nat().map(({ state }) => state)).toEqual(['in force', 'in force', 'off', 'off']);
  });

  test('the table of a predecessor goes where nobody wants it any more', async () => {
    await lab.want(poolsOf({ one: true, two: false }));
    await lab.restart(poolsOf({ one: false, two: false }));
    expect(table()).toBe('');
    expect(lab.sources('one', WORLD)).toEqual(PODS.one);
  });
});

describe.runIf(runs)('a node that sends into a tunnel itself', () => {
  const lab = new DataplaneLab('ctu', { pools: [poolOf({ vxlan: 'Always' })] });

  beforeAll(() => lab.start());
  afterAll(() => lab.close());

  test('gets the tunnel’s address there, whatever address the socket has; a pod keeps its own', () => {
    const pod = lab.space(`pod-${b.name}`);
    recordPings(pod);
    lab.space(a.name).run('ping', '-c', '1', '-W', '5', '-I', a.address, b.pod);
    expect(takeSources(pod, b.pod)).toEqual([a.vxlan]);
    lab.ping(a, b.pod);
    expect(takeSources(pod, b.pod)).toEqual([a.pod]);
  });
});
