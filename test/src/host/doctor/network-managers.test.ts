import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../src/host/doctor/finding.ts';
import { checkNetworkManager } from '../../../../src/host/doctor/network-manager.ts';
import { checkNetworkd } from '../../../../src/host/doctor/networkd.ts';
import { ourLinks } from '../../../../src/host/doctor/our-links.ts';
import { pool } from '../../../support/dataplane-inputs.ts';
import { clusterFacts } from '../../../support/doctor-facts.ts';
import { readerOf } from '../../../support/host-reader.ts';

const hostLinks = [
  { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [] },
  { index: 7, name: 'tunl0', kind: 'ipip', mtu: 1480, up: true, addresses: [] },
  { index: 9, name: 'cali11111111111', kind: 'veth', mtu: 1480, up: true, addresses: [] },
];
const linksOf = (pools: readonly ReturnType<typeof pool>[]) =>
  ourLinks({ links: hostLinks, cluster: clusterFacts({ pools }) });
/** tunl0 and a pod are there, vxlan.calico will come. */
const links = linksOf([pool('10.48.0.0/16', { vxlan: 'Always' })]);
const ALL = "tunl0, vxlan.calico and pods' interfaces (cali…)";
const words = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, what }) => `${verdict}: ${what}`);

test('the tunnels that are asked after are those that are there and those of the pools', () => {
  const names = (found: ReturnType<typeof ourLinks>): readonly string[] => found.map(({ name }) => name);
  expect(names(links)).toEqual(['tunl0', 'vxlan.calico', 'cali0123456789a', 'cali11111111111']);
  expect(names(linksOf([pool('fd48::/64', { vxlan: 'Always' }), pool('10.0.0.0/8')])).slice(0, 2)).toEqual([
    ...['tunl0', 'vxlan-v6.calico'],
  ]);
  expect(names(ourLinks({ links: [], cluster: { unknown: 'no datastore' } }))).toEqual([
    ...['tunl0', 'vxlan.calico', 'vxlan-v6.calico', 'cali0123456789a'],
  ]);
});

