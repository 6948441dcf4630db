/** OpenBGPD in a lab: its configuration, and its answers as the trials compare them. */
import { join } from 'node:path';
import { openbgpd } from '../../capture/daemons/openbgpd.ts';
import type { LabDaemon, SpeakerLab, SpeakerLabHost } from '../../support/speaker-lab.ts';
import type { Family } from '../families.ts';
import type { LiveDaemon, LiveNeighbor, LivePath, LiveRoute, LiveSetup, Notified } from '../live-daemon.ts';

export interface OpenbgpdNeighbor extends LiveNeighbor {
  /** More of its words: `announce add-path recv yes`. */
  readonly more?: readonly string[];
}

export interface OpenbgpdSetup extends LiveSetup {
  readonly neighbors: readonly OpenbgpdNeighbor[];
}

/** As its log words them, RFC 4486. */
const CEASE: Readonly<Record<string, number>> = {
  'received max-prefix exceeded': 1,
  'administratively down': 2,
};

export class Openbgpd implements LiveDaemon {
  readonly #daemon: LabDaemon;
  readonly #host: SpeakerLabHost;
  readonly #socket: string;

  private constructor(daemon: LabDaemon, host: SpeakerLabHost, socket: string) {
    this.#daemon = daemon;
    this.#host = host;
    this.#socket = socket;
  }

  static async start(lab: SpeakerLab, host: string, setup: OpenbgpdSetup): Promise<Openbgpd> {
    const daemon = await lab.startDaemon(host, openbgpd, configText(setup, lab.host(host).ipv4));
    return new Openbgpd(daemon, lab.host(host), join(lab.directory, host, 'bgpd.sock'));
  }

  /** bgpctl, word by word: its reasons hold spaces. */
  control(...words: readonly string[]): string {
    return this.#host.run('/usr/sbin/bgpctl', '-s', this.#socket, ...words);
  }

  announce(...routes: readonly LiveRoute[]): void {
    for (const { prefix, ...route } of routes) this.control('network', 'add', prefix, ...attributeWords(route));
  }

  withdraw(...routes: readonly LiveRoute[]): void {
    for (const { prefix } of routes) this.control('network', 'delete', prefix);
  }

  paths(family: Family): readonly LivePath[] {
    const { rib = [] } = this.#ask('show', 'rib', 'detail', family === 'ipv4' ? 'inet' : 'inet6') as {
      readonly rib?: readonly RawPath[];
    };
    return rib.filter(({ neighbor }) => neighbor.description !== 'LOCAL').map(pathOf);
  }

  isEstablished(neighbor: string): boolean {
    return this.#neighbor(neighbor).state === 'Established';
  }

  refreshesHeard(neighbor: string): number {
    return this.#neighbor(neighbor).stats['route-refresh'].received.request;
  }

  /** Asks the neighbor for everything again. */
  refresh(neighbor: string): void {
    this.control('neighbor', neighbor, 'refresh');
  }

  /** Of its log; the words of a shutdown come in the line behind. */
  notified(neighbor: string): readonly Notified[] {
    const lines = this.log(neighbor);
    return lines.flatMap((line, i): readonly Notified[] => {
      const [, how, reason = ''] = /^(sending|received) notification: Cease, (.*)$/.exec(line) ?? [];
      const subcode = CEASE[reason];
      if (subcode === undefined) return [];
      const text = /^received shutdown reason: "(.*)"$/.exec(lines[i + 1] ?? '')?.[1];
      const kind = how === 'sending' ? 'sent' : 'received';
      return [{ kind, code: 6, subcode, ...(text !== undefined && { text: unescaped(text) }) }];
    });
  }

  /** What it logged of a neighbor. */
  log(neighbor: string): readonly string[] {
    const head = `neighbor ${neighbor}: `;
    return this.#daemon
      .output()
      .split('\n')
      .filter((line) => line.startsWith(head))
      .map((line) => line.slice(head.length));
  }

  shutDown(neighbor: string, words: string): void {
    this.control('neighbor', neighbor, 'down', words);
  }

  kill(): Promise<void> {
    return this.#daemon.kill();
  }

  #neighbor(address: string): RawNeighbor {
    const { neighbors } = this.#ask('show', 'neighbor', address) as { readonly neighbors: readonly RawNeighbor[] };
    return neighbors[0]!;
  }

  #ask(...words: readonly string[]): unknown {
    return JSON.parse(this.control('-j', ...words));
  }
}

