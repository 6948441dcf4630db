/** GoBGP in a lab: its configuration as an object, its answers as text that a test compares. */
import { gobgp } from '../../capture/daemons/gobgp.ts';
import type { Daemon } from '../../capture/daemon.ts';
import type { LabDaemon, SpeakerLab } from '../../support/speaker-lab.ts';

export interface GobgpNeighbor {
  readonly address: string;
  readonly asn: number;
  readonly families?: readonly ('ipv4' | 'ipv6')[];
  /** For each family, such as `{ 'prefix-limit': { config: { 'max-prefixes': 2 } } }`. */
  readonly perFamily?: object;
  /** More of `neighbors.config`. */
  readonly config?: object;
  /** More beside it: `{ 'ttl-security': { config: { enabled: true } } }`. */
  readonly more?: object;
}

export interface GobgpSetup {
  readonly asn: number;
  readonly routerId: string;
  readonly neighbors: readonly GobgpNeighbor[];
  /** Its `-r`: it says that it comes back from a restart. */
  readonly isRestart?: boolean;
}

/** A path as it shows it. */
export interface GobgpPath {
  readonly prefix: string;
  readonly best: boolean;
  readonly stale: boolean;
  /** Whom it is from; absent: its own. */
  readonly from?: string;
  readonly nextHop: string;
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Of all three sizes: `65010:1`, `rt 65010:100`, `65010:1:2`. */
  readonly communities: readonly string[];
}

export interface GobgpNeighborState {
  readonly established: boolean;
  readonly isInternal: boolean;
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
}

export class Gobgp {
  readonly #daemon: LabDaemon;

  private constructor(daemon: LabDaemon) {
    this.#daemon = daemon;
  }

  static async start(lab: SpeakerLab, host: string, setup: GobgpSetup): Promise<Gobgp> {
    const daemon: Daemon = setup.isRestart === true ? restarted : gobgp;
    return new Gobgp(await lab.startDaemon(host, daemon, configText(setup)));
  }

  control(line: string): string {
    return this.#daemon.control(line);
  }

  /** `10.50.0.0/16 med 5`. */
  announce(...routes: readonly string[]): void {
    for (const route of routes) this.control(`global rib add -a ${familyOf(route)} ${route}`);
  }

  withdraw(...routes: readonly string[]): void {
    for (const route of routes) this.control(`global rib del -a ${familyOf(route)} ${route}`);
  }

  /** All paths of a family, or of one prefix. */
  paths(family: 'ipv4' | 'ipv6'): readonly GobgpPath[] {
    const table = JSON.parse(this.control(`global rib -a ${family} -j`)) as Readonly<
      Record<string, readonly RawPath[]>
    >;
    return Object.values(table).flatMap((paths) => paths.map(pathOf));
  }

  /** Prefixes that `from` told it, sorted. */
  prefixesFrom(from: string): readonly string[] {
    const family = from.includes(':') ? 'ipv6' : 'ipv4';
    return this.paths(family)
      .filter((path) => path.from === from)
      .map(({ prefix }) => prefix)
      .sort();
  }

  neighbor(address: string): GobgpNeighborState {
    const { conf, state } = JSON.parse(this.control(`neighbor ${address} -j`)) as RawNeighbor;
    const { sent = {}, received = {} } = state.messages;
    return { established: state.session_state === ESTABLISHED, isInternal: conf.type !== EXTERNAL, sent, received };
  }

  /** What it logged. */
  output(): string {
    return this.#daemon.output();
  }

  kill(): Promise<void> {
    return this.#daemon.kill();
  }
}

/** Of its API: apipb.PeerState.SessionState, apipb.PeerType. */
const ESTABLISHED = 6;
const EXTERNAL = 1;

const restarted: Daemon = { ...gobgp, start: (host, config) => gobgp.start(withFlag(host, '-r'), config) };

const withFlag = (host: Parameters<Daemon['start']>[0], flag: string): Parameters<Daemon['start']>[0] => ({
  ...host,
  startDaemon: (command, ...args) => host.startDaemon(command, ...args, flag),
});

const familyOf = (route: string): string => (route.split(' ', 1)[0]!.includes(':') ? 'ipv6' : 'ipv4');

interface RawNeighbor {
  readonly conf: { readonly type?: number };
  readonly state: {
    readonly session_state?: number;
    readonly messages: { readonly sent?: Record<string, number>; readonly received?: Record<string, number> };
  };
}

interface RawPath {
  readonly nlri: { readonly prefix: string };
  readonly best: boolean;
  readonly stale: boolean;
  readonly 'neighbor-ip'?: string;
  readonly attrs: readonly RawAttribute[];
}

/** By type, RFC 4271 and later; each with its own fields. */
interface RawAttribute {
  readonly type: number;
  readonly value?: unknown;
  readonly nexthop?: string;
  readonly metric?: number;
  readonly communities?: readonly number[];
  readonly as_paths?: readonly { readonly asns: readonly number[] }[];
}

function pathOf({ nlri: { prefix }, best, stale, attrs, ...raw }: RawPath): GobgpPath {
  const of = (type: number): RawAttribute | undefined => attrs.find((attribute) => attribute.type === type);
  const from = raw['neighbor-ip'];
  return {
    ...{ prefix, best, stale },
    ...(from !== undefined && { from }),
    nextHop: of(3)?.nexthop ?? of(14)?.nexthop ?? '',
    asPath: (of(2)?.as_paths ?? []).flatMap(({ asns }) => asns),
    ...(of(4) !== undefined && { med: of(4)!.metric! }),
    ...(of(5) !== undefined && { localPref: of(5)!.value as number }),
    ...(of(9) !== undefined && { originatorId: of(9)!.value as string }),
    ...(of(10) !== undefined && { clusterList: of(10)!.value as readonly string[] }),
    communities: [
      ...(of(8)?.communities ?? []).map((value) => `${value >>> 16}:${value & 0xffff}`),
      ...((of(16)?.value ?? []) as readonly RawExtended[]).map(({ subtype, value }) => `${subtype} ${value}`),
      ...((of(32)?.value ?? []) as readonly RawLarge[]).map((it) => [it.ASN, it.LocalData1, it.LocalData2].join(':')),
    ],
  };
}

interface RawExtended {
  readonly subtype: number;
  readonly value: string;
}

interface RawLarge {
  readonly ASN: number;
  readonly LocalData1: number;
  readonly LocalData2: number;
}

const configText = ({ asn, routerId, neighbors }: GobgpSetup): string =>
  [
    `global = ${toml({ config: { as: asn, 'router-id': routerId } })}`,
    `neighbors = ${toml(neighbors.map(neighborConfig))}`,
    '',
  ].join('\n');

const neighborConfig = ({ address, asn, families, perFamily, config, more }: GobgpNeighbor): object => ({
  config: { 'neighbor-address': address, 'peer-as': asn, ...config },
  timers: { config: { 'connect-retry': 1, 'idle-hold-time-after-reset': 1 } },
  'afi-safis': (families ?? [address.includes(':') ? 'ipv6' : 'ipv4']).map((family) => ({
    config: { 'afi-safi-name': `${family}-unicast` },
    ...perFamily,
  })),
  ...more,
});

/** TOML on one line, with inline tables. */
function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key} = ${toml(inner)}`)
    .join(', ')} }`;
}