/** What NetworkManager 1.42.4 itself made of each: `nmcli device` beside a vxlan.calico and a veth cali…, `--print-config`. */
describe('NetworkManager', () => {
  const RUNS = { '/proc/812/comm': 'NetworkManager\n', '/proc/1/comm': 'systemd\n' };
  const ETC = '/etc/NetworkManager/conf.d';
  const check = (texts: Record<string, string>): readonly Finding[] =>
    checkNetworkManager(readerOf({ ...RUNS, ...texts }), links);
  const told = (texts: Record<string, string>): readonly string[] => words(check(texts));
  const keyfile = (value: string): string => `[keyfile]\nunmanaged-devices=${value}\n`;
  const OPEN = `warning: is not told to leave ${ALL} alone`;
  const CLOSED = 'ok: leaves our interfaces alone';

  test('that does not run is no danger', () => {
    expect(words(checkNetworkManager(readerOf({ [`${ETC}/a.conf`]: keyfile('none') }), links))).toEqual([
      'ok: does not run here',
    ]);
  });

  test.each([
    ['interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico', CLOSED],
    ['interface-name:cali*,interface-name:=tunl0, interface-name:~vxlan.*', CLOSED],
    ['type:ethernet;type:ip-tunnel;type:vxlan', CLOSED],
    ['driver:veth;driver:ipip;driver:vxlan', CLOSED],
    ['*', CLOSED],
    ['*,except:type:wifi', CLOSED],
    ['except:interface-name:eth0', CLOSED],
    ['*,except:type:vxlan', 'warning: is not told to leave vxlan.calico alone'],
    ['interface-name:cali*;interface-name:tunl1', 'warning: is not told to leave tunl0 and vxlan.calico alone'],
    // A veth's type is ethernet; a name without a tag is no pattern; and patterns have no ranges.
    ['*,except:type:ethernet;type:veth', "warning: is not told to leave pods' interfaces (cali…) alone"],
    ['tunl0;vxlan.calico;cali*', "warning: is not told to leave pods' interfaces (cali…) alone"],
    ['tunl0;vxlan.calico;interface-name:cali[0-9]*', "warning: is not told to leave pods' interfaces (cali…) alone"],
    ['interface-name:=cali*', OPEN],
    ['none', OPEN],
  ])('unmanaged-devices=%s: %s', (value, expected) => {
    expect(told({ [`${ETC}/calico.conf`]: keyfile(value) })).toEqual([expected]);
  });

  test('/usr/lib, then /run, then the main file, then /etc; a name stands in for those before; += adds, -= takes', () => {
    const [lib, run] = ['/usr/lib/NetworkManager/conf.d', '/run/NetworkManager/conf.d'];
    const main = '/etc/NetworkManager/NetworkManager.conf';
    expect(told({ [`${lib}/50.conf`]: keyfile('*') })).toEqual([CLOSED]);
    expect(told({ [`${lib}/50.conf`]: keyfile('*'), [`${ETC}/50.conf`]: '' })).toEqual([OPEN]);
    expect(told({ [`${lib}/50.conf`]: keyfile('none'), [`${run}/10.conf`]: keyfile('*') })).toEqual([CLOSED]);
    expect(told({ [`${run}/10.conf`]: keyfile('*'), [main]: keyfile('none') })).toEqual([OPEN]);
    expect(told({ [main]: keyfile('none'), [`${ETC}/05.conf`]: keyfile('*') })).toEqual([CLOSED]);
    const added = {
      [`${ETC}/10.conf`]: keyfile('driver:veth;type:vxlan;tunl9'),
      [`${ETC}/20.conf`]: '[keyfile]\nunmanaged-devices+=interface-name:tunl0\nunmanaged-devices-=tunl9\n',
    };
    expect(told(added)).toEqual([CLOSED]);
    expect(told({ ...added, [`${ETC}/30.conf`]: '[keyfile]\nunmanaged-devices-=type:vxlan\n' })).toEqual([
      'warning: is not told to leave vxlan.calico alone',
    ]);
  });

  describe('managed of a [device] section', () => {
    const device = (name: string, managed: string): string =>
      `[device-${name}]\nmatch-device=interface-name:cali*;interface-name:tunl0;interface-name:vxlan.calico\nmanaged=${managed}\n`;
    test.each([
      ['says it without a list', [device('a', '0')], CLOSED],
      ['without match-device is of all', ['[device]\nmanaged=no\n'], CLOSED],
      ['of two the first counts', [device('a', '0') + device('b', '1')], CLOSED],
      ['of two the first counts, the other way round', [device('a', '1') + device('b', '0')], OPEN],
      ['of a later file counts more', [device('a', '0'), device('b', '1')], OPEN],
      ['is not stronger than the list', [keyfile('*'), device('b', '1')], CLOSED],
      ['is not reached', ['[device-x]\nstop-match=yes\n[device-y]\nmanaged=0\n'], OPEN],
    ])('%s', (_, files, expected) => {
      expect(told(Object.fromEntries(files.map((text, i) => [`${ETC}/${i}.conf`, text])))).toEqual([expected]);
    });
  });

  describe('udev', () => {
    const tunnels = { [`${ETC}/a.conf`]: keyfile('interface-name:tunl0;interface-name:vxlan.calico') };
    const RULE =
      '# veth\nENV{ID_NET_DRIVER}=="veth", ENV{INTERFACE}!="eth[0-9]*", ENV{NM_UNMANAGED}="1"\nLABEL="end"\n';
    const rules = {
      '/proc/300/comm': 'systemd-udevd\n',
      '/usr/lib/udev/rules.d/85-nm-unmanaged.rules': RULE,
      '/run/udev/data/n9': 'I:1000\nE:ID_NET_DRIVER=veth\nE:NM_UNMANAGED=1\n',
    };
    const PODS = "warning: is not told to leave pods' interfaces (cali…) alone";
    test.each<readonly [string, Record<string, string>, string]>([
      ['marks pods by the rules that come with NetworkManager', {}, CLOSED],
      ['does not where it does not run', { '/proc/300/comm': 'other\n' }, PODS],
      [
        'does not where the administrator took the rules away',
        { '/etc/udev/rules.d/85-nm-unmanaged.rules': '#' },
        PODS,
      ],
      ['does not for a pod that it did not mark', { '/run/udev/data/n9': 'I:1000\n' }, PODS],
      ['is weaker than a [device] section', { [`${ETC}/b.conf`]: '[device]\nmanaged=1\n' }, PODS],
    ])('%s', (_, texts, expected) => {
      expect(told({ ...tunnels, ...rules, ...texts })).toEqual([expected]);
    });
  });

  describe('what it has now', () => {
    const device = (index: number, more = ''): Record<string, string> => ({
      [`/run/NetworkManager/devices/${index}`]: `[device]\nmanaged=true\nperm-hw-addr-fake=02:00:00:00:00:01\n${more}nm-owned=false\n`,
    });
    const all = { [`${ETC}/a.conf`]: keyfile('*') };
    const PROFILE = '[connection]\nid=tunl0\nuuid=e17e61e2\ntype=ip-tunnel\n\n[.nmmeta]\nnm-generated=true\n';
    const profile = (text: string): Record<string, string> => ({
      '/run/NetworkManager/system-connections/tunl0_.nmconnection': text,
    });

    test('is a problem whatever the files say: a reload has it taken down, so a restart', () => {
      const [finding] = check({ ...device(9), ...all });
      expect(finding).toMatchObject({
        verdict: 'problem',
        what: "manages pods' interfaces (cali…)",
        todo: expect.stringContaining('systemctl restart NetworkManager') as string,
      });
      expect(finding!.evidence).toContain('/run/NetworkManager/devices/9: managed=true');
    });

    test('is none where it only looks on, "connected (externally)": it is to be told, and that is all', () => {
      const external = { ...device(7, 'connection-uuid=e17e61e2\n'), ...profile(`${PROFILE}external=true\n`) };
      expect(told({ ...external, ...all })).toEqual([CLOSED]);
      const [finding] = check(external);
      expect(finding).toMatchObject({ verdict: 'warning', todo: expect.stringContaining('reload') as string });
      expect(finding!.evidence).toContain("tunl0 is 'connected (externally)': for now it only looks on there");
    });

    test('is a problem with a profile of its own', () => {
      const own = { ...device(7, 'connection-uuid=e17e61e2\n'), ...profile(PROFILE) };
      expect(told(own)).toEqual(['problem: manages tunl0']);
      expect(told(device(7, 'connection-uuid=e17e61e2\n'))).toEqual(['problem: manages tunl0']);
    });

    test('is nothing where the state says otherwise', () => {
      expect(told({ '/run/NetworkManager/devices/9': '[device]\nnm-owned=false\n', ...all })).toEqual([CLOSED]);
    });
  });
});

