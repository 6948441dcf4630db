/**
 * ExaBGP in a lab. It has no table: what it hears goes as JSON to the program that it runs, which appends it to a file, and
 * what it says stands in its configuration or is appended to another file that the program prints. So it is also a witness
 * that remembers every withdrawal.
 */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exabgp } from '../../capture/daemons/exabgp.ts';
import type { Daemon } from '../../capture/daemon.ts';
import type { LabDaemon, SpeakerLab, SpeakerLabHost } from '../../support/speaker-lab.ts';
import type { Family } from '../families.ts';
import type { LiveDaemon, LiveKind, LiveNeighbor, LivePath, LiveRoute, LiveSetup, Notified } from '../live-daemon.ts';

export interface ExabgpNeighbor extends LiveNeighbor {
  /** Such as `add-path send/receive;`. */
  readonly capability?: string;
  /** Told when the session comes up: `10.50.0.0/16 next-hop 10.98.0.2`. */
  readonly routes?: readonly string[];
}

export interface ExabgpSetup extends LiveSetup {
  readonly neighbors: readonly ExabgpNeighbor[];
}

/** One line of its JSON. */
export interface ExabgpEvent {
  readonly type: string;
  readonly neighbor: {
    readonly address: { readonly local: string; readonly peer: string };
    readonly direction?: 'send' | 'receive';
    readonly state?: 'connected' | 'up' | 'down';
    readonly reason?: string;
    readonly open?: { readonly capabilities: Readonly<Record<string, { readonly name: string }>> };
    readonly notification?: { readonly code: number; readonly subcode: number };
    readonly 'route-refresh'?: { readonly subtype: string };
    readonly message?: { readonly update?: RawUpdate; readonly eor?: { readonly afi: string } };
  };
}

interface RawUpdate {
  readonly attribute?: RawAttributes;
  /** By family, then by next hop. */
  readonly announce?: Readonly<Record<string, Readonly<Record<string, readonly RawNlri[]>>>>;
  readonly withdraw?: Readonly<Record<string, readonly RawNlri[]>>;
}

interface RawNlri {
  readonly nlri: string;
  readonly 'path-information'?: string;
}

interface RawAttributes {
  readonly 'as-path'?: readonly number[];
  readonly med?: number;
  readonly 'local-preference'?: number;
  readonly 'originator-id'?: string;
  readonly 'cluster-list'?: readonly string[];
  readonly community?: readonly (readonly number[])[];
  readonly 'large-community'?: readonly (readonly number[])[];
  readonly 'extended-community'?: readonly { readonly string: string }[];
}

const PROGRAM = 'program';
const HEARD = 'heard';

/** Its standard output stays open behind `tail`: ExaBGP takes a closed one for the end. */
const recorded: Daemon = {
  ...exabgp,
  start: async (host, config) => {
    const heard = host.file(HEARD, '');
    // Its programs do not run as root.
    chmodSync(heard, 0o666);
    const program = host.file(PROGRAM, `tail -n +1 -f ${join(host.directory, 'commands')} &\ncat >> ${heard}\n`);
    const listens = config.includes('neighbor fe80') ? ['exabgp.tcp.bind=::'] : [];
    await exabgp.start(
      { ...host, startDaemon: (...command) => host.startDaemon('env', ...listens, ...command) },
      config.replace('PROGRAM', program),
    );
  },
};

export class Exabgp implements LiveDaemon {
  readonly #daemon: LabDaemon;
  readonly #heard: string;
  readonly #asn: number;

  private constructor(daemon: LabDaemon, heard: string, asn: number) {
    this.#daemon = daemon;
    this.#heard = heard;
    this.#asn = asn;
  }

  static async start(lab: SpeakerLab, host: string, setup: ExabgpSetup): Promise<Exabgp> {
    const daemon = await lab.startDaemon(host, recorded, configText(setup, lab.host(host)));
    return new Exabgp(daemon, join(lab.directory, host, HEARD), setup.asn);
  }

  /** A line of its API: `announce route-refresh ipv4 unicast`. */
  control(line: string): void {
    this.#daemon.control(line);
  }

  announce(...routes: readonly LiveRoute[]): void {
    for (const route of routes) this.control(`announce route ${routeText(route, this.#asn)}`);
  }

  withdraw(...routes: readonly LiveRoute[]): void {
    for (const { prefix, nextHop } of routes) this.control(`withdraw route ${prefix} next-hop ${nextHop}`);
  }

