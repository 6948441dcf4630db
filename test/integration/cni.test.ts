import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SUPPORTED_VERSIONS } from '../../src/cni/versions.ts';
import { makeAgentLab, until, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import type { CniReply, Sandbox } from '../support/cni-calls.ts';
import { callSocket } from '../support/cni-socket.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const SIX = `apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: six}
spec: {cidr: 'fd10::/48', vxlanMode: Always}
`;
const DUAL = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };

interface Result {
  readonly interfaces: readonly Readonly<Record<string, unknown>>[];
  readonly ips: readonly { readonly address: string }[];
}

const detailsOf = ({ said }: CniReply): readonly string[] => {
  const details = said?.['details'];
  return typeof details === 'string' ? details.split('\n') : [];
};

/** A runtime on each of two nodes of both families; namespaces are made as it makes them, calls go over the agent's socket. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('a CNI runtime and two agents', () => {
  let lab: AgentLab;
  const pods: TestNetns[] = [];

  const runtime =
    (node: LabNode) =>
    (command: string, sandbox?: Sandbox, fields?: object): Promise<CniReply> =>
      callSocket(`${node.environment['CALICO_RUN_DIR']!}/calico-ts.sock`, command, {
        ...(sandbox && { sandbox }),
        ...(fields && { fields }),
      });
  const sandbox = (name: string, pod: string | undefined = name): Sandbox => {
    const netns = makeNetns(`ctcni-${name}`);
    pods.push(netns);
    return { containerId: name, netns: netns.path, ...(pod !== '' && { pod }) };
  };
  const added = async (node: LabNode, box: Sandbox, fields: object = DUAL): Promise<Result> => {
    const { code, said } = await runtime(node)('ADD', box, fields);
    expect(code, JSON.stringify(said)).toBe(0);
    return said as unknown as Result;
  };
  const addressesOf = ({ ips }: Result): readonly string[] => ips.map(({ address }) => address.split('/')[0]!);
  /** What of pods is on a node and in the datastore. */
  const left = async ({ netns }: LabNode): Promise<readonly string[]> => [
    ...netns
      .run('ip', '-br', 'link')
      .split('\n')
      .filter((line) => line.startsWith('cali')),
    ...netns
      .run('ip', 'route')
      .split('\n')
      .filter((line) => line.includes('dev cali')),
    ...netns
      .run('ip', '-6', 'route')
      .split('\n')
      .filter((line) => line.includes('dev cali')),
    ...(await lab.text(['get', 'workloadendpoints', '-A', '-o', 'name'])).split('\n').filter(Boolean),
  ];
  const [a, b] = [() => lab.nodes[0]!, () => lab.nodes[1]!];

  beforeAll(async () => {
    lab = makeAgentLab('ctcni', { environment: { IP6: 'autodetect' } });
    for (const [i, { netns }] of lab.nodes.entries()) {
      netns.run('ip', 'addr', 'add', `fd00:30::${11 + i}/64`, 'dev', 'eth0', 'nodad');
    }
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    await lab.cli(['apply'], SIX);
    for (const node of lab.nodes) {
      await until(async () => (await runtime(node)('STATUS', undefined, DUAL)).code === 0, node.log);
    }
  }, 60_000);
  afterEach(async () => {
    for (const node of lab.nodes) await runtime(node)('GC', undefined, { 'cni.dev/valid-attachments': [] });
    for (const pod of pods.splice(0)) pod.remove();
  });
  afterAll(() => lab.remove());

  test('pods of both families on two nodes reach each other; CHECK is content; DEL leaves nothing', async () => {
    const [one, two] = [sandbox('one'), sandbox('two')];
    const results = [await added(a(), one), await added(b(), two)];
    for (const address of addressesOf(results[1]!)) {
      await until(
        () => Promise.resolve(pods[0]!.run('ping', '-c', '1', '-W', '1', address).includes(' 0% packet loss')),
        () => `${address}: ${a().netns.run('ip', 'route')}${a().netns.run('ip', '-6', 'route')}`,
      );
    }
    expect(addressesOf(results[0]!).map((address) => address.includes(':'))).toEqual([false, true]);
    expect(await added(a(), one)).toEqual(results[0]);
    expect(await runtime(a())('CHECK', one, { ...DUAL, prevResult: results[0] })).toEqual({ code: 0, said: undefined });
    for (const [node, box] of [
      [a(), one],
      [b(), two],
      [a(), one],
    ] as const) {
      expect(await runtime(node)('DEL', { ...box, netns: '' })).toEqual({ code: 0, said: undefined });
    }
    expect([...(await left(a())), ...(await left(b()))]).toEqual([]);
  });

  test.each(SUPPORTED_VERSIONS)('%s: ADD says what is there, DEL takes it away', async (cniVersion) => {
    const box = sandbox('versions');
    const result = await added(a(), box, { cniVersion, mtu: 1300, container_settings: { allow_ip_forwarding: true } });
    const [link] = JSON.parse(pods[0]!.run('ip', '-j', 'addr', 'show', 'eth0')) as [Record<string, unknown>];
    expect(result).toMatchObject({
      cniVersion,
      interfaces: [{ mac: 'ee:ee:ee:ee:ee:ee' }, { name: 'eth0', mac: link['address'], sandbox: box.netns }],
      ips: [{ interface: 1, ...(cniVersion < '1' && { version: '4' }) }],
      routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
    });
    expect(link).toMatchObject({ mtu: 1300 });
    expect((link['addr_info'] as object[])[0]).toMatchObject({ local: addressesOf(result)[0], prefixlen: 32 });
    expect(pods[0]!.run('sysctl', '-n', 'net.ipv4.ip_forward').trim()).toBe('1');
    expect(await runtime(a())('DEL', box, { cniVersion })).toEqual({ code: 0, said: undefined });
    expect(await left(a())).toEqual([]);
  });

  test('CHECK names what others undid', async () => {
    const box = sandbox('checked');
    const prevResult = await added(a(), box);
    const name = String(prevResult.interfaces[0]!['name']);
    const differences = async (): Promise<readonly string[]> =>
      detailsOf(await runtime(a())('CHECK', box, { ...DUAL, prevResult }));
    const [four] = addressesOf(prevResult);
    // Inside the pod: what is the host's felix puts right, as soon as it knows the pod.
    pods[0]!.run('ip', 'route', 'del', 'default');
    pods[0]!.run('ip', 'link', 'set', 'eth0', 'mtu', '1280');
    expect(await differences()).toEqual([
      expect.stringMatching(/^the MTU of eth0 is 1280, not \d+$/) as string,
      'the pod has no route 0.0.0.0/0 via 169.254.1.1',
    ]);
    pods[0]!.run('ip', 'addr', 'del', `${four}/32`, 'dev', 'eth0');
    expect(await differences()).toContain(`eth0 does not have the address ${four}/32`);
    a().netns.run('ip', 'link', 'del', name);
    expect(await differences()).toEqual(
      expect.arrayContaining(['the pod has no interface eth0', `the host has no interface ${name}`]),
    );
  });

  test('addresses by annotation and by the runtime’s ips; one that is taken is refused with who has it', async () => {
    const annotations = { 'cni.projectcalico.org/ipAddrs': '["10.48.9.9","fd10::99"]' };
    const runtimeConfig = { 'io.kubernetes.cri.pod-annotations': annotations };
    expect(addressesOf(await added(a(), sandbox('first'), { runtimeConfig }))).toEqual(['10.48.9.9', 'fd10::99']);
    expect(addressesOf(await added(b(), sandbox('second'), { runtimeConfig: { ips: ['10.48.9.10/16'] } }))).toEqual([
      '10.48.9.10',
    ]);
    const refused = await runtime(b())('ADD', sandbox('third'), { runtimeConfig: { ips: ['10.48.9.9'] } });
    expect(refused).toMatchObject({
      code: 111,
      said: { msg: expect.stringMatching(/^address 10\.48\.9\.9 is taken: handle 'k8s-pod-network\.first'/) as string },
    });
  });

  test('a container without a pod; GC leaves what is valid, and takes the rest and a stray interface', async () => {
    const boxes = [sandbox('0123456789abcdef', ''), sandbox('gone'), sandbox('valid')];
    for (const box of boxes) await added(a(), box);
    expect(await left(a())).toContain('workloadendpoint.projectcalico.org/node--a-cni-0123456789abcdef-eth0');
    a().netns.run('ip', 'link', 'add', 'calideadbeef012', 'type', 'veth', 'peer', 'name', 'stray');
    const valid = [{ containerID: 'valid', ifname: 'eth0' }];
    expect(await runtime(a())('GC', undefined, { 'cni.dev/valid-attachments': valid })).toEqual({
      ...{ code: 0, said: undefined },
    });
    const what = await left(a());
    expect(what.filter((text) => text.startsWith('workloadendpoint'))).toEqual([
      'workloadendpoint.projectcalico.org/node--a-k8s-valid-eth0',
    ]);
    expect(what.filter((text) => text.includes('@') || text.includes('beef'))).toHaveLength(1);
  });
});