/** Octets beyond ASCII stand in its log as `\\303`, in octal. */
const unescaped = (text: string): string =>
  Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    'latin1',
  ).toString();

interface RawNeighbor {
  readonly state: string;
  readonly stats: { readonly 'route-refresh': { readonly received: { readonly request: number } } };
}

interface RawAttributes {
  readonly originator?: string;
  readonly cluster_list?: readonly string[];
}

interface RawPath {
  readonly prefix: string;
  readonly aspath: string;
  readonly exit_nexthop: string;
  readonly neighbor: { readonly description?: string; readonly remote_addr: string };
  readonly metric: number;
  readonly localpref: number;
  readonly stale?: boolean;
  readonly attributes?: readonly RawAttributes[];
  readonly communities?: readonly string[];
  readonly extended_communities?: readonly string[];
  readonly large_communities?: readonly string[];
}

function pathOf(raw: RawPath): LivePath {
  const { originator, cluster_list } = Object.assign({}, ...(raw.attributes ?? [])) as RawAttributes;
  return {
    ...{ prefix: raw.prefix, from: raw.neighbor.remote_addr, nextHop: raw.exit_nexthop },
    ...{ med: raw.metric, localPref: raw.localpref, stale: raw.stale ?? false },
    asPath: raw.aspath.split(' ').filter(Boolean).map(Number),
    ...(originator !== undefined && { originatorId: originator }),
    ...(cluster_list !== undefined && { clusterList: cluster_list }),
    communities: [
      ...(raw.communities ?? []).map((name) => WELL_KNOWN[name] ?? name),
      ...(raw.extended_communities ?? []),
      ...(raw.large_communities ?? []),
    ],
  };
}

/** It names them. */
const WELL_KNOWN: Readonly<Record<string, string>> = { NO_PEER: '65535:65284' };

const attributeWords = ({ nextHop, ...more }: Omit<LiveRoute, 'prefix'>): readonly string[] => [
  ...['nexthop', nextHop],
  ...(more.communities ?? []).flatMap((value) => ['community', value]),
  ...(more.largeCommunities ?? []).flatMap((value) => ['large-community', value]),
  ...(more.routeTargets ?? []).flatMap((value) => ['ext-community', 'rt', value]),
];

const configText = ({ asn, neighbors, routes = [] }: OpenbgpdSetup, routerId: string): string => `
AS ${asn}
router-id ${routerId}
fib-update no
connect-retry 1
socket "SOCKET"
${routes.map(({ prefix, ...route }) => `network ${prefix} set { ${attributeWords(route).join(' ')} }\n`).join('')}
${neighbors.map(neighborText).join('')}
allow from any
allow to any
`;

const neighborText = (neighbor: OpenbgpdNeighbor): string => `
neighbor ${neighbor.address} {
  remote-as ${neighbor.asn}
  announce enhanced refresh yes
  ${[
    ...(neighbor.passive === true ? ['passive'] : []),
    ...(neighbor.password === undefined ? [] : [`tcp md5sig password ${neighbor.password}`]),
    ...(neighbor.ttlSecurity === true ? ['ttl-security yes'] : []),
    ...(neighbor.maximum === undefined ? [] : [`max-prefix ${neighbor.maximum}`]),
    ...(neighbor.more ?? []),
  ].join('\n  ')}
}
`;
