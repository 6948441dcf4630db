import { describe, expect, test } from 'vitest';
import { addressWish, workloadOf } from '../../../src/cni/attachment.ts';
import { CniError } from '../../../src/cni/errors.ts';
import {
  decodeConfig,
  ignoredKeys,
  readConfig,
  readNetwork,
  readValidAttachments,
} from '../../../src/cni/network-config.ts';
import type { NetworkConfig } from '../../../src/cni/network-config.ts';
import { parseIpAddress } from '../../../src/model/ip.ts';

const read = (fields: object = {}): NetworkConfig =>
  readConfig({ cniVersion: '1.0.0', name: 'k8s-pod-network', type: 'calico', ...fields }, 'node-a1');

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CniError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('what comes on stdin', () => {
  test.each([
    ['', '6 the network configuration on stdin is empty'],
    ['[]', '6 the network configuration on stdin is not a JSON object'],
    ['null', '6 the network configuration on stdin is not a JSON object'],
    ['{"a":', '6 the network configuration on stdin is not JSON: Unexpected end of JSON input'],
  ])('%j', (text, expected) => {
    expect(refusal(() => decodeConfig(Buffer.from(text)))).toBe(expected);
  });
});

describe('the keys', () => {
  test("Calico's conflist: its own ways to the datastore and to policy are ignored, keys of nobody's too", () => {
    const config = read({
      log_level: 'info',
      datastore_type: 'kubernetes',
      nodename: 'node-a1',
      mtu: 1440,
      ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'false' },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
      somebodys: 1,
    });
    expect(config.mtu).toBe(1440);
    expect(config.ipam).toMatchObject({ assign_ipv4: true, assign_ipv6: false });
    expect(ignoredKeys(config)).toEqual(['log_level', 'datastore_type', 'policy', 'kubernetes']);
  });

  test('without more: IPv4 alone, no forwarding in the pod, the MTU of the host', () => {
    expect(read()).toMatchObject({
      mtu: 0,
      ipam: { assign_ipv4: true, assign_ipv6: false },
      container_settings: { allow_ip_forwarding: false },
    });
  });

  test.each([
    [{ name: undefined }, '7 name is missing'],
    [{ name: 'a/b' }, "7 name = 'a/b': must begin with a letter or digit and have only these, '_', '.' and '-'"],
    [{ mtu: '1440' }, "7 mtu = '1440': is not a whole number"],
    [{ mtu: 70_000 }, "7 mtu = '70000': is more than 65535"],
    [{ nodename: 'b' }, "7 nodename = 'b': this node is node-a1"],
    [{ ipam: { assign_ipv4: 'yes' } }, "7 ipam.assign_ipv4 = 'yes': is neither 'true' nor 'false'"],
    [
      { ipam: { assign_ipv4: 'false' } },
      "7 ipam.assign_ipv4 = 'false': and without assign_ipv6 a pod would have no address",
    ],
    [{ ipam: { ipv4_pools: 'p' } }, "7 ipam.ipv4_pools = 'p': is not a list of names or CIDRs of IP pools"],
    [
      { ipam: { type: 'host-local' } },
      "2 ipam.type = 'host-local': is not supported; addresses come from the IP pools: calico-ipam",
    ],
    [{ ipam: { subnet: 'usePodCidr' } }, /^2 ipam.subnet = 'usePodCidr': is not supported/],
    [{ runtimeConfig: { mac: '0a:00:00:00:00:01' } }, /^2 runtimeConfig.mac = '0a:00:00:00:00:01': is not supported/],
    [{ container_settings: { allow_ip_forwarding: 1 } }, /^7 container_settings.allow_ip_forwarding = '1': is neither/],
  ])('%j', (fields, expected) => {
    expect(refusal(() => read(fields))).toEqual(
      typeof expected === 'string' ? expected : (expect.stringMatching(expected) as string),
    );
  });
});

