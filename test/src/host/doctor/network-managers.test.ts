import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../src/host/doctor/finding.ts';
import { checkNetworkManager } from '../../../../src/host/doctor/network-manager.ts';
import { checkNetworkd } from '../../../../src/host/doctor/networkd.ts';
import { ourLinks } from '../../../../src/host/doctor/our-links.ts';
import { readerOf } from '../../../support/host-reader.ts';

const links = ourLinks([
  { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [] },
  { index: 7, name: 'tunl0', kind: 'ipip', mtu: 1480, up: true, addresses: [] },
  { index: 9, name: 'cali11111111111', kind: 'veth', mtu: 1480, up: true, addresses: [] },
]);
const ALL = "tunl0, vxlan.calico and pods' interfaces (cali…)";
const words = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ verdict, what }) => `${verdict}: ${what}`);

describe('NetworkManager', () => {
  const RUNS = { '/proc/812/comm': 'NetworkManager\n', '/proc/1/comm': 'systemd\n' };
  const ETC = '/etc/NetworkManager/conf.d';
  const told = (texts: Record<string, string>): readonly string[] =>
    words(checkNetworkManager(readerOf({ ...RUNS, ...texts }), links));
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
    ['interface-name:cali*,interface-name:=tunl0, interface-name:vxlan.*', CLOSED],
    ['type:veth;type:ip-tunnel;type:vxlan', CLOSED],
    ['*', CLOSED],
    ['*,except:type:wifi', CLOSED],
    ['except:interface-name:eth0', CLOSED],
    ['*,except:type:vxlan', 'warning: is not told to leave vxlan.calico alone'],
    ['interface-name:cali*;interface-name:tunl1', 'warning: is not told to leave tunl0 and vxlan.calico alone'],
    ['interface-name:=cali*', OPEN],
    ['none', OPEN],
  ])('unmanaged-devices=%s: %s', (value, expected) => {
    expect(told({ [`${ETC}/calico.conf`]: keyfile(value) })).toEqual([expected]);
  });

  test('later files win, one of the same name shadows the packages’, and += adds', () => {
    const lib = '/usr/lib/NetworkManager/conf.d';
    expect(told({ [`${lib}/50.conf`]: keyfile('*') })).toEqual([CLOSED]);
    expect(told({ [`${lib}/50.conf`]: keyfile('*'), [`${ETC}/50.conf`]: '' })).toEqual([OPEN]);
    expect(
      told({ [`${lib}/50.conf`]: keyfile('*'), '/etc/NetworkManager/NetworkManager.conf': keyfile('none') }),
    ).toEqual([OPEN]);
    const added = {
      [`${ETC}/10.conf`]: keyfile('type:veth;type:vxlan'),
      [`${ETC}/20.conf`]: '[keyfile]\nunmanaged-devices+=interface-name:tunl0\n',
    };
    expect(told(added)).toEqual([CLOSED]);
  });

  test('managed of a [device] section is stronger', () => {
    const device =
      '[device-calico]\nmatch-device=interface-name:cali*;interface-name:tunl0;interface-name:vxlan.calico\nmanaged=';
    expect(told({ [`${ETC}/calico.conf`]: `${device}0\n` })).toEqual([CLOSED]);
    expect(told({ [`${ETC}/a.conf`]: keyfile('*'), [`${ETC}/b.conf`]: `${device}1\n` })).toEqual([OPEN]);
  });

  test('what it manages now is a problem, whatever the files say', () => {
    const state = {
      '/run/NetworkManager/devices/9': '[device]\nmanaged=true\n',
      '/run/NetworkManager/devices/7': '[device]\nmanaged=false\n',
    };
    const [finding] = checkNetworkManager(readerOf({ ...RUNS, ...state, [`${ETC}/a.conf`]: keyfile('*') }), links);
    expect(finding).toMatchObject({
      verdict: 'problem',
      what: "manages pods' interfaces (cali…)",
      evidence: ['/run/NetworkManager/devices/9: managed=true'],
    });
  });
});

describe('systemd-networkd', () => {
  const RUNS = {
    '/proc/300/comm': 'systemd-network\n',
    '/etc/systemd/networkd.conf': '[Network]\nManageForeignRoutes=no\n',
  };
  const told = (texts: Record<string, string>): readonly string[] =>
    words(checkNetworkd(readerOf({ ...RUNS, ...texts }), links)).filter((line) => !line.includes('routes of others'));
  const ETC = '/etc/systemd/network';
  const CLEAN = 'ok: no .network file matches our interfaces';

  test('that does not run is no danger', () => {
    expect(words(checkNetworkd(readerOf({ [`${ETC}/a.network`]: '[Match]\nName=*\n' }), links))).toEqual([
      'ok: does not run here',
    ]);
  });

  test.each([
    ['Name=eth0', CLEAN],
    ['Name=en* eth*', CLEAN],
    ['Name=*', `problem: ${ETC}/50.network matches ${ALL}`],
    ['Name=!eth0', `problem: ${ETC}/50.network matches ${ALL}`],
    ['Name=!cali* tunl0 vxlan.calico', CLEAN],
    ['Type=ether', `problem: ${ETC}/50.network matches vxlan.calico and pods' interfaces (cali…)`],
    ['Kind=veth', `problem: ${ETC}/50.network matches pods' interfaces (cali…)`],
    ['Type=ether\nName=e*', CLEAN],
    ['Type=ether\nHost=worker-*', `problem: ${ETC}/50.network matches vxlan.calico and pods' interfaces (cali…)`],
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

  test('what it says of a link that is there counts more than the files', () => {
    const path = '/run/systemd/network/10-netplan.network';
    const state = (admin: string): Record<string, string> => ({
      '/run/systemd/netif/links/9': `ADMIN_STATE=${admin}\nOPER_STATE=routable\nNETWORK_FILE=${path}\n`,
    });
    expect(told(state('configured'))).toEqual([`problem: ${path} matches pods' interfaces (cali…)`]);
    expect(told(state('unmanaged'))).toEqual([CLEAN]);
  });

  test('ManageForeignRoutes: by default routes of others go', () => {
    const of = (texts: Record<string, string>): string | undefined =>
      words(checkNetworkd(readerOf({ '/proc/300/comm': 'systemd-network\n', ...texts }), links)).at(-1);
    const bad = 'warning: removes routes of others from the interfaces that it manages';
    expect(of({})).toBe(bad);
    expect(of({ '/etc/systemd/networkd.conf': '[Network]\n#ManageForeignRoutes=no\n' })).toBe(bad);
    const dropIn = { '/etc/systemd/networkd.conf.d/calico.conf': '[Network]\nManageForeignRoutes=no\n' };
    expect(of(dropIn)).toBe('ok: leaves routes of others alone');
  });
});