/** What systemd-networkd 252 itself made of each: `networkctl list` beside a vxlan.calico and a veth cali…, with udev's data. */
describe('systemd-networkd', () => {
  const RUNS = {
    '/proc/300/comm': 'systemd-network\n',
    '/etc/systemd/networkd.conf': '[Network]\nManageForeignRoutes=no\n',
  };
  const told = (texts: Record<string, string>): readonly string[] =>
    words(checkNetworkd(readerOf({ ...RUNS, ...texts }), links)).filter((line) => !line.includes('routes of others'));
  const ETC = '/etc/systemd/network';
  const CLEAN = 'ok: no .network file matches our interfaces';
  const matches = (names: string): string => `problem: ${ETC}/50.network matches ${names}`;
  const PODS = "pods' interfaces (cali…)";

  test('that does not run is no danger', () => {
    expect(words(checkNetworkd(readerOf({ [`${ETC}/a.network`]: '[Match]\nName=*\n' }), links))).toEqual([
      'ok: does not run here',
    ]);
  });

  test.each([
    ['Name=eth0', CLEAN],
    ['Name=en* eth*', CLEAN],
    ['Name=*', matches(ALL)],
    ['Name=!eth0', matches(ALL)],
    ['Name=!cali* tunl0 vxlan.calico', CLEAN],
    ['Name=cali* !cali0123456789a !cali11111111111', CLEAN],
    ['Name=cali[0-9]*', matches(PODS)],
    // A second line adds to the first, in whichever section, and an empty one begins anew.
    ['Name=cali*\nName=vxlan*', matches(`vxlan.calico and ${PODS}`)],
    ['Name=cali*\n[Match]\nName=tunl*', matches(`tunl0 and ${PODS}`)],
    ['Name=*\nName=\nName=eth0', CLEAN],
    // udev tells the type of a VXLAN device; a veth is an ether.
    ['Type=ether', matches(PODS)],
    ['Type=vxlan', matches('vxlan.calico')],
    ['Type=ether\nKind=!*', CLEAN],
    ['Kind=veth', matches(PODS)],
    ['Driver=vxlan', matches('vxlan.calico')],
    ['Type=ether\nName=e*', CLEAN],
    ['Type=ether\nHost=worker-*', matches(PODS)],
    ['MACAddress=02:00:00:00:00:01', CLEAN],
    ['', CLEAN],
  ])('[Match] %s: %s', (match, expected) => {
    expect(told({ [`${ETC}/50.network`]: `[Match]\n${match}\n[Network]\nDHCP=yes\n` })).toEqual([expected]);
  });

  test('the first file that matches decides, whatever its directory', () => {
    const greedy = { '/usr/lib/systemd/network/80-ethernet.network': '[Match]\nType=ether\n' };
    const careful = '[Match]\nName=cali* tunl0 vxlan.calico\n[Link]\nUnmanaged=yes\n';
    expect(told({ ...greedy, [`${ETC}/00-calico.network`]: careful })).toEqual([CLEAN]);
    expect(told({ ...greedy, [`${ETC}/99-calico.network`]: careful })).toHaveLength(1);
    expect(told({ ...greedy, [`${ETC}/80-ethernet.network`]: '' })).toEqual([CLEAN]);
  });

  test('drop-ins of a file, from any directory, are of it', () => {
    const wide = { [`${ETC}/50.network`]: '[Match]\nName=*\n' };
    expect(told({ ...wide, '/run/systemd/network/50.network.d/x.conf': '[Link]\nUnmanaged=yes\n' })).toEqual([CLEAN]);
    const narrow = { [`${ETC}/50.network`]: '[Match]\nName=eth0\n' };
    expect(told({ ...narrow, [`${ETC}/50.network.d/x.conf`]: '[Match]\nName=cali*\n' })).toEqual([matches(PODS)]);
  });

  test('what it says of a link that is there counts more than the files', () => {
    const path = '/run/systemd/network/10-netplan.network';
    const state = (admin: string): Record<string, string> => ({
      '/run/systemd/netif/links/7': `ADMIN_STATE=${admin}\nOPER_STATE=routable\nNETWORK_FILE=${path}\n`,
    });
    expect(told(state('configured'))).toEqual([`problem: ${path} matches tunl0`]);
    expect(told(state('unmanaged'))).toEqual([CLEAN]);
    const elsewhere = { [`${ETC}/50.network`]: '[Match]\nName=tunl0\nHost=another\n' };
    expect(told({ ...state('unmanaged'), ...elsewhere })).toEqual([CLEAN]);
    expect(told(elsewhere)).toEqual([matches('tunl0')]);
  });

  test('ManageForeignRoutes: by default routes of others go', () => {
    const of = (texts: Record<string, string>): string | undefined =>
      words(checkNetworkd(readerOf({ '/proc/300/comm': 'systemd-network\n', ...texts }), links)).at(-1);
    const bad = 'warning: removes routes of others';
    expect(of({})).toBe(bad);
    expect(of({ '/etc/systemd/networkd.conf': '[Network]\n#ManageForeignRoutes=no\n' })).toBe(bad);
    const dropIn = { '/etc/systemd/networkd.conf.d/calico.conf': '[Network]\nManageForeignRoutes=no\n' };
    expect(of(dropIn)).toBe('ok: leaves routes of others alone');
  });
});
