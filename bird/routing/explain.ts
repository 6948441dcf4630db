/** What the tables know of one prefix, for people: every path with its fate, the selection, and what each peer hears of it. */
import type { IpFamily, Prefix } from '../../src/model/ip.ts';
import { ACCEPTED } from '../policy/import.ts';
import { ONLY_PATH } from '../rib/adj-rib-out.ts';
import type { Selection } from '../rib/decision.ts';
import { NOBODY } from '../rib/holders.ts';
import { ABSENT } from '../rib/int-table.ts';
import type { Lane } from '../rib/lane.ts';
import { NO_PREFIX, packPrefix } from '../rib/prefix-table.ts';
import { sentPathId } from '../update/pack.ts';
import type { PathAttributes } from '../wire.ts';
import type { Exports } from './exports.ts';
import type { RoutingCore, RoutingPeer } from './peer.ts';
import { verdictText } from './verdict-text.ts';

/** One row of an Adj-RIB-In, or of the routes of this node. */
export interface PathState {
  /** Undefined: this node. */
  readonly peer: RoutingPeer | undefined;
  readonly source: number;
  /** Which of the peer's lanes; 0 without ADD-PATH. */
  readonly lane: number;
  /** RFC 7911. */
  readonly pathId: number | undefined;
  readonly received: PathAttributes;
  /** As import left them: what selection and export see. */
  readonly used: PathAttributes;
  /** 0: accepted. */
  readonly rejection: number;
  /** Why import refused it, with the name of the rule where a filter did; undefined: accepted. */
  readonly rejectedBy: string | undefined;
  /** The rule of the import filters that decides about it; undefined: none does. */
  readonly rule: string | undefined;
  readonly stale: boolean;
}

/** What one peer hears of one path. `told`: what it has now, which lags behind while UPDATEs wait. */
export type PathExport =
  | {
      readonly peer: RoutingPeer;
      readonly kind: 'send';
      /** The source of the path. */
      readonly source: number;
      /** RFC 7911; undefined where the peer takes one path alone. */
      readonly pathId: number | undefined;
      readonly attributes: PathAttributes;
      readonly rule: string | undefined;
      readonly told: PathAttributes | undefined;
      readonly isPending: boolean;
    }
  | {
      readonly peer: RoutingPeer;
      readonly kind: 'kept back';
      /** NOBODY: of a path that is gone, and nobody knows any more whose it was. */
      readonly source: number;
      readonly pathId: number | undefined;
      readonly reason: string;
      /** What the peer has until it hears the withdrawal. */
      readonly told: PathAttributes | undefined;
    };

export interface PrefixExplanation {
  /** Of the prefix in the tables. */
  readonly id: number;
  readonly paths: readonly PathState[];
  /** What is selected now; selection that is due may find something else. */
  readonly best: number | undefined;
  /** Worked out anew from what is usable now; undefined where nothing is. */
  readonly selection: Selection | undefined;
  /** Of every peer whose session is up. */
  readonly exports: readonly PathExport[];
}

/** Undefined where nobody ever offered the prefix. */
export function explainPrefix(
  { core, exports }: { readonly core: RoutingCore; readonly exports: Exports },
  prefix: Prefix,
): PrefixExplanation | undefined {
  const { family } = prefix.address;
  const { prefixes, locRib } = core.tables[family];
  const { w0, w1, w2, w3, length } = packPrefix(prefix);
  const id = prefixes.find(w0, w1, w2, w3, length);
  if (id === NO_PREFIX) return undefined;
  const peers = [...core.sources.peers()];
  return {
    id,
    paths: [
      ...pathIn(core, { family, prefix: id }, { peer: undefined, lane: core.tables[family].originated, at: 0 }),
      ...peers.flatMap((peer) =>
        peer.adjRibIn[family].lanes.flatMap((lane, at) => pathIn(core, { family, prefix: id }, { peer, lane, at })),
      ),
    ],
    best: locRib.best(id)?.source,
    selection: locRib.explain(id),
    exports: peers.flatMap((peer) => exportsTo(core, exports, { peer, family, prefix: id })),
  };
}

interface Place {
  readonly family: IpFamily;
  readonly prefix: number;
}

/** The path of a prefix in one lane, of a peer or (undefined) of this node; none where there is none. */
export function pathIn(
  core: RoutingCore,
  { family, prefix }: Place,
  { peer, lane, at }: { readonly peer: RoutingPeer | undefined; readonly lane: Lane; readonly at: number },
): readonly PathState[] {
  const received = lane.get(prefix);
  if (received === ABSENT) return [];
  const rejection = lane.rejection(prefix);
  const rule = peer?.importPolicy?.ruleName(family, core.tables[family].prefixes.packed(prefix), received);
  const isRejected = peer !== undefined && rejection !== ACCEPTED;
  return [
    {
      peer,
      source: lane.source,
      lane: at,
      pathId: lane.pathId(prefix),
      received: core.attributes.attributes(received),
      used: core.attributes.attributes(lane.used(prefix)),
      rejection,
      rejectedBy: isRejected ? verdictText(rejection, peer.settings, rule) : undefined,
      rule,
      stale: lane.isStale(prefix),
    },
  ];
}

/** What becomes of the paths of a prefix towards one peer, and of those that it has still; none where its session is down. */
export function exportsTo(
  core: RoutingCore,
  exports: Exports,
  { peer, family, prefix }: Place & { readonly peer: RoutingPeer },
): readonly PathExport[] {
  if (!peer.exportGroups.has(family)) return [];
  const { locRib } = core.tables[family];
  const adjRibOut = peer.adjRibOut[family];
  const best = locRib.best(prefix)?.source ?? NOBODY;
  const offered = locRib.sourcesOf(prefix);
  const known = adjRibOut.hasPaths ? adjRibOut.pathsOf(prefix) : [best];
  const gone = known.filter((source) => !offered.includes(source));
  return [...offered, ...gone].flatMap((source): readonly PathExport[] => {
    const isTaken = adjRibOut.hasPaths || source === best;
    const path = adjRibOut.hasPaths ? source : ONLY_PATH;
    const told = isTaken ? adjRibOut.told(prefix, path) : undefined;
    const pathId = adjRibOut.hasPaths ? sentPathId(source) : undefined;
    const outcome = exports.explain(peer, family, { prefix, source });
    if (outcome === undefined) {
      return told === undefined ? [] : [{ peer, kind: 'kept back', source, pathId, reason: 'the path is gone', told }];
    }
    if (outcome.kind === 'kept back') return [{ ...outcome, peer, source, pathId, told }];
    if (!isTaken) return [{ peer, kind: 'kept back', source, pathId, reason: NOT_BEST, told }];
    const { attributes, rule } = outcome;
    const isPending = adjRibOut.isPending(prefix, path);
    return [{ peer, kind: 'send', source, pathId, attributes, rule, told, isPending }];
  });
}

const NOT_BEST = 'it is not the best path, and the peer takes no other';
