/** GoBGP in a lab: its configuration as an object, its answers as the trials compare them. */
import { gobgp } from '../../capture/daemons/gobgp.ts';
import type { Daemon } from '../../capture/daemon.ts';
import type { LabDaemon, SpeakerLab } from '../../support/speaker-lab.ts';
import type { Family } from '../families.ts';
import type { LiveDaemon, LiveKind, LiveNeighbor, LivePath, LiveRoute, LiveSetup, Notified } from '../live-daemon.ts';

export interface GobgpNeighbor extends LiveNeighbor {
  /** For each family, such as `{ 'add-paths': { config: { receive: true } } }`. */
  readonly perFamily?: object;
  /** Beside `neighbors.config`: `{ 'graceful-restart': { config: { enabled: true } } }`. */
  readonly more?: object;
}

export interface GobgpSetup extends LiveSetup {
  readonly neighbors: readonly GobgpNeighbor[];
}

export class Gobgp implements LiveDaemon {
  readonly #daemon: LabDaemon;

  private constructor(daemon: LabDaemon) {
    this.#daemon = daemon;
  }

  /** It has no routes in its configuration: where it shall have some at once, its sessions wait until it was told them. */
  static async start(lab: SpeakerLab, host: string, setup: GobgpSetup): Promise<Gobgp> {
    const { routes, isReturn, neighbors } = setup;
    const daemon: Daemon = isReturn === true ? restarted : gobgp;
    const waits = routes !== undefined;
    const started = new Gobgp(await lab.startDaemon(host, daemon, configText(setup, lab.host(host).ipv4)));
    if (!waits) return started;
    started.announce(...routes);
    for (const { address } of neighbors) started.control(`neighbor ${address} enable`);
    return started;
  }

  control(line: string): string {
    return this.#daemon.control(line);
  }

  announce(...routes: readonly LiveRoute[]): void {
    for (const route of routes) this.control(`global rib add -a ${familyOf(route)} ${routeText(route)}`);
  }

  withdraw(...routes: readonly LiveRoute[]): void {
    for (const route of routes) this.control(`global rib del -a ${familyOf(route)} ${route.prefix}`);
  }

  paths(family: Family): readonly LivePath[] {
    const table = JSON.parse(this.control(`global rib -a ${family} -j`)) as Readonly<
      Record<string, readonly RawPath[]>
    >;
    return Object.values(table)
      .flat()
      .flatMap((path) => (path['neighbor-ip'] === undefined ? [] : [pathOf(path, path['neighbor-ip'])]));
  }

  isEstablished(neighbor: string): boolean {
    return this.#neighbor(neighbor).session_state === ESTABLISHED;
  }

  refreshesHeard(neighbor: string): number {
    return this.#neighbor(neighbor).messages.received?.['refresh'] ?? 0;
  }

  /** As its log has it. */
  notified(neighbor: string): readonly Notified[] {
    const entries = this.#daemon
      .output()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RawLog);
    return entries
      .filter(({ Key, msg }) => Key === neighbor && msg.endsWith(' notification'))
      .map(({ msg, ...entry }) => ({
        kind: msg === 'sent notification' ? 'sent' : 'received',
        ...{ code: entry.Code, subcode: entry.Subcode },
        ...(entry['Communicated-Reason'] !== undefined && { text: entry['Communicated-Reason'] }),
      }));
  }

  /** `disable` is what it wants, but that tells no reason. */
  shutDown(neighbor: string, words: string): void {
    this.control(`neighbor ${neighbor} shutdown --reason "${words}"`);
  }

  kill(): Promise<void> {
    return this.#daemon.kill();
  }

  #neighbor(address: string): RawState {
    return (JSON.parse(this.control(`neighbor ${address} -j`)) as { readonly state: RawState }).state;
  }
}

/** It helps whoever restarts, and says that it restarts itself. */
export const restartingGobgp: LiveKind = {
  start: (lab, host, setup) =>
    Gobgp.start(lab, host, {
      ...setup,
      neighbors: setup.neighbors.map((neighbor) => ({
        ...neighbor,
        perFamily: { 'mp-graceful-restart': { config: { enabled: true } } },
        more: { 'graceful-restart': { config: { enabled: true, 'restart-time': 60 } } },
      })),
    }),
};

