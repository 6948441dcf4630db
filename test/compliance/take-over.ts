/** What FELIX_ADOPTCALICOROUTES does on the real kernel, over either tunnel; test/felix/take-over.test.ts has more of it, on the fake. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatPrefix } from '../../src/model/ip.ts';
import { CalicosHost } from '../support/calicos-host.ts';
import type { CalicosTunnel } from '../support/calicos-host.ts';

const OURS = ['192.168.1.0/26 80', '192.168.2.0/26 80'];
const STRANGERS = ['192.0.2.0/24 12', '192.168.6.0/26 4', '198.51.100.0/24 12', '203.0.113.0/24 12'];

export function takeOverSuite(name: string, tunnel: CalicosTunnel): void {
  /** What Calico left and nobody wants; protocol boot was felix's on vxlan.calico alone. */
  const old = ['172.31.9.0/26', '192.168.7.0/26', '192.168.8.0/26', '192.168.9.0/26'];
  const boot = '192.168.10.0/26';
  const gone = tunnel === 'vxlan.calico' ? [...old, boot].sort() : old;
  const kept = tunnel === 'vxlan.calico' ? STRANGERS : [...STRANGERS, `${boot} 3`];
  let host: CalicosHost;

  beforeEach(() => {
    host = new CalicosHost(name, tunnel);
  });
  afterEach(() => host.close());

  test('nothing goes before datastore and bird are in sync, and what may go then is shown', async () => {
    const before = host.routes();
    await host.start({ adoptCalicoRoutes: true });
    const nothing = { learned: [], localBlocks: [], learnedComplete: false };
    expect(await host.deletions(() => host.want(nothing))).toEqual([]);
    expect(host.routes()).toEqual(before);
    const dataplane = await host.want(nothing);
    const retained = dataplane.routes().filter(({ state }) => state === 'retained');
    const both = [...gone, '192.168.1.0/26', '192.168.2.0/26'];
    expect(retained.map(({ route }) => formatPrefix(route.prefix)).sort()).toEqual(both.sort());
  });

  test('what is wanted is replaced in place, what nobody wants goes, and all that is not Calico’s stays', async () => {
    const tunnelBefore = host.tunnelIndex();
    await host.start({ adoptCalicoRoutes: true });
    expect(await host.deletions(() => host.want())).toEqual(gone);
    expect(host.tunnelIndex()).toBe(tunnelBefore);
    expect(host.routes()).toEqual([...OURS, ...kept].sort());
  });

  test('without the setting nothing of Calico’s is deleted, and only what a pool asks for is replaced', async () => {
    const before = host.routes();
    await host.start({ adoptCalicoRoutes: false });
    expect(await host.deletions(() => host.want())).toEqual([]);
    const others = before.filter((route) => !/^192\.168\.[12]\.0\/26 /.test(route));
    expect(host.routes()).toEqual([...OURS, ...others].sort());
  });
}
