/** FRR as a router of the trials: zebra and bgpd, and bfdd where it is wanted, as Debian's unit runs them. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { frr as bgpdAlone } from '../capture/daemons/frr.ts';
import type { Family } from './families.ts';
import type { Daemon } from '../capture/daemon.ts';
import type { DaemonHost } from '../capture/lab.ts';
import { eventually } from '../support/eventually.ts';
import { run } from '../support/netns.ts';
import type { LabDaemon, SpeakerLab } from '../support/speaker-lab.ts';
import { frrConfig } from './frr-config.ts';
import type { Foreign, ForeignKind, ForeignPath, Router } from './router.ts';

const PROGRAMS = '/usr/lib/frr';

const daemonsOf = (names: readonly string[]): Daemon => ({
  ...bgpdAlone,
  start: async (on, config) => {
    run('chown', 'frr:frr', on.directory);
    for (const name of names) await startOne(on, name, name === 'bgpd' ? config : '');
  },
});

async function startOne(on: DaemonHost, name: string, config: string): Promise<void> {
  const { directory } = on;
  const file = on.file(`${name}.conf`, config);
  run('chown', 'frr:frr', file);
  const vty = join(directory, `${name}.vty`);
  rmSync(vty, { force: true });
  const places = ['-i', pidFile(directory, name), '-z', join(directory, 'zserv.api'), '--vty_socket', directory];
  const more = name === 'bfdd' ? ['--bfdctl', join(directory, 'bfdd.sock')] : [];
  const log = ['--log', 'stdout', '--log-level', 'informational'];
  on.startDaemon(join(PROGRAMS, name), '-f', file, ...places, '-P', '0', ...more, ...log);
  await eventually(() => {
    if (!existsSync(vty)) throw new Error(`${name} did not start: ${on.output()}`);
  }, 5000);
}

const pidFile = (directory: string, name: string): string => join(directory, `${name}.pid`);

export const frr: ForeignKind = {
  start: async (lab, host, router) => {
    const names = ['zebra', ...(router.sessions.some(({ bfd }) => bfd) ? ['bfdd'] : []), 'bgpd'];
    const running = await lab.startDaemon(host, daemonsOf(names), frrConfig(router));
    return new RunningFrr({ lab, host }, router, running);
  },
};

interface ShownPath {
  readonly aspath: { readonly string: string };
  readonly nexthops: readonly { readonly ip: string; readonly scope?: string }[];
  readonly peer: { readonly peerId: string };
  readonly community?: { readonly list: readonly string[] };
  readonly largeCommunity?: { readonly list: readonly string[] };
  readonly extendedCommunity?: { readonly string: string };
  readonly originatorId?: string;
  readonly clusterList?: { readonly list: readonly string[] };
}

interface ShownNeighbor {
  readonly bgpState: string;
  readonly messageStats: { readonly updatesRecv: number };
  readonly peerBfdInfo?: { readonly status: string };
}

class RunningFrr implements Foreign {
  readonly #place: { readonly lab: SpeakerLab; readonly host: string };
  #router: Router;
  #daemon: LabDaemon;

  constructor(place: { readonly lab: SpeakerLab; readonly host: string }, router: Router, running: LabDaemon) {
    this.#place = place;
    this.#router = router;
    this.#daemon = running;
  }

  isEstablished(neighbor: string): boolean {
    return this.#neighbor(neighbor)?.bgpState === 'Established';
  }

  prefixes(family: Family): readonly string[] {
    const { routes = {} } = this.#json(`show bgp ${family} unicast json`) as {
      routes?: Readonly<Record<string, readonly { readonly peerId: string }[]>>;
    };
    return Object.entries(routes)
      .filter(([, paths]) => paths.some(({ peerId }) => peerId !== '(unspec)'))
      .map(([prefix]) => prefix)
      .sort();
  }

  paths(prefix: string): readonly ForeignPath[] {
    const { paths = [] } = this.#json(`show bgp ${familyOf(prefix)} unicast ${prefix} json`) as {
      paths?: readonly ShownPath[];
    };
    return paths.filter(({ peer }) => !['0.0.0.0', '::', '(unspec)'].includes(peer.peerId)).map(pathOf);
  }

  carries(prefix: string, asPath: readonly number[], communities: readonly string[]): boolean {
    const wanted = JSON.stringify([asPath.join(' '), communities]);
    return this.paths(prefix).some((path) => JSON.stringify([path.asPath, path.communities]) === wanted);
  }

  shows(neighbor: string): string {
    return JSON.stringify(this.#neighbor(neighbor));
  }

  received(neighbor: string): number {
    return this.#neighbor(neighbor)?.messageStats.updatesRecv ?? 0;
  }

  withdraw(prefix: string): void {
    this.#configure(`address-family ${familyOf(prefix)} unicast`, `no network ${prefix}`);
  }

  shutdown(neighbor: string, text: string): void {
    this.#configure(`neighbor ${neighbor} shutdown message ${text}`);
  }

  acceptAll(neighbor: string): void {
    const { families } = this.#router.sessions.find((session) => session.neighbor === neighbor)!;
    for (const family of families)
      this.#configure(`address-family ${family} unicast`, `no neighbor ${neighbor} prefix-list REFUSE in`);
  }

  bfd(neighbor: string): string {
    return this.#neighbor(neighbor)?.peerBfdInfo?.status ?? 'none';
  }

  async kill(): Promise<void> {
    const { lab, host } = this.#place;
    const pid = Number(readFileSync(pidFile(join(lab.directory, host), 'bgpd'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      if (existsSync(`/proc/${pid}`)) throw new Error('bgpd is still there');
    });
  }

  async restart(router: Router): Promise<void> {
    const { lab, host } = this.#place;
    this.#router = router;
    this.#daemon = await lab.startDaemon(host, daemonsOf(['bgpd']), frrConfig(router));
  }

  #neighbor(neighbor: string): ShownNeighbor | undefined {
    const all = this.#json('show bgp neighbors json') as Readonly<Record<string, ShownNeighbor>>;
    return all[neighbor];
  }

  #configure(...lines: readonly string[]): void {
    this.#daemon.control(['configure', `router bgp ${this.#router.asn}`, ...lines].join(' ; '));
  }

  #json(line: string): unknown {
    return JSON.parse(this.#daemon.control(line));
  }
}

const familyOf = (prefix: string): Family => (prefix.includes(':') ? 'ipv6' : 'ipv4');

function pathOf(path: ShownPath): ForeignPath {
  const { originatorId, clusterList } = path;
  return {
    asPath: path.aspath.string.replace('Local', ''),
    nextHop: path.nexthops.find(({ scope }) => scope !== 'link-local')?.ip ?? '',
    communities: path.community?.list ?? [],
    largeCommunities: path.largeCommunity?.list ?? [],
    extendedCommunities:
      path.extendedCommunity?.string.match(/\S+:\S+:\S+/g)?.map((text) => text.replace(':', ' ').toLowerCase()) ?? [],
    ...(originatorId !== undefined && { originatorId }),
    ...(clusterList !== undefined && { clusterList: clusterList.list.join(' ') }),
  };
}