/** Of its API: apipb.PeerState.SessionState. */
const ESTABLISHED = 6;

const restarted: Daemon = { ...gobgp, start: (host, config) => gobgp.start(withFlag(host, '-r'), config) };

const withFlag = (host: Parameters<Daemon['start']>[0], flag: string): Parameters<Daemon['start']>[0] => ({
  ...host,
  startDaemon: (command, ...args) => host.startDaemon(command, ...args, flag),
});

const familyOf = ({ prefix }: LiveRoute): Family => (prefix.includes(':') ? 'ipv6' : 'ipv4');

/** As its command line takes it. */
function routeText({ prefix, nextHop, ...more }: LiveRoute): string {
  const list = (word: string, values: readonly (string | number)[] | undefined, separator = ','): string =>
    values === undefined ? '' : ` ${word} ${values.join(separator)}`;
  return [
    `${prefix} origin igp nexthop ${nextHop}`,
    list('aspath', more.asPath),
    list('community', more.communities),
    list('large-community', more.largeCommunities),
    list('rt', more.routeTargets, ' '),
  ].join('');
}

interface RawLog {
  readonly msg: string;
  readonly Key?: string;
  readonly Code: number;
  readonly Subcode: number;
  readonly 'Communicated-Reason'?: string;
}

interface RawState {
  readonly session_state?: number;
  readonly messages: { readonly received?: Readonly<Record<string, number>> };
}

interface RawPath {
  readonly nlri: { readonly prefix: string };
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

function pathOf({ nlri: { prefix }, stale, attrs }: RawPath, from: string): LivePath {
  const of = (type: number): RawAttribute | undefined => attrs.find((attribute) => attribute.type === type);
  return {
    ...{ prefix, from, stale },
    nextHop: of(3)?.nexthop ?? of(14)?.nexthop ?? '',
    asPath: (of(2)?.as_paths ?? []).flatMap(({ asns }) => asns),
    ...(of(4) !== undefined && { med: of(4)!.metric! }),
    ...(of(5) !== undefined && { localPref: of(5)!.value as number }),
    ...(of(9) !== undefined && { originatorId: of(9)!.value as string }),
    ...(of(10) !== undefined && { clusterList: of(10)!.value as readonly string[] }),
    communities: [
      ...(of(8)?.communities ?? []).map((value) => `${value >>> 16}:${value & 0xffff}`),
      ...((of(16)?.value ?? []) as readonly RawExtended[]).map(
        ({ subtype, value }) => `${subtype === 2 ? 'rt' : subtype} ${value}`,
      ),
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

const configText = ({ asn, neighbors, routes }: GobgpSetup, routerId: string): string =>
  [
    `global = ${toml({ config: { as: asn, 'router-id': routerId } })}`,
    `neighbors = ${toml(neighbors.map((one) => neighborConfig(one, routes !== undefined)))}`,
    '',
  ].join('\n');

function neighborConfig(neighbor: GobgpNeighbor, waits: boolean): object {
  const { address, asn, password, passive = false, ttlSecurity = false, maximum, perFamily, more } = neighbor;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  return {
    config: {
      ...{ 'neighbor-address': address, 'peer-as': asn, 'admin-down': waits },
      ...(password !== undefined && { 'auth-password': password }),
    },
    timers: { config: { 'connect-retry': 1, 'idle-hold-time-after-reset': 1 } },
    transport: { config: { 'passive-mode': passive } },
    ...(ttlSecurity && { 'ttl-security': { config: { enabled: true, 'ttl-min': 255 } } }),
    'afi-safis': [
      {
        config: { 'afi-safi-name': `${family}-unicast` },
        ...(maximum !== undefined && { 'prefix-limit': { config: { 'max-prefixes': maximum } } }),
        ...perFamily,
      },
    ],
    ...more,
  };
}

/** TOML on one line, with inline tables. */
function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key} = ${toml(inner)}`)
    .join(', ')} }`;
}