  /** Of all peers, or of one, in their order. */
  events(peer?: string): readonly ExabgpEvent[] {
    return readFileSync(this.#heard, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(mended(line)) as ExabgpEvent)
      .filter(({ neighbor }) => peer === undefined || neighbor.address.peer === withoutLink(peer));
  }

  /** What was told and not withdrawn, in the sessions that are up. */
  paths(family: Family): readonly LivePath[] {
    const paths = new Map<string, LivePath>();
    for (const { type, neighbor } of this.events()) {
      const from = neighbor.address.peer;
      if (type === 'state' && neighbor.state === 'down')
        for (const [key, path] of paths) if (path.from === from) paths.delete(key);
      const { withdraw, announce, attribute = {} } = neighbor.message?.update ?? {};
      for (const nlri of withdraw?.[`${family} unicast`] ?? []) paths.delete(keyOf(from, nlri));
      for (const [nextHop, nlris] of Object.entries(announce?.[`${family} unicast`] ?? {}))
        for (const nlri of nlris) paths.set(keyOf(from, nlri), pathOf({ from, prefix: nlri.nlri, nextHop }, attribute));
    }
    return [...paths.values()];
  }

  isEstablished(neighbor: string): boolean {
    return this.events(neighbor).findLast(({ type }) => type === 'state')?.neighbor.state === 'up';
  }

  refreshesHeard(neighbor: string): number {
    return this.events(neighbor).filter((event) => event.neighbor['route-refresh']?.subtype === 'query').length;
  }

  notified(neighbor: string): readonly Notified[] {
    return this.events(neighbor).flatMap(({ neighbor: { direction, notification } }) =>
      notification === undefined
        ? []
        : [
            {
              kind: direction === 'send' ? 'sent' : 'received',
              ...{ code: notification.code, subcode: notification.subcode },
            },
          ],
    );
  }

  /** It has no place for the words. */
  shutDown(neighbor: string): void {
    this.control(`neighbor ${neighbor} teardown 2`);
  }

  /** How often the session was up and then down. */
  losses(peer: string): number {
    const states = this.events(peer).flatMap(({ neighbor: { state } }) => (state === undefined ? [] : [state]));
    return states.filter((state, i) => state === 'down' && states[i - 1] === 'up').length;
  }

  /** What the peer has ever withdrawn. */
  withdrawals(peer: string): readonly string[] {
    return this.events(peer).flatMap(({ neighbor }) =>
      Object.values(neighbor.message?.update?.withdraw ?? {})
        .flat()
        .map(({ nlri }) => nlri),
    );
  }

  output(): string {
    return this.#daemon.output();
  }

  kill(): Promise<void> {
    return this.#daemon.kill();
  }
}

/** It says in each OPEN that it has kept its routes: whoever helps must know it. */
export const restartingExabgp: LiveKind = {
  start: (lab, host, setup) =>
    Exabgp.start(lab, host, {
      ...setup,
      neighbors: setup.neighbors.map((neighbor) => ({ ...neighbor, capability: 'graceful-restart 60;' })),
    }),
};

/** It quotes some words twice, and leaves octets of a NOTIFICATION as they are. */
const mended = (line: string): string => line.replace(/""([\w-]+)""/g, '"$1"').replace(/[\0-\x1f]/g, '.');

const withoutLink = (address: string): string => address.split('%', 1)[0]!;

const keyOf = (from: string, { nlri, ...more }: RawNlri): string => `${from} ${nlri} ${more['path-information'] ?? ''}`;

const pathOf = (told: Pick<LivePath, 'from' | 'prefix' | 'nextHop'>, raw: RawAttributes): LivePath => ({
  ...told,
  asPath: raw['as-path'] ?? [],
  stale: false,
  ...(raw.med !== undefined && { med: raw.med }),
  ...(raw['local-preference'] !== undefined && { localPref: raw['local-preference'] }),
  ...(raw['originator-id'] !== undefined && { originatorId: raw['originator-id'] }),
  ...(raw['cluster-list'] !== undefined && { clusterList: raw['cluster-list'] }),
  communities: [
    ...(raw.community ?? []).map((parts) => parts.join(':')),
    ...(raw['extended-community'] ?? []).map(({ string }) => string.replace(/^target:(\d+)L?/, 'rt $1')),
    ...(raw['large-community'] ?? []).map((parts) => parts.join(':')),
  ],
});

/** Where it is given a path, it does not put its own AS before it. */
function routeText({ prefix, nextHop, ...more }: LiveRoute, asn: number): string {
  const list = (word: string, values: readonly (string | number)[] | undefined): string =>
    values === undefined ? '' : ` ${word} [ ${values.join(' ')} ]`;
  return [
    `${prefix} next-hop ${nextHop}`,
    list('as-path', more.asPath && [asn, ...more.asPath]),
    list('community', more.communities),
    list('large-community', more.largeCommunities),
    list(
      'extended-community',
      more.routeTargets?.map((target) => `target:${target}`),
    ),
  ].join('');
}

const configText = (setup: ExabgpSetup, host: SpeakerLabHost): string =>
  [
    'process program { run /bin/sh PROGRAM; encoder json; }',
    ...setup.neighbors.map((neighbor) => neighborText(setup, neighbor, host)),
  ].join('\n');

function neighborText({ asn, routes = [] }: ExabgpSetup, neighbor: ExabgpNeighbor, host: SpeakerLabHost): string {
  const family = neighbor.address.includes(':') ? 'ipv6' : 'ipv4';
  const told = [
    ...routes.filter(({ prefix }) => prefix.includes(':') === (family === 'ipv6')).map((it) => routeText(it, asn)),
    ...(neighbor.routes ?? []),
  ];
  const isLinkLocal = neighbor.address.startsWith('fe80');
  return `
neighbor ${withoutLink(neighbor.address)} {
  router-id ${host.ipv4}; local-address ${isLinkLocal ? withoutLink(host.linkLocal) : host[family]};
  local-as ${asn}; peer-as ${neighbor.asn}; hold-time 90;
  capability { route-refresh enable; ${neighbor.capability ?? ''} }
  family { ${family} unicast; }
  api { processes [ program ]; neighbor-changes; receive { parsed; open; update; notification; refresh; } send { parsed; notification; } }
  static { ${told.map((route) => `route ${route}; `).join('')}}
  ${[
    ...(neighbor.passive === true ? ['passive true; listen 179;'] : []),
    ...(isLinkLocal ? ['passive true;'] : []),
    ...(neighbor.password === undefined ? [] : [`md5-password '${neighbor.password}';`]),
    ...(neighbor.ttlSecurity === true ? ['outgoing-ttl 255; incoming-ttl 255;'] : []),
  ].join('\n  ')}
}`;
}
