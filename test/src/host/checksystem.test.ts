import { describe, expect, test } from 'vitest';
import { checkSystem } from '../../../src/host/checksystem.ts';
import type { FeatureReport, SystemQuestion } from '../../../src/host/checksystem.ts';
import { isAtLeast } from '../../../src/host/kernel-features.ts';
import { FakeShell } from '../../support/cli.ts';
import { readerOf } from '../../support/host-reader.ts';

const RELEASE = '6.1.0-18-amd64';
const LIB = `/lib/modules/${RELEASE}`;
const base = { '/proc/sys/kernel/osrelease': `${RELEASE}\n` };
const debian = {
  ...base,
  '/proc/modules': 'veth 45056 0 - Live 0x0\nnf_tables 372736 1 nft_chain_nat, Live 0x0\n',
  [`${LIB}/modules.builtin`]: 'kernel/net/ipv6/ipv6.ko\n',
  [`${LIB}/modules.dep`]: [
    ...['ipv4/ipip.ko.xz: kernel/net/ipv4/ip_tunnel.ko', 'netfilter/nft_chain_nat.ko:', 'netfilter/nft_masq.ko.zst:'],
    ...['netfilter/nft-fib-inet.ko:', 'netfilter/nf_conntrack.ko:'],
  ]
    .map((line) => `kernel/net/${line}\n`)
    .join(''),
  '/boot/config-6.1.0-18-amd64': 'CONFIG_NET_NS=y\nCONFIG_VXLAN=m\n# CONFIG_TCP_MD5SIG is not set\n',
};

const of = (texts: Record<string, string>, name: string, question: SystemQuestion = { purposes: [] }): FeatureReport =>
  checkSystem(readerOf(texts), question).features.find((feature) => feature.name === name)!;

describe('a feature of the kernel', () => {
  test.each([
    ['veth', 'ok', 'loaded'],
    ['ipv6', 'ok', 'built in'],
    ['ipip', 'ok', 'loadable: modprobe ipip'],
    ['nft_masq', 'ok', 'loadable: modprobe nft_masq'],
    ['nft_fib_inet', 'ok', 'loadable: modprobe nft_fib_inet'],
    ['network namespaces', 'ok', 'CONFIG_NET_NS=y'],
    ['vxlan', 'missing', 'CONFIG_VXLAN=m, but it is not installed in /lib/modules'],
    ['TCP MD5 signatures', 'missing', 'CONFIG_TCP_MD5SIG is not set'],
    ['multipath routes', 'missing', 'CONFIG_IP_ROUTE_MULTIPATH is not set'],
  ])('%s: %s', (name, verdict, how) => {
    expect(of(debian, name)).toMatchObject({ verdict, how });
  });

  test('is not known where neither modules nor configuration can be read', () => {
    expect(of(base, 'ipip')).toMatchObject({ verdict: 'unknown' });
    expect(of(base, 'TCP MD5 signatures')).toMatchObject({ verdict: 'unknown' });
    expect(checkSystem(readerOf(base), { purposes: ['ipip'] }).meets).toBe(true);
  });

  test('is known by its directory where it is built in and nothing is listed', () => {
    expect(of({ ...base, '/sys/module/ipip/parameters/log_ecn_error': 'Y' }, 'ipip')).toMatchObject({
      how: 'built in',
    });
  });

  test('by the modules alone, where there is no configuration', () => {
    const texts = { ...debian, '/boot/config-6.1.0-18-amd64': '' };
    expect(of(texts, 'vxlan')).toMatchObject({ verdict: 'missing', how: 'no such module in /lib/modules' });
  });

  test('is required for the purpose that is asked for, and only then decides', () => {
    expect(checkSystem(readerOf(debian), { purposes: [] }).meets).toBe(true);
    expect(checkSystem(readerOf(debian), { purposes: ['ipip', 'nat'] }).meets).toBe(true);
    expect(checkSystem(readerOf(debian), { purposes: ['vxlan'] }).meets).toBe(false);
  });

  test('an old kernel lacks what everybody needs, one before 5.2 what NAT needs', () => {
    const old = {
      ...debian,
      '/proc/sys/kernel/osrelease': '4.9.0\n',
      '/proc/config.gz': 'CONFIG_NET_NS=y\nCONFIG_VETH=y\n',
    };
    expect(checkSystem(readerOf(old), { purposes: [] }).meets).toBe(false);
    const middle = { ...old, '/proc/sys/kernel/osrelease': '4.19.0-arm64\n' };
    expect(checkSystem(readerOf(middle), { purposes: [] }).meets).toBe(true);
    expect(checkSystem(readerOf(middle), { purposes: ['nat'] }).features[0]).toMatchObject({ verdict: 'missing' });
  });

  test('a configuration that was named and is none is an error', () => {
    const question = { purposes: [], configPath: '/tmp/config' };
    expect(() => checkSystem(readerOf(debian), question)).toThrow("--kernel-config = '/tmp/config': is not a kernel");
  });
});

test.each([
  ['6.1.0-18-amd64', true],
  ['5.2.0', true],
  ['5.1.99', false],
  ['10.0', true],
  ['4.20', false],
  ['strange', undefined],
])('is %s at least 5.2: %s', (release, expected) => {
  expect(isAtLeast(release, [5, 2])).toBe(expected);
});

describe('node checksystem', () => {
  test('OK, WARN, SKIP, a line each; exit code 0', async () => {
    const shell = new FakeShell();
    Object.assign(shell.hostTexts, debian);
    const { exitCode, stdout, stderr } = await shell.run('node', 'checksystem');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Kernel configuration: /boot/config-6.1.0-18-amd64\n');
    expect(stdout).toContain('  OK    ipip                   loadable: modprobe ipip\n');
    expect(stdout).toMatch(/ {2}WARN {2}vxlan .*not installed in \/lib\/modules; it is for vxlan\.calico/);
    expect(stdout).toMatch(/What is marked WARN is needed only for what its line names\.\n$/);
  });

  test('FAIL and exit code 1 where what was asked for is missing', async () => {
    const shell = new FakeShell();
    Object.assign(shell.hostTexts, debian);
    const { exitCode, stdout, stderr } = await shell.run('node', 'checksystem', '--for', 'vxlan', 'nat');
    expect([exitCode, stderr]).toEqual([1, "this system lacks what calico-ts needs; see 'FAIL' above\n"]);
    expect(stdout).toContain('  FAIL  vxlan ');
  });

  test('-o json is the report', async () => {
    const shell = new FakeShell();
    Object.assign(shell.hostTexts, debian);
    const { stdout } = await shell.run('node', 'checksystem', '-o', 'json');
    expect(JSON.parse(stdout)).toEqual(checkSystem(readerOf(debian), { purposes: [] }));
  });
});
