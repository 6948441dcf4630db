import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../../src/config/settings.ts';
import { formatPrefix } from '../../../src/model/ip.ts';

const load = (env: Readonly<Record<string, string>>): ReturnType<typeof loadSettings> =>
  loadSettings({ DATASTORE_TYPE: 'file', ...env });

describe('defaults', () => {
  test("are Calico's", () => {
    expect(load({})).toMatchObject({
      ip: { kind: 'keep' },
      ipDetection: { kind: 'first-found' },
      defaultPool: { ipipMode: 'Never', vxlanMode: 'Never', blockSize: 26, nodeSelector: 'all()' },
      runDirectory: '/var/run/calico',
      socketMode: 0o660,
      bgp: { holdSeconds: 240 },
      felix: { resyncSeconds: 90, vxlanVni: 4096, vxlanPort: 4789 },
    });
  });

  test('the production line of the README is understood', () => {
    const settings = load({
      NODENAME: 'node-a1',
      IP: 'autodetect',
      AS: '64513',
      CALICO_IPV4POOL_CIDR: '192.168.0.0/16',
      CALICO_IPV4POOL_IPIP: 'CrossSubnet',
      CALICO_SOCKET_MODE: '0666',
    });
    expect(settings).toMatchObject({ nodeName: 'node-a1', asn: 64513, socketMode: 0o666, ip: { kind: 'autodetect' } });
    expect(formatPrefix(settings.defaultPool!.cidr!)).toBe('192.168.0.0/16');
    expect(settings.defaultPool!.ipipMode).toBe('CrossSubnet');
  });

  test("variables of Calico's that concern others are passed over", () => {
    expect(() =>
      load({ CALICO_IPV6POOL_VXLAN: 'Never', FELIX_IPV6SUPPORT: 'false', CLUSTER_TYPE: 'k8s,bgp', IP6: 'none' }),
    ).not.toThrow();
  });
});

describe('what is wrong is one sentence with name and value', () => {
  test.each([
    [{ NODENAME: 'Node_1' }, "NODENAME = 'Node_1': is not a lower-case DNS name"],
    [{ IP: '10.0.0.300' }, "IP = '10.0.0.300': is not an IP address"],
    [{ IP: 'fd00::1' }, "IP = 'fd00::1': is not an IPv4 address"],
    [{ AS: '0' }, "AS = '0': is not an AS number between 1 and 4294967295"],
    [{ AS: '4294967296' }, "AS = '4294967296': is not an AS number"],
    [{ CALICO_IPV4POOL_CIDR: '192.168.0.1/16' }, 'has host bits set; the network is 192.168.0.0/16'],
    [{ CALICO_IPV4POOL_CIDR: 'fd00::/64' }, "CALICO_IPV4POOL_CIDR = 'fd00::/64': is not an IPv4 network"],
    [
      { CALICO_IPV4POOL_IPIP: 'sometimes' },
      "CALICO_IPV4POOL_IPIP = 'sometimes': is none of Always, CrossSubnet, Never",
    ],
    [
      { CALICO_IPV4POOL_IPIP: 'Always', CALICO_IPV4POOL_VXLAN: 'CrossSubnet' },
      'a pool is encapsulated by one of them only',
    ],
    [{ CALICO_IPV4POOL_BLOCK_SIZE: '19' }, "CALICO_IPV4POOL_BLOCK_SIZE = '19': is not a whole number from 20 to 32"],
    [{ CALICO_IPV4POOL_NAT_OUTGOING: 'true' }, "CALICO_IPV4POOL_NAT_OUTGOING = 'true': is not supported yet"],
    [
      { NO_DEFAULT_POOLS: 'true', CALICO_IPV4POOL_CIDR: '10.0.0.0/16' },
      'NO_DEFAULT_POOLS and CALICO_IPV4POOL_CIDR are both set',
    ],
    [{ CALICO_ROUTER_ID: '0.0.0.0' }, "CALICO_ROUTER_ID = '0.0.0.0': is not a BGP Identifier"],
    [{ CALICO_BGP_HOLD_TIME: '2' }, "CALICO_BGP_HOLD_TIME = '2': is below three seconds"],
    [{ CALICO_SOCKET_MODE: '888' }, "CALICO_SOCKET_MODE = '888': is not a file mode in octal"],
    [{ CALICO_LOG_LEVEL: 'loud' }, "CALICO_LOG_LEVEL = 'loud': is none of trace, debug"],
    [{ DATASTORE_TYPE: 'sqlite' }, "DATASTORE_TYPE = 'sqlite'"],
    [
      { CALICO_IPV4POOL_CDIR: '10.0.0.0/16' },
      'CALICO_IPV4POOL_CDIR is not a setting; did you mean CALICO_IPV4POOL_CIDR?',
    ],
  ])('%j', (env, sentence) => {
    expect(() => load(env as Readonly<Record<string, string>>)).toThrow(sentence);
  });

  test('and all of it is told at once', () => {
    expect(() => load({ AS: 'x', IP: 'y' })).toThrow(/IP = 'y'[^]*AS = 'x'|AS = 'x'[^]*IP = 'y'/);
  });
});
