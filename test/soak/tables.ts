/** The tables that the speaker should have, and where those that it has differ, in words. */
import type { PathAttributes } from '../../bird/bgp-ts/index.ts';
import { formatAsPath, formatNextHop, parseAddress } from '../../bird/bgp-ts/index.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import type { SpeakerTables } from '../support/speaker-process.ts';
import type { Path, Source, Target } from './reference.ts';
import { exported, isUsable, kept, select } from './reference.ts';
import { isIpv6 } from './sets.ts';
import type { SoakPeer } from './topology.ts';
import { wordOf } from './topology.ts';
import type { Held, PeerTruth } from './truth.ts';

export interface World {
  readonly peers: readonly { readonly peer: SoakPeer; readonly truth: PeerTruth }[];
  readonly originated: ReadonlySet<string>;
}

/** One prefix that is not as it should be. */
export interface Difference {
  readonly text: string;
  readonly prefix: string;
  /** Whose doing it is, where it can be only one peer's. */
  readonly peer: number | undefined;
}

interface Selected {
  readonly best: Path;
  readonly equals: readonly Path[];
}

type Row = SpeakerTables['routes'][number];

const ORIGINATED: PathAttributes = { origin: 'igp', asPath: [] };

export class ExpectedTables {
  readonly #world: World;
  readonly #selected = new Map<string, Selected>();

  constructor(world: World) {
    this.#world = world;
    for (const [prefix, paths] of candidates(world)) {
      const selected = select(paths);
      if (selected !== undefined) this.#selected.set(prefix, selected);
    }
  }

  get paths(): number {
    return this.#world.peers.reduce((sum, { truth }) => sum + truth.held.size, 0);
  }

  get best(): number {
    return this.#selected.size;
  }

  /** What this peer, whose session is up, should have been told, against what it was told. */
  adjRibOut(index: number, told: ReadonlyMap<string, PathAttributes>): readonly Difference[] {
    const { peer, truth } = this.#world.peers[index]!;
    const wanted = new Map<string, string>();
    for (const [prefix, { best }] of this.#selected) {
      if (!truth.carries(prefix)) continue;
      const attributes = exported(best, targetOf(peer), isIpv6(prefix));
      if (attributes !== undefined) wanted.set(prefix, textOf(attributes));
    }
    const has = new Map([...told].map(([prefix, attributes]) => [prefix, textOf(attributes)]));
    return differences(`Adj-RIB-Out of ${peer.address}`, wanted, has);
  }

  /** All tables as the speaker shows them. */
  shown({ routes, learned }: SpeakerTables): readonly Difference[] {
    const byPeer = Map.groupBy(routes, ({ from }) => from.split(' ')[0]!);
    const ofPeers = this.#world.peers.flatMap(({ peer, truth }) =>
      adjRibIn(peer, truth, byPeer.get(peer.address) ?? []),
    );
    const best = new Map(routes.filter((row) => row.best).map(({ prefix, from }) => [prefix, from.split(' ')[0]!]));
    const nextHops = new Map(learned.map(({ prefix, nextHops: hops }) => [prefix, [...hops].sort().join(' ')]));
    return [
      ...ofPeers,
      ...differences(
        'Loc-RIB',
        this.#each(({ best: { source } }) => this.#addressOf(source)),
        best,
      ),
      ...differences('next hops', this.#each(nextHopsOf), nextHops),
    ];
  }

  #each(text: (selected: Selected) => string | undefined): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const [prefix, selected] of this.#selected) {
      const value = text(selected);
      if (value !== undefined) texts.set(prefix, value);
    }
    return texts;
  }

  #addressOf(source: Source | undefined): string {
    return source === undefined ? 'this' : this.#world.peers[source.index]!.peer.address;
  }
}

function candidates({ peers, originated }: World): ReadonlyMap<string, readonly Path[]> {
  const paths = new Map<string, Path[]>();
  const add = (prefix: string, path: Path): void => {
    const list = paths.get(prefix);
    if (list === undefined) paths.set(prefix, [path]);
    else list.push(path);
  };
  for (const prefix of originated) add(prefix, { source: undefined, attributes: ORIGINATED });
  for (const { peer, truth } of peers) {
    const source = targetOf(peer);
    for (const [prefix, held] of truth.held) {
      const attributes = kept(held.attributes, peer.external);
      if (isUsable(attributes, source)) add(prefix, { source, attributes });
    }
  }
  return paths;
}

export const targetOf = ({ index, external, settings, bgpIdentifier, address, speaker }: SoakPeer): Target => ({
  index,
  external,
  client: settings.client,
  nextHop: settings.nextHop,
  identifier: wordOf(bgpIdentifier),
  address: parseIpAddress(address).words.reduce((value, word) => (value << 32n) | BigInt(word), 0n),
  ourAddress: parseAddress(speaker)!,
});

function nextHopsOf({ best, equals }: Selected): string | undefined {
  if (best.source === undefined) return undefined;
  return [...new Set(equals.map(({ attributes }) => formatNextHop(attributes.nextHop!)))].sort().join(' ');
}

function adjRibIn(peer: SoakPeer, { held }: PeerTruth, rows: readonly Row[]): readonly Difference[] {
  const source = targetOf(peer);
  const wanted = new Map([...held].map(([prefix, route]) => [prefix, heldText(route, source)]));
  const has = new Map(rows.map((row) => [row.prefix, rowText(row)]));
  return differences(`Adj-RIB-In of ${peer.address}`, wanted, has).map((each) => ({ ...each, peer: peer.index }));
}

function heldText({ attributes, stale }: Held, source: Source): string {
  const {
    origin,
    asPath = [],
    nextHop,
    localPref,
    med,
    communities = [],
    largeCommunities = [],
  } = kept(attributes, source.external);
  const words = [
    ...communities.map((value) => `${value >>> 16}:${value & 0xffff}`),
    ...largeCommunities.map((parts) => parts.join(':')),
  ];
  const use = isUsable(attributes, source) ? 'usable' : 'refused';
  const shown = [formatNextHop(nextHop!), formatAsPath(asPath), origin, localPref, med, ...words];
  return `${shown.join(' ')} ${use}${stale ? ' stale' : ''}`;
}

function rowText({ nextHop, asPath, origin, localPref, med, communities, reason, stale }: Row): string {
  const use = reason.startsWith('rejected') ? 'refused' : 'usable';
  // Extended ones are looked at where they come out.
  const plain = communities.filter((text) => /^[\d:]+$/.test(text));
  return `${[nextHop, asPath, origin, localPref, med, ...plain].join(' ')} ${use}${stale ? ' stale' : ''}`;
}

const texts = new WeakMap<PathAttributes, string>();

/** Equal sets, and only they, give equal texts. */
function textOf(attributes: PathAttributes): string {
  const known = texts.get(attributes);
  if (known !== undefined) return known;
  const fields = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  const text = JSON.stringify(fields, plain);
  texts.set(attributes, text);
  return text;
}

function differences(
  table: string,
  wanted: ReadonlyMap<string, string>,
  has: ReadonlyMap<string, string>,
): readonly Difference[] {
  return [...new Set([...wanted.keys(), ...has.keys()])].flatMap((prefix) => {
    const [want = 'absent', have = 'absent'] = [wanted.get(prefix), has.get(prefix)];
    if (want === have) return [];
    return [{ text: `${table}: ${prefix} should be ${want}, is ${have}`, prefix, peer: undefined }];
  });
}
