import type { IpFamily } from '../../src/model/ip.ts';
import type { Negotiated } from '../peer/negotiate.ts';
import type { LimitStage } from '../prefix-limit.ts';
import type { AdjRibIn } from '../rib/adj-rib-in.ts';
import { NOTHING_TOLD } from '../rib/adj-rib-out.ts';
import type { AdjRibOut } from '../rib/adj-rib-out.ts';
import type { AttributeCache } from '../rib/attribute-cache.ts';
import type { Lane } from '../rib/lane.ts';
import type { LocRib } from '../rib/loc-rib.ts';
import type { PathTable } from '../rib/path-table.ts';
import type { PackedPrefix, PrefixTable } from '../rib/prefix-table.ts';
import type { DecisionSettings, PeerSettings, PrefixLimit } from '../settings.ts';
import type { ExportGroup, ExportOrigin } from '../update/export-group.ts';
import type { Chores } from './chores.ts';
import type { ImportPolicy } from './import-policy.ts';
import type { ImportSession } from '../policy/import.ts';
import type { Sources } from './sources.ts';

export const FAMILIES: readonly IpFamily[] = [4, 6];

export type PerFamily<T> = Readonly<Record<IpFamily, T>>;

/** The tables of one family, shared by all peers. */
export interface FamilyTables {
  readonly prefixes: PrefixTable;
  readonly locRib: LocRib;
  /** Of the peers that take several paths of a prefix. */
  readonly paths: PathTable;
  readonly originated: Lane;
}

/** One peer as the tables know it; lives as long as the peer is configured, sessions come and go. */
export interface RoutingPeer {
  /** Its own among the peers; also the source of its first lanes. */
  readonly index: number;
  settings: PeerSettings;
  /** For a tie-break. */
  readonly addressValue: bigint;
  readonly adjRibIn: PerFamily<AdjRibIn>;
  /** What it was told in the session that is up. */
  readonly adjRibOut: Record<IpFamily, AdjRibOut>;
  /** Of the last session too, for its routes may outlive it. */
  identity: { readonly bgpIdentifier: number; readonly external: boolean };
  /** What others are told of its routes depends on this. */
  origin: ExportOrigin;
  /** Of the last session too; undefined before the first. */
  importSession: ImportSession | undefined;
  importPolicy: ImportPolicy | undefined;
  session: PeerSession | undefined;
  /** Per family of the session that is up; empty where none is. */
  readonly exportGroups: Map<IpFamily, ExportGroup>;
  /** How far the number of its prefixes has come, as it was last said. */
  readonly limitStages: Record<IpFamily, LimitStage>;
  /** What was said about this session already. */
  readonly complaints: Set<string>;
  /** Families in which it asked for everything again, and those in which it is being told. RFC 2918, RFC 7313. */
  readonly refreshDue: Set<IpFamily>;
  readonly refreshing: Set<IpFamily>;
}

/** A peer that had no session yet. */
export function newPeer(
  index: number,
  settings: PeerSettings,
  { adjRibIn }: Pick<RoutingPeer, 'adjRibIn'>,
): RoutingPeer {
  const identity = { bgpIdentifier: 0, external: false };
  return {
    index,
    settings,
    addressValue: settings.address.words.reduce((value, word) => (value << 32n) | BigInt(word), 0n),
    adjRibIn,
    adjRibOut: { 4: NOTHING_TOLD, 6: NOTHING_TOLD },
    identity,
    origin: originOf({ index, settings, identity }),
    importSession: undefined,
    importPolicy: undefined,
    session: undefined,
    exportGroups: new Map(),
    limitStages: { 4: 'within', 6: 'within' },
    complaints: new Set(),
    refreshDue: new Set(),
    refreshing: new Set(),
  };
}

export function originOf({
  index,
  settings,
  identity,
}: Pick<RoutingPeer, 'index' | 'settings' | 'identity'>): ExportOrigin {
  const { routeReflectorClient, interface: link } = settings;
  const source = { kind: 'peer', ...identity, routeReflectorClient } as const;
  return { source, peer: index, ...(link !== undefined && { interface: link }) };
}

/** Where our own routes come from. */
const OURSELVES: ExportOrigin = { source: { kind: 'local' }, peer: 0 };

/** Whose route a source offers, as export looks at it. */
export const originOfSource = ({ sources }: Pick<RoutingCore, 'sources'>, source: number): ExportOrigin =>
  sources.peer(source)?.origin ?? OURSELVES;

/** The session that is up. */
export interface PeerSession {
  readonly negotiated: Negotiated;
  /** Our end of the TCP connection: 4 or 16 octets. */
  readonly localAddress: Uint8Array;
}

export interface RoutingSettings {
  readonly bgpIdentifier: number;
  readonly transit: boolean;
  readonly clusterId: number | undefined;
  readonly decision?: DecisionSettings | undefined;
  readonly seed: number;
}

export interface LimitReached {
  readonly family: IpFamily;
  readonly limit: PrefixLimit;
  readonly stage: LimitStage;
}

/** What happened to the tables, for those who pass it on. */
export interface RoutingListener {
  /** A best route, or a set of equal paths, is another now. */
  routesChanged(): void;
  /** Selection is due: call `settle` soon. */
  workWaits(): void;
  /** There may be something to tell this peer by itself: call `nextUpdate` when its session has room. */
  hasNews(peer: RoutingPeer): void;
  /** Whether its session has room for what its group is told. */
  isReady(peer: RoutingPeer): boolean;
  /** Whole UPDATEs for the peer, which others are told, too: they must not be changed. */
  tell(peer: RoutingPeer, messages: Uint8Array): void;
  /** The peer's prefixes came to a warning or went beyond the limit; each once in a session. */
  limitReached(peer: RoutingPeer, reached: LimitReached): void;
  /** Something is left out that an operator should know of, in one sentence; once for each cause and session. */
  leftOut(peer: RoutingPeer, text: string): void;
}

export interface SpeakerState {
  /** RFC 4456; undefined: no route reflector. */
  clusterId: number | undefined;
  /** We are about to leave. RFC 8326. */
  isDraining: boolean;
  /** Where no other AS may announce anything. */
  ownBlocks: PerFamily<readonly PackedPrefix[]>;
}

/** What all parts of the tables share. */
export interface RoutingCore {
  readonly settings: RoutingSettings;
  readonly listener: RoutingListener;
  readonly attributes: AttributeCache;
  readonly tables: PerFamily<FamilyTables>;
  readonly sources: Sources<RoutingPeer>;
  readonly chores: Chores;
  /** What may change while sessions are up. */
  readonly speaker: SpeakerState;
  /** Selection, or a chore, may wait. */
  readonly work: () => void;
}

/** Says once in a session what would be said again with every route. */
export function complain(
  { listener }: RoutingCore,
  peer: RoutingPeer,
  { cause, text }: { readonly cause: string; readonly text: string },
): void {
  if (peer.complaints.has(cause)) return;
  peer.complaints.add(cause);
  listener.leftOut(peer, text);
}
