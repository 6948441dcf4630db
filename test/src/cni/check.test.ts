import { beforeEach, expect, test } from 'vitest';
import type { WorkloadSight } from '../../../felix/index.ts';
import { hostInterfaceName } from '../../../src/cni/names.ts';
import { CniVerbs } from '../../../src/cni/verbs.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { call, networkConfiguration } from '../../support/cni-calls.ts';
import type { CniReply } from '../../support/cni-calls.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeHost, podAttachment } from '../../support/fake-host.ts';

const WEB = { containerId: 'c1', pod: 'web-0' };
const NAME = hostInterfaceName(podAttachment(WEB).workload);

interface Result {
  readonly interfaces: readonly Readonly<Record<string, unknown>>[];
  readonly ips: readonly object[];
}

let host: FakeHost;
let runs: (command: string, fields: object) => Promise<CniReply>;
let added: Result;

beforeEach(async () => {
  host = new FakeHost(['/var/run/netns/c1', '/var/run/netns/c2']);
  const verbs = new CniVerbs({
    ...{ pods: host.ports(), clock: new FakeClock(), log: silentLogger },
    requireWritable: () => undefined,
    requireKnowledge: () => undefined,
    requireReady: () => Promise.resolve(),
  });
  runs = (command, fields) =>
    call(verbs.answer.bind(verbs), command, {
      sandbox: WEB,
      config: networkConfiguration({ ipam: { assign_ipv6: true }, ...fields }),
    });
  added = (await runs('ADD', {})).said as unknown as Result;
});

const check = (prevResult: unknown = added): Promise<CniReply> => runs('CHECK', { prevResult });

const differences = async (prevResult?: unknown): Promise<readonly string[]> => {
  const { said } = await check(prevResult);
  return typeof said?.['details'] === 'string' ? said['details'].split('\n') : [];
};

const altered = (
  change: (sight: {
    host: NonNullable<WorkloadSight['host']>;
    pod: NonNullable<WorkloadSight['pod']>;
  }) => Partial<WorkloadSight>,
): void => {
  host.alter = (sight) => ({ ...sight, ...change({ host: sight.host!, pod: sight.pod! }) });
};

test('right after ADD all is as ADD said', async () => {
  expect(await check()).toEqual({ code: 0, said: undefined });
});

test('what a later plugin of the chain added is not judged', async () => {
  const more = {
    ...added,
    interfaces: [...added.interfaces, { name: 'ifb0', mac: '0a:00:00:00:00:09' }],
    ips: [...added.ips, { address: '10.99.0.1/24', interface: 2 }],
    routes: [{ dst: '10.99.0.0/16', gw: '10.99.0.254' }],
  };
  expect(await check(more)).toEqual({ code: 0, said: undefined });
});

test.each<[string, Parameters<typeof altered>[0], readonly string[]]>([
  [
    'another MAC',
    ({ pod }) => ({ pod: { ...pod, mac: '0a:00:00:00:00:02' } }),
    ['the MAC address of eth0 is 0a:00:00:00:00:02, not 0a:00:00:00:00:01'],
  ],
  ['another MTU', ({ pod }) => ({ pod: { ...pod, mtu: 1500 } }), ['the MTU of eth0 is 1500, not 1440']],
  [
    'down',
    ({ pod, host: side }) => ({ pod: { ...pod, up: false }, host: { ...side, up: false } }),
    ['eth0 is down', `${NAME} is down`],
  ],
  [
    'an address less',
    ({ pod }) => ({ pod: { ...pod, addresses: pod.addresses.slice(1) } }),
    ['eth0 does not have the address 192.168.0.1/32'],
  ],
  [
    'no routes',
    ({ pod }) => ({ pod: { ...pod, routes: [] } }),
    [
      'the pod has no route 0.0.0.0/0 via 169.254.1.1',
      'the pod has no route ::/0 via fe80::ecee:eeff:feee:eeee',
      'the pod has no route to its gateway 169.254.1.1',
    ],
  ],
  [
    'another gateway',
    ({ pod }) => ({
      pod: {
        ...pod,
        routes: pod.routes.map((route) =>
          route.gateway?.family === 4 ? { ...route, gateway: parseIpAddress('10.0.0.1') } : route,
        ),
      },
    }),
    ['the pod has no route 0.0.0.0/0 via 169.254.1.1'],
  ],
  [
    'no proxy ARP',
    ({ host: side }) => ({ host: { ...side, hasProxyArp: false } }),
    [`${NAME} does not answer for the gateway 169.254.1.1: proxy_arp is off`],
  ],
  [
    'no link-local address',
    ({ host: side }) => ({ host: { ...side, hasLinkLocal: false } }),
    [`${NAME} does not have the gateway's address fe80::ecee:eeff:feee:eeee`],
  ],
  [
    'another pair',
    ({ host: side }) => ({ host: { ...side, isPaired: false, mac: '0a:00:00:00:00:03' } }),
    [`${NAME} is not the other end of eth0`, `the MAC address of ${NAME} is 0a:00:00:00:00:03, not ee:ee:ee:ee:ee:ee`],
  ],
  [
    'no host routes',
    () => ({ reached: [] }),
    [`the host does not route 192.168.0.1/32 to ${NAME}`, `the host does not route fd00::1/128 to ${NAME}`],
  ],
])('%s', async (_, change, expected) => {
  altered(change);
  expect(await differences()).toEqual(expected);
});

test('a pod without its interface, and the first difference of several in one sentence', async () => {
  host.alter = () => ({ reached: [] });
  const { code, said } = await check();
  expect([code, said?.['msg']]).toEqual([113, 'the pod has no interface eth0 (and 1 more)']);
  expect(await differences()).toContain(`the host has no interface ${NAME}`);
});

test('IPAM, the endpoint, and what ADD is said to have said', async () => {
  const address = parseIpAddress('192.168.0.9');
  const endpoint = { ...podAttachment(WEB), containerInterface: 'eth0', hostInterface: NAME, mac: '' };
  host.forgetHandle('k8s-pod-network.c1');
  host.givenEndpoint({ ...endpoint, addresses: [address] });
  expect(await differences()).toEqual([
    'the WorkloadEndpoint of pod default/web-0 does not have 192.168.0.1',
    'the WorkloadEndpoint of pod default/web-0 does not have fd00::1',
    'IPAM does not hold 192.168.0.1 for k8s-pod-network.c1',
    'IPAM does not hold fd00::1 for k8s-pod-network.c1',
  ]);
  expect(await differences({ ...added, interfaces: [] })).toEqual(
    expect.arrayContaining([
      'prevResult has no interface eth0 in a sandbox',
      `prevResult does not have the host's interface ${NAME}`,
    ]),
  );
});

test('another sandbox has taken the pod’s name', async () => {
  const endpoint = {
    ...podAttachment({ ...WEB, containerId: 'c2' }),
    containerInterface: 'eth0',
    hostInterface: NAME,
    mac: '',
  };
  host.givenEndpoint({ ...endpoint, addresses: [] });
  expect(await differences()).toContain('the WorkloadEndpoint of pod default/web-0 is of container c2');
});

test('a container that nobody knows, and a call without a previous result', async () => {
  expect(await runs('CHECK', {})).toMatchObject({ code: 7, said: { msg: 'prevResult is missing: CHECK needs it' } });
  await runs('DEL', {});
  expect(await check()).toMatchObject({
    code: 3,
    said: { msg: "CNI_CONTAINERID = 'c1': has no interface eth0 in network k8s-pod-network" },
  });
});
