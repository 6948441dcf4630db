/**
 * ExaBGP in a lab. It has no table: what it hears goes as JSON to the program that it runs, which appends it to a file, and
 * what it says stands in its configuration or is appended to another file that the program prints. So it is also a witness
 * that remembers every withdrawal.
 */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exabgp } from '../../capture/daemons/exabgp.ts';
import type { Daemon } from '../../capture/daemon.ts';
import type { LabDaemon, SpeakerLab } from '../../support/speaker-lab.ts';

export interface ExabgpNeighbor {
  readonly address: string;
  readonly localAddress: string;
  readonly asn: number;
  readonly localAsn: number;
  /** Default: that of the address. */
  readonly families?: readonly ('ipv4' | 'ipv6')[];
  /** Such as `add-path send/receive;`. */
  readonly capability?: string;
  /** More lines of the neighbor. */
  readonly more?: string;
  /** `10.50.0.0/16 next-hop 10.98.0.2`. */
  readonly routes?: readonly string[];
}

export interface ExabgpSetup {
  readonly routerId: string;
  readonly neighbors: readonly ExabgpNeighbor[];
}

/** What an UPDATE said last of a prefix. */
export interface ExabgpRoute {
  readonly prefix: string;
  readonly pathId?: string;
  readonly nextHop: string;
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Of all three sizes: `65010:1`, `target:65010:100`, `65010:1:2`. */
  readonly communities: readonly string[];
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
    readonly notification?: { readonly code: number; readonly subcode: number; readonly message?: string };
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
    await exabgp.start(host, config.replace('PROGRAM', program));
  },
};

export class Exabgp {
  readonly #daemon: LabDaemon;
  readonly #heard: string;

  private constructor(daemon: LabDaemon, heard: string) {
    this.#daemon = daemon;
    this.#heard = heard;
  }

  static async start(lab: SpeakerLab, host: string, setup: ExabgpSetup): Promise<Exabgp> {
    const daemon = await lab.startDaemon(host, recorded, configText(setup));
    return new Exabgp(daemon, join(lab.directory, host, HEARD));
  }

  /** A line of its API: `announce route 10.50.0.0/16 next-hop self`. */
  control(line: string): void {
    this.#daemon.control(line);
  }

  /** Of one peer, in their order. */
  events(peer: string): readonly ExabgpEvent[] {
    return readFileSync(this.#heard, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line.replace(/""([\w-]+)""/g, '"$1"')) as ExabgpEvent)
      .filter(({ neighbor }) => neighbor.address.peer === peer);
  }

  isUp(peer: string): boolean {
    return this.events(peer).findLast(({ type }) => type === 'state')?.neighbor.state === 'up';
  }

  /** How often the session was up and then down. */
  losses(peer: string): number {
    const states = this.events(peer).flatMap(({ neighbor: { state } }) => (state === undefined ? [] : [state]));
    return states.filter((state, i) => state === 'down' && states[i - 1] === 'up').length;
  }

  /** What the peer tells now. */
  routes(peer: string): readonly ExabgpRoute[] {
    const routes = new Map<string, ExabgpRoute>();
    for (const { type, neighbor } of this.events(peer)) {
      if (type === 'state' && neighbor.state === 'down') routes.clear();
      const { withdraw = {}, announce = {}, attribute = {} } = neighbor.message?.update ?? {};
      for (const nlri of Object.values(withdraw).flat()) routes.delete(keyOf(nlri));
      for (const [nextHop, nlris] of Object.values(announce).flatMap((byNextHop) => Object.entries(byNextHop)))
        for (const nlri of nlris) routes.set(keyOf(nlri), routeOf(nlri, nextHop, attribute));
    }
    return [...routes.values()];
  }

  /** Sorted. */
  prefixes(peer: string): readonly string[] {
    return this.routes(peer)
      .map(({ prefix }) => prefix)
      .sort();
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

const keyOf = ({ nlri, ...more }: RawNlri): string => `${nlri} ${more['path-information'] ?? ''}`;

function routeOf({ nlri: prefix, ...more }: RawNlri, nextHop: string, raw: RawAttributes): ExabgpRoute {
  const pathId = more['path-information'];
  return {
    ...{ prefix, nextHop, asPath: raw['as-path'] ?? [] },
    ...(pathId !== undefined && { pathId }),
    ...(raw.med !== undefined && { med: raw.med }),
    ...(raw['local-preference'] !== undefined && { localPref: raw['local-preference'] }),
    ...(raw['originator-id'] !== undefined && { originatorId: raw['originator-id'] }),
    ...(raw['cluster-list'] !== undefined && { clusterList: raw['cluster-list'] }),
    communities: [
      ...(raw.community ?? []).map((parts) => parts.join(':')),
      ...(raw['extended-community'] ?? []).map(({ string }) => string),
      ...(raw['large-community'] ?? []).map((parts) => parts.join(':')),
    ],
  };
}

const configText = ({ routerId, neighbors }: ExabgpSetup): string =>
  [
    'process program { run /bin/sh PROGRAM; encoder json; }',
    ...neighbors.map((one) => neighborText(routerId, one)),
  ].join('\n');

const neighborText = (routerId: string, neighbor: ExabgpNeighbor): string => `
neighbor ${neighbor.address} {
  router-id ${routerId}; local-address ${neighbor.localAddress};
  local-as ${neighbor.localAsn}; peer-as ${neighbor.asn}; hold-time 90;
  capability { route-refresh enable; ${neighbor.capability ?? ''} }
  family { ${(neighbor.families ?? [neighbor.address.includes(':') ? 'ipv6' : 'ipv4']).map((it) => `${it} unicast; `).join('')}}
  api { processes [ program ]; neighbor-changes; receive { parsed; open; update; notification; refresh; } }
  static { ${(neighbor.routes ?? []).map((route) => `route ${route}; `).join('')}}
  ${neighbor.more ?? ''}
}`;
