import { describe, expect, test } from 'vitest';
import type { Dataplane } from '../../../felix/index.ts';
import { AgentHealth } from '../../../src/agent/agent-health.ts';
import { hasRoom } from '../../../src/agent/cni.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { call, networkConfiguration } from '../../support/cni-calls.ts';
import type { CniReply } from '../../support/cni-calls.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeDataplane } from '../../support/fake-dataplane.ts';
import { resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const POOL = resource('IPPool', 'p1', { cidr: '10.9.0.0/24' });

async function agentWith(does: Partial<Dataplane> = {}): Promise<TestAgent> {
  const [dataplane, clock] = [fakeDataplane(does), new FakeClock()];
  const health = new AgentHealth({ clock, dataplane, asBirdReady: false });
  const subject = await makeTestAgent({ dataplane, clock, ports: { health } });
  health.start();
  await subject.put(POOL);
  return subject;
}

const status = ({ agent }: TestAgent, ipam: object = {}): Promise<CniReply> =>
  call(agent.cni.bind(agent), 'STATUS', { config: networkConfiguration({ ipam }) });

const said = async (reply: Promise<CniReply>): Promise<string> => {
  const { code, said: error } = await reply;
  return code === 0 ? 'ready' : `${code} ${String(error?.['msg'])}`;
};

const UNKNOWN = 'calico-node-ts has just started: it is not in sync with the datastore yet';

describe('STATUS', () => {
  test('an agent is ready once it knows the datastore, though no BGP peer is there', async () => {
    const subject = await agentWith();
    expect(await said(status(subject))).toBe(`50 ${UNKNOWN}`);
    subject.agent.start();
    await settle();
    expect(await said(status(subject))).toBe('ready');
    await subject.agent.close({ kind: 'restart' });
  });

  test('a family without a pool, and a locked datastore, are told', async () => {
    const subject = await agentWith();
    subject.agent.start();
    await settle();
    expect(await said(status(subject, { assign_ipv6: true }))).toBe(
      '50 no ippool gives IPv6 addresses to pods of node-a1 in namespace default: p1: no IPv6 pool',
    );
    expect(await said(status(subject, { ipv4_pools: ['other'] }))).toBe(
      "50 ipam.ipv4_pools = 'other': there is no IP pool of that name or CIDR",
    );
    await subject.put(resource('ClusterInformation', 'default', { datastoreReady: false }));
    await settle();
    expect(await said(status(subject))).toMatch(/^50 the datastore is locked for a migration/);
    await subject.agent.close({ kind: 'restart' });
  });

  test('a kernel that is not to be read has cut off the pods that are there', async () => {
    const subject = await agentWith({ health: () => ({ hasReconciled: true, error: 'netlink: ENOBUFS' }) });
    subject.agent.start();
    await settle();
    expect(await said(status(subject))).toMatch(/^51 dataplane is not ready: .*ENOBUFS/);
    await subject.agent.close({ kind: 'restart' });
  });
});

test('an ADD before the datastore is known is to be tried again', async () => {
  const { agent } = await agentWith();
  const sandbox = { containerId: 'c1', pod: 'web-0' };
  expect(await said(call(agent.cni.bind(agent), 'ADD', { sandbox }))).toBe(`11 ${UNKNOWN}`);
});

test('a pool has room while a block is unmade or a block of anybody has a free address', async () => {
  const store = new MemoryStore();
  const ipam = createIpam(store, { clock: systemClock, random: () => 0 });
  const pool = { name: 'p', cidr: parsePrefix('10.9.0.0/29'), blockSize: 30 };
  const entries = async () => new Map((await store.list('/')).entries.map((entry) => [entry.key, entry] as const));
  const own = [parsePrefix('10.9.0.0/30'), parsePrefix('10.9.0.4/30')];
  expect(hasRoom(pool, await entries(), [])).toBe(true);
  for (let i = 0; i < 8; i++) {
    expect(hasRoom(pool, await entries(), own), `with ${i} assigned`).toBe(true);
    expect(hasRoom(pool, await entries(), []), `of another node, with ${i} assigned`).toBe(true);
    await ipam.autoAssign({ node: 'a', count: 1, handleId: `h${i}`, attributes: {}, pools: [pool] });
  }
  expect(hasRoom(pool, await entries(), own)).toBe(false);
  await ipam.releaseByHandle('h3');
  expect(hasRoom(pool, await entries(), [])).toBe(true);
});
