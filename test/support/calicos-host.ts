/** A host on the real kernel as Calico leaves it: its BIRD's routes are there (`persist`), its daemons are gone. */
import { spawn } from 'node:child_process';
import { createDataplane } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { createLinuxKernel } from '../../felix/linux-kernel.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { eventually } from './eventually.ts';
import { inputs, learned, node, pool } from './dataplane-inputs.ts';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';

export type CalicosTunnel = 'tunl0' | 'vxlan.calico';

const ADDRESS = '172.30.1.11';
const [B, C] = ['172.30.2.11', '172.30.2.13'];
const VTEP_B = '192.168.2.1';

/** What the agent's pools, blocks and peers ask for once everything is in sync. */
const wantedOver = (tunnel: CalicosTunnel): DataplaneInputs =>
  inputs({
    local: node('a', `${ADDRESS}/24`, { ipip: '192.168.1.1', vxlan: '192.168.1.1' }),
    nodes: [node('b', `${B}/24`, { ipip: VTEP_B, vxlan: VTEP_B })],
    pools: [pool('192.168.0.0/16', { [tunnel === 'tunl0' ? 'ipip' : 'vxlan']: 'Always' })],
    localBlocks: [parsePrefix('192.168.1.0/26')],
    learned: [learned('192.168.2.0/26', B)],
  });

/** As iproute2 takes them; a comment says what is to become of each in a take-over. */
const leftRoutes = (tunnel: CalicosTunnel): readonly string[] => {
  const via = tunnel === 'tunl0' ? [B, C] : [VTEP_B, '192.168.9.1'];
  return [
    // Wanted: replaced in place.
    `192.168.2.0/26 via ${via[0]!} dev ${tunnel} onlink proto bird`,
    'blackhole 192.168.1.0/26 proto bird',
    // Of a node, a block and a pool that are no more.
    `192.168.9.0/26 via ${via[1]!} dev ${tunnel} onlink proto bird`,
    `172.31.9.0/26 via ${via[1]!} dev ${tunnel} onlink proto bird`,
    'blackhole 192.168.7.0/26 proto bird',
    '192.168.8.0/26 via 172.30.1.18 dev eth0 proto bird',
    // An older felix's, on vxlan.calico; on tunl0 an administrator's.
    `192.168.10.0/26 via ${via[1]!} dev ${tunnel} onlink proto boot`,
    // Other people's: a BIRD of the administrator's, on a device of his and on the uplink; and what is static.
    '198.51.100.0/24 dev backbone proto bird',
    '203.0.113.0/24 via 172.30.1.1 dev eth0 proto bird',
    'blackhole 192.0.2.0/24 proto bird',
    '192.168.6.0/26 via 172.30.1.16 dev eth0 proto static',
  ];
};

export class CalicosHost {
  readonly netns: TestNetns;
  readonly #tunnel: CalicosTunnel;
  #dataplane: Dataplane | undefined;

  constructor(name: string, tunnel: CalicosTunnel) {
    this.#tunnel = tunnel;
    this.netns = makeNetns(name);
    const ip = (...args: readonly string[]): void => void this.netns.run('ip', ...args);
    ip('link', 'set', 'lo', 'up');
    for (const [link, address] of [
      ['eth0', `${ADDRESS}/24`],
      ['backbone', '198.51.100.1/32'],
    ] as const) {
      ip('link', 'add', link, 'type', 'veth', 'peer', 'name', `${link}-peer`);
      for (const end of [link, `${link}-peer`]) ip('link', 'set', end, 'up');
      ip('address', 'add', address, 'dev', link);
    }
    if (tunnel === 'tunl0') {
      // The kernel makes it with the module, in every namespace.
      this.netns.run('sh', '-c', 'ip link show tunl0 >/dev/null 2>&1 || ip link add tunl0 type ipip');
    } else {
      const vxlan = ['type', 'vxlan', 'id', '4096', 'local', ADDRESS, 'dev', 'eth0', 'dstport', '4789', 'nolearning'];
      ip('link', 'add', tunnel, ...vxlan);
    }
    ip('address', 'add', '192.168.1.1/32', 'dev', tunnel);
    ip('link', 'set', tunnel, 'up');
    for (const route of leftRoutes(tunnel)) ip('route', 'add', ...route.split(' '));
  }

  /** Prefix and protocol number of every route but the kernel's own: `192.168.2.0/26 12`. Without -d iproute2 says nothing of protocol boot. */
  routes(): readonly string[] {
    const listed = JSON.parse(this.netns.run('ip', '-N', '-d', '-j', 'route')) as readonly {
      readonly dst: string;
      readonly protocol: string;
    }[];
    return listed
      .filter(({ protocol }) => protocol !== '2')
      .map(({ dst, protocol }) => `${dst} ${protocol}`)
      .sort();
  }

  /** A tunnel that is made anew takes its routes with it, and the kernel does not tell of them. */
  tunnelIndex(): number {
    const [link] = JSON.parse(this.netns.run('ip', '-j', 'link', 'show', this.#tunnel)) as [
      { readonly ifindex: number },
    ];
    return link.ifindex;
  }

  /** Starts an agent's dataplane, once. */
  async start(settings: { readonly adoptCalicoRoutes: boolean }): Promise<void> {
    this.#dataplane = createDataplane(
      { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789, ...settings },
      {
        ...{ kernel: createLinuxKernel({ netns: this.netns.path }), clock: systemClock },
        ...{ random: () => 0, log: silentLogger },
      },
    );
    await this.#dataplane.start();
  }

  /** Resolves when the kernel has what the cluster wants, which is in sync unless `some` says otherwise. */
  async want(some: Partial<DataplaneInputs> = {}): Promise<Dataplane> {
    this.#dataplane!.update({ ...wantedOver(this.#tunnel), ...some });
    await this.#dataplane!.settled();
    return this.#dataplane!;
  }

  /** The prefixes that were deleted while `work` ran, as `ip monitor` heard it: a replacement is no deletion. */
  async deletions(work: () => Promise<unknown>): Promise<readonly string[]> {
    const child = spawn('ip', ['-n', this.netns.name, '-o', 'monitor', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let heard = '';
    child.stdout.on('data', (data: Buffer) => (heard += data.toString()));
    const mark = (prefix: string): Promise<void> =>
      eventually(() => {
        for (const verb of ['add', 'del']) this.netns.run('ip', 'route', verb, 'blackhole', prefix);
        return heard.includes(prefix);
      });
    try {
      await mark('233.252.0.1');
      heard = '';
      await work();
      await mark('233.252.0.2');
    } finally {
      child.kill();
    }
    const deleted = [...heard.matchAll(/Deleted (?:blackhole )?(\S+) /g)].map(([, prefix]) => prefix!);
    return deleted.filter((prefix) => !prefix.startsWith('233.252.0.')).sort();
  }

  async close(): Promise<void> {
    await this.#dataplane?.close();
    this.netns.remove();
  }
}