describe('what GC and DEL need', () => {
  const valid = [{ containerID: 'c1', ifname: 'eth0' }];

  test('under either name; null is libcni’s empty list, and without any list nothing may go', () => {
    expect(readValidAttachments({ 'cni.dev/valid-attachments': valid })).toEqual(valid);
    expect(readValidAttachments({ 'cni.dev/attachments': valid })).toEqual(valid);
    expect(readValidAttachments({ 'cni.dev/valid-attachments': null })).toEqual([]);
    expect(refusal(() => readValidAttachments({}))).toBe('7 cni.dev/valid-attachments is missing');
    expect(refusal(() => readValidAttachments({ 'cni.dev/valid-attachments': [{ ifname: 'eth0' }] }))).toBe(
      '7 cni.dev/valid-attachments.0.containerID is missing',
    );
  });

  test('a DEL asks for the name alone, whatever else is wrong', () => {
    expect(readNetwork({ name: 'k8s-pod-network', mtu: 'x', nodename: 'other' })).toBe('k8s-pod-network');
    expect(refusal(() => readNetwork({}))).toBe('7 name is missing');
  });
});

describe('which addresses', () => {
  const annotated = (annotations: object): NetworkConfig =>
    read({
      ipam: { assign_ipv6: true, ipv4_pools: ['p4'], ipv6_pools: ['p6'] },
      runtimeConfig: { 'io.kubernetes.cri.pod-annotations': annotations, ips: ['10.0.0.2/24'] },
      args: { cni: { ips: ['10.0.0.3'] } },
    });
  const given = (by: string, ...texts: string[]) => ({
    kind: 'given',
    by,
    addresses: texts.map((text) => parseIpAddress(text)),
  });

  test('the annotation goes before the runtime’s ips, they before args, these before CNI_ARGS', () => {
    const asked = annotated({ 'cni.projectcalico.org/ipAddrs': '["fd00::1", "10.0.0.1"]' });
    expect(addressWish(asked, { ip: '10.0.0.4' })).toEqual(
      given('cni.projectcalico.org/ipAddrs', '10.0.0.1', 'fd00::1'),
    );
    expect(addressWish(annotated({}), {})).toEqual(given('runtimeConfig.ips', '10.0.0.2'));
    expect(addressWish(read({ args: { cni: { ips: ['10.0.0.3'] } } }), { ip: '10.0.0.4' })).toEqual(
      given('args.cni.ips', '10.0.0.3'),
    );
    expect(addressWish(read(), { ip: '10.0.0.4' })).toEqual(given('CNI_ARGS: IP', '10.0.0.4'));
  });

  test('pools of the annotation go before those of the configuration, family by family', () => {
    const config = read({
      ipam: { assign_ipv6: true, ipv4_pools: ['p4'], ipv6_pools: ['p6'] },
      runtimeConfig: { 'io.kubernetes.cri.pod-annotations': { 'cni.projectcalico.org/ipv4pools': '["10.1.0.0/16"]' } },
    });
    expect(addressWish(config, {})).toEqual({
      kind: 'assigned',
      families: [4, 6],
      pools: {
        4: { pools: ['10.1.0.0/16'], by: 'cni.projectcalico.org/ipv4pools' },
        6: { pools: ['p6'], by: 'ipam.ipv6_pools' },
      },
    });
  });

  test.each([
    [
      { 'cni.projectcalico.org/ipAddrs': '10.0.0.1' },
      /^7 cni.projectcalico.org\/ipAddrs = '10.0.0.1': is not a JSON list/,
    ],
    [{ 'cni.projectcalico.org/ipAddrs': '["10.0.0.1","10.0.0.2"]' }, /has more than one IPv4 address$/],
    [{ 'cni.projectcalico.org/ipAddrs': '["10.0.0"]' }, /^7 cni.projectcalico.org\/ipAddrs = '10.0.0'/],
    [
      { 'cni.projectcalico.org/hwAddr': '0a:00:00:00:00:01' },
      /^7 cni.projectcalico.org\/hwAddr = .*: is not supported$/,
    ],
    [{ 'cni.projectcalico.org/ipAddrsNoIpam': '["10.0.0.1"]' }, /is not supported$/],
  ])('%j', (annotations, expected) => {
    expect(refusal(() => addressWish(annotated(annotations), {}))).toMatch(expected);
  });

  test('a pod needs both its names; what has none is its container', () => {
    expect(workloadOf({ podName: 'web-0', podNamespace: 'default' }, 'c1')).toEqual({
      orchestrator: 'k8s',
      namespace: 'default',
      pod: 'web-0',
    });
    expect(workloadOf({ podName: 'web-0' }, 'c1')).toEqual({ orchestrator: 'cni', containerId: 'c1' });
  });
});
