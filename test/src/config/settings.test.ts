import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../../src/config/settings.ts';
import { variables } from '../../../src/config/variables.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress } from '../../../src/model/ip.ts';

const load = (env: Readonly<Record<string, string>>): ReturnType<typeof loadSettings> =>
  loadSettings({ DATASTORE_TYPE: 'file', ...env });

describe('defaults', () => {
  test('are what the table of variables says that they are', () => {
    const written = Object.values(variables).flatMap(([name, , whenUnset]) =>
      whenUnset === undefined ? [] : [[name, whenUnset] as const],
    );
    expect(written.length).toBeGreaterThan(20);
    const { told, ...settings } = load(Object.fromEntries(written));
    expect(Object.keys(told)).toEqual(written.map(([name]) => name));
    // A host and a port of probes that nobody asked for are nothing; with them on they are told.
    expect(settings).toEqual({ ...load({}), told: undefined });
    const on = { FELIX_HEALTHENABLED: 'true' };
    expect(load({ ...Object.fromEntries(written), ...on }).health).toEqual(load(on).health);
  });

  test("are Calico's", () => {
    expect(load({})).toMatchObject({
      ip: { kind: 'keep' },
      ipDetection: { kind: 'first-found' },
      defaultPool: { ipipMode: 'Never', vxlanMode: 'Never', blockSize: 26, nodeSelector: 'all()', natOutgoing: true },
      runDirectory: '/var/run/calico',
      socketMode: 0o660,
      installCni: false,
      bgp: { holdSeconds: 240 },
      felix: {
        ...{ resyncSeconds: 90, vxlanVni: 4096, vxlanPort: 4789, adoptCalicoRoutes: false },
        nat: { exclusions: 'IPPoolsOnly' },
      },
    });
    expect(load({ FELIX_ADOPTCALICOROUTES: 'true' }).felix.adoptCalicoRoutes).toBe(true);
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

  test.each([
    [{}, { kind: 'keep' }],
    [{ IP: '', IP6: '' }, { kind: 'keep' }],
    [{ IP: 'none', IP6: 'none' }, { kind: 'none' }],
    [{ IP: 'autodetect', IP6: 'autodetect' }, { kind: 'autodetect' }],
  ])('%j means the same for both families', (env, setting) => {
    const { ip, ip6 } = load(env);
    expect({ ip, ip6 }).toEqual({ ip: setting, ip6: setting });
  });

  test('an address of the node may bring the length of its subnet', () => {
    const { ip, ip6 } = load({ IP: '10.0.0.1', IP6: 'fd00::1/64' });
    expect(ip).toEqual({ kind: 'address', address: parseInterfaceAddress('10.0.0.1'), hasLength: false });
    expect(ip6).toEqual({ kind: 'address', address: parseInterfaceAddress('fd00::1/64'), hasLength: true });
  });

  test("variables of Calico's that concern others are passed over", () => {
    expect(() =>
      load({ CALICO_IPV6POOL_VXLAN: 'Never', FELIX_IPV6SUPPORT: 'false', CLUSTER_TYPE: 'k8s,bgp' }),
    ).not.toThrow();
  });

  // The calico-node and Felix references; the last ones are Kubernetes', etcd's and the shell's.
  test.each([
    ...['CALICO_IPV6POOL_CIDR', 'CALICO_IPV6POOL_BLOCK_SIZE'],
    ...['CALICO_IPV6POOL_NAT_OUTGOING', 'CALICO_IPV6POOL_NODE_SELECTOR', 'CALICO_IPV6POOL_DISABLE_BGP_EXPORT'],
    ...['FELIX_WIREGUARDMTU', 'FELIX_HEALTHTIMEOUTOVERRIDES', 'FELIX_IPINIPENABLED', 'FELIX_VXLANENABLED'],
    ...['FELIX_DATASTORETYPE', 'FELIX_ETCDENDPOINTS', 'FELIX_LOGSEVERITYFILE', 'FELIX_USAGEREPORTINGENABLED'],
    ...['FELIX_DEFAULTENDPOINTTOHOSTACTION', 'FELIX_TYPHAADDR', 'FELIX_XDPREFRESHINTERVAL', 'FELIX_MTUIFACEPATTERN'],
    ...['FELIX_IPSETSREFRESHINTERVAL', 'FELIX_IPTABLESREFRESHINTERVAL', 'FELIX_DEVICEROUTEPROTOCOL'],
    ...['ETCD_SCHEME', 'ETCD_AUTHORITY', 'CALICO_ETCD_SCHEME', 'CALICO_NETWORKING_BACKEND', 'CALICO_MANAGE_CNI'],
    ...['CALICO_STARTUP_LOGLEVEL', 'CALICO_DISABLE_FILE_LOGGING', 'CALICO_K8S_NODE_REF', 'CALICO_ADVERTISE_NS'],
    ...['CALICO_UNKNOWN_NODE_LABEL', 'DISABLE_NODE_IP_CHECK', 'SKIP_IP_AUTODETECTION', 'CALICO_EARLY_NETWORKING'],
    ...['NODE_NAME', 'KUBERNETES_NODE_NAME', 'KUBECONFIG', 'ETCD_NAME', 'ETCD_DATA_DIR', 'ETCDCTL_ENDPOINTS'],
    ...[
      'ETCDCTL_KEY',
      'ETCDCTL_CERT',
      'ETCD_TRUSTED_CA_FILE',
      'ETCD_PORT',
      'CALICO_ETCD_PORT',
      'HOSTTYPE',
      'HOST_NAME',
      'PS1',
      'A',
      'AS2',
    ],
  ])('%s among them', (name) => {
    expect(() => load({ [name]: 'x' })).not.toThrow();
  });
});

describe('what is wrong is one sentence with name and value', () => {
  test.each([
    [{ NODENAME: 'Node_1' }, "NODENAME = 'Node_1': is not a lower-case DNS name"],
    [{ IP: '10.0.0.300' }, "IP = '10.0.0.300': is not an IP address"],
    [{ IP: 'fd00::1' }, "IP = 'fd00::1': is not an IPv4 address"],
    [{ IP6: '10.0.0.1/24' }, "IP6 = '10.0.0.1/24': is not an IPv6 address"],
    [{ IP6: 'auto' }, "IP6 = 'auto': is not an IP address"],
    [{ IP6_AUTODETECTION_METHOD: 'cidr=10.0.0.0/8' }, "IP6_AUTODETECTION_METHOD = '10.0.0.0/8': has no IPv6 network"],
    [{ IP_AUTODETECTION_METHOD: 'cidr=fd00::/8' }, "IP_AUTODETECTION_METHOD = 'fd00::/8': has no IPv4 network"],
    [
      { IP6_AUTODETECTON_METHOD: 'first-found' },
      'IP6_AUTODETECTON_METHOD is not a setting; did you mean IP6_AUTODETECTION_METHOD?',
    ],
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
    [{ IP: '300.1.1.1' }, /^IP = '300\.1\.1\.1': is not an IP address$/],
    [{ CALICO_IPV4POOL_NODE_SELECTOR: 'rack ==' }, "CALICO_IPV4POOL_NODE_SELECTOR = 'rack =='"],
    [
      { CALICO_IPV4POOL_CIDR: '10.0.0.0/27' },
      "CALICO_IPV4POOL_CIDR = '10.0.0.0/27' and CALICO_IPV4POOL_BLOCK_SIZE = '26': the pool is smaller than one block",
    ],
    [
      { CALICO_IPV4POOL_CIDR: '10.0.0.0/24', CALICO_IPV4POOL_BLOCK_SIZE: '23' },
      "CALICO_IPV4POOL_CIDR = '10.0.0.0/24' and CALICO_IPV4POOL_BLOCK_SIZE = '23': the pool is smaller than one block",
    ],
    [{ FELIX_IPINIPMTU: '67' }, "FELIX_IPINIPMTU = '67': is not 0 or a whole number from 68 to 65535"],
    [{ FELIX_VXLANMTU: '65536' }, "FELIX_VXLANMTU = '65536': is not 0 or a whole number from 68 to 65535"],
    [{ FELIX_NATPORTRANGE: '0:9' }, "FELIX_NATPORTRANGE = '0:9': is no range of ports from 1 to 65535"],
    [{ FELIX_NATPORTRANGE: '9:8' }, "FELIX_NATPORTRANGE = '9:8': is no range of ports"],
    [{ FELIX_NATPORTRANGE: '1-9' }, "FELIX_NATPORTRANGE = '1-9': is no range of ports"],
    [{ FELIX_NATPORTRANGE: '1:65536' }, "FELIX_NATPORTRANGE = '1:65536': is no range of ports"],
    [{ FELIX_NATOUTGOINGADDRESS: 'fd00::1' }, "FELIX_NATOUTGOINGADDRESS = 'fd00::1': is not an IPv4 address"],
    [
      { FELIX_NATOUTGOINGEXCLUSIONS: 'Nodes' },
      "FELIX_NATOUTGOINGEXCLUSIONS = 'Nodes': is none of IPPoolsOnly, IPPoolsAndHostIPs",
    ],
    [{ CALICO_RUN_DIR: 'run' }, "CALICO_RUN_DIR = 'run': is not an absolute path"],
    [{ CALICO_BGP_PASSWORDS: 'secrets' }, "CALICO_BGP_PASSWORDS = 'secrets': is not an absolute path"],
    [
      { CALICO_RUN_DIR: `/${'é'.repeat(47)}` },
      'is too long: calico-ts.sock in it would have a path of 110 octets, a unix socket has 107 at most',
    ],
  ])('%j', (env, sentence) => {
    expect(() => load(env as Readonly<Record<string, string>>)).toThrow(sentence);
  });

  test.each([
    ['', true],
    ['yes', true],
    ['false', false],
    ['N', false],
  ])('CALICO_IPV4POOL_NAT_OUTGOING=%s: %s', (text, expected) => {
    expect(load({ CALICO_IPV4POOL_NAT_OUTGOING: text }).defaultPool!.natOutgoing).toBe(expected);
  });

  test('what just fits is taken', () => {
    expect(load({ CALICO_RUN_DIR: `/${'x'.repeat(91)}` }).runDirectory).toHaveLength(92);
    expect(load({ CALICO_RUN_DIR: '' }).runDirectory).toBe('/var/run/calico');
    expect(load({ CALICO_IPV4POOL_CIDR: '10.0.0.0/26' }).defaultPool!.blockSize).toBe(26);
    expect(load({ FELIX_IPINIPMTU: '68', FELIX_VXLANMTU: '0' }).felix).toMatchObject({ ipipMtu: 68, vxlanMtu: 0 });
    const nat = { FELIX_NATPORTRANGE: '1:65535', FELIX_NATOUTGOINGEXCLUSIONS: 'ippoolsandhostips' };
    expect(load({ ...nat, FELIX_NATOUTGOINGADDRESS: '203.0.113.5' }).felix.nat).toEqual({
      exclusions: 'IPPoolsAndHostIPs',
      portRange: { from: 1, to: 65_535 },
      address: parseIpAddress('203.0.113.5'),
    });
    expect(load({ FELIX_NATPORTRANGE: '4000' }).felix.nat.portRange).toEqual({ from: 4000, to: 4000 });
    expect(load({ FELIX_NATPORTRANGE: '', FELIX_NATOUTGOINGADDRESS: '' }).felix.nat).toEqual({
      exclusions: 'IPPoolsOnly',
    });
  });

  test.each([
    ['ETCD_ENDPOINT', 'ETCD_ENDPOINTS'],
    ['CALICO_ETCD_ENDPOINT', 'CALICO_ETCD_ENDPOINTS'],
    ['DATASTORE_TYP', 'DATASTORE_TYPE'],
    ['CALICO_FILE_DATASTOR', 'CALICO_FILE_DATASTORE'],
    ['CALCIO_FILE_DATASTORE', 'CALICO_FILE_DATASTORE'],
    ['WAIT_FOR_DATASTOR', 'WAIT_FOR_DATASTORE'],
    ['ETCD_CA_CERT_FIL', 'ETCD_CA_CERT_FILE'],
    ['ETCD_USER_NAME', 'ETCD_USERNAME'],
    ['ETCD_PASWORD', 'ETCD_PASSWORD'],
    ['FELIX_IPINIPMTUU', 'FELIX_IPINIPMTU'],
    ['FELIX_ROUTE_REFRESHINTERVAL', 'FELIX_ROUTEREFRESHINTERVAL'],
    ['IP_AUTODETECTION_METHODS', 'IP_AUTODETECTION_METHOD'],
    ['NO_DEFAULT_POOL', 'NO_DEFAULT_POOLS'],
    ['NODENAMES', 'NODENAME'],
  ])('%s is taken for a slip of %s, and its value is not told', (name, meant) => {
    expect(() => load({ [name]: 'secret' })).toThrow(
      expect.objectContaining({ message: `${name} is not a setting; did you mean ${meant}?` }) as Error,
    );
  });

  test('and all of it is told at once', () => {
    expect(() => load({ AS: 'x', IP: 'y' })).toThrow(/IP = 'y'[^]*AS = 'x'|AS = 'x'[^]*IP = 'y'/);
  });
});
