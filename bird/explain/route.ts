/** One prefix from its origin to those who are told: every path with its fate. */
import type { Prefix } from '../../src/model/ip.ts';
import { formatIpv4, formatPrefix, prefixOf } from '../../src/model/ip.ts';
import { routeTexts } from '../route-texts.ts';
import { FAMILIES, LOCAL_SOURCE } from '../routing.ts';
import type { Routing, RoutingPeer } from '../routing.ts';
import { explainPrefix, exportsTo } from '../routing/explain.ts';
import type { PathExport, PathState, PrefixExplanation } from '../routing/explain.ts';
import { pathReason, peerText } from '../snapshot.ts';
import type { AdvertisementView, ExplainedPath, RouteAttributes, RouteExplanation } from '../view.ts';
import { formatAsPath } from '../wire.ts';
import type { PathAttributes } from '../wire.ts';

/** `asked`, or the longest prefix around it that anybody told; with no path where there is none. */
export function explainRoute(routing: Routing, asked: Prefix): RouteExplanation {
  const { prefix, known } = longest(routing, asked, ({ paths, exports }) => paths.length > 0 || exports.length > 0);
  if (known === undefined) {
    const verdict = `nobody has told this speaker of ${formatPrefix(asked)}, nor of a prefix around it`;
    return { prefix: asked, verdict, paths: [], advertised: [] };
  }
  const best = known.paths.find(({ source }) => source === known.best);
  const originator = best === undefined ? undefined : originatorOf(best);
  const isBest = (path: PathState): boolean => path === best;
  const paths = [...known.paths].sort((a, b) => Number(isBest(b)) - Number(isBest(a)));
  return {
    prefix,
    verdict: `${verdictOf(known, best)}${best === undefined ? insteadText(routing, prefix) : ''}`,
    ...(originator !== undefined && { originator }),
    paths: paths.map((path) => explainedPath(routing, { prefix, id: known.id }, { path, isBest: isBest(path) })),
    advertised: fates(routing, prefix, { known, best }),
  };
}

/** Of this prefix or of one around it. */
function longest(
  routing: Routing,
  { address, length }: Prefix,
  isMeant: (known: PrefixExplanation) => boolean,
): { readonly prefix: Prefix; readonly known: PrefixExplanation | undefined } {
  for (let shorter = length; shorter >= 0; shorter--) {
    const prefix = prefixOf(address, shorter);
    const known = explainPrefix(routing, prefix);
    if (known !== undefined && isMeant(known)) return { prefix, known };
  }
  return { prefix: { address, length }, known: undefined };
}

/** Where the traffic goes all the same. */
function insteadText(routing: Routing, prefix: Prefix): string {
  const around = longest(routing, prefix, ({ best }) => best !== undefined);
  return around.known === undefined ? '' : `; ${formatPrefix(around.prefix)} around it is used instead`;
}

interface Chosen {
  readonly known: PrefixExplanation;
  readonly best: PathState | undefined;
}

/** Every peer, also one that cannot be told; of the paths that a peer does not take nothing is said. */
function fates(routing: Routing, prefix: Prefix, { known, best }: Chosen): readonly AdvertisementView[] {
  const { family } = prefix.address;
  const isHeld = ({ told }: PathExport): boolean => told !== undefined;
  if (best === undefined) {
    return known.exports.filter(isHeld).map((each) => advertisement(routing, prefix, each));
  }
  const told = known.exports.filter(
    (each) => each.source === best.source || isHeld(each) || each.peer.adjRibOut[family].hasPaths,
  );
  return [...routing.core.sources.peers()].flatMap((peer): readonly AdvertisementView[] => {
    const own = told.filter((each) => each.peer === peer);
    if (own.length > 0) return own.map((each) => advertisement(routing, prefix, each));
    const reason =
      peer.session === undefined ? 'its session is not up' : `its session does not carry IPv${family} unicast`;
    return [{ prefix, to: peerText(peer), from: sourceText(best.peer), outcome: 'kept back', reason }];
  });
}

function verdictOf({ paths }: PrefixExplanation, best: PathState | undefined): string {
  const refused = paths.filter(({ rejectedBy }) => rejectedBy !== undefined).length;
  const of = paths.length === 1 ? 'the only path' : `one of ${paths.length} paths`;
  if (best !== undefined) return `the path from ${sourceText(best.peer)} is best, ${of}`;
  if (paths.length === 0) return 'no path is left, and a peer that was told one is about to hear so';
  if (refused === paths.length)
    return `no path can be used: import refused ${refused === 1 ? 'the only one' : `all ${refused}`}`;
  return 'no path is selected yet';
}

/** RFC 4456 §8 within the AS, else the AS at the far end of the path. */
function originatorOf({ peer, received }: PathState): string {
  if (peer === undefined) return 'this node';
  const origin = received.asPath?.at(-1)?.asns.at(-1);
  if (origin !== undefined) return `AS ${origin}, by the AS_PATH ${formatAsPath(received.asPath ?? [])}`;
  if (received.originatorId !== undefined)
    return `the router ${formatIpv4(received.originatorId)} of our own AS (ORIGINATOR_ID)`;
  return `${peerText(peer)} itself, of our own AS`;
}

function explainedPath(
  routing: Routing,
  { prefix, id }: { readonly prefix: Prefix; readonly id: number },
  { path, isBest }: { readonly path: PathState; readonly isBest: boolean },
): ExplainedPath {
  const { locRib } = routing.tables[prefix.address.family];
  const reason = path.peer === undefined ? 'originated by this node' : pathReason(locRib, id, path);
  return {
    prefix,
    best: isBest,
    reason,
    from: sourceText(path.peer),
    ...(path.pathId !== undefined && { pathId: path.pathId }),
    ...routeTexts(path.received),
    stale: path.stale,
    changes: path.rejectedBy === undefined ? changes(path.received, path.used) : [],
    ...(path.rule !== undefined && { rule: path.rule }),
  };
}

function advertisement(routing: Routing, prefix: Prefix, each: PathExport): AdvertisementView {
  const common = {
    prefix,
    to: peerText(each.peer),
    from: goneText(routing, each.source),
    ...(each.pathId !== undefined && { pathId: each.pathId }),
  };
  if (each.kind === 'kept back') {
    const { reason, told } = each;
    if (told === undefined) return { prefix, to: common.to, from: common.from, outcome: 'kept back', reason };
    return { ...common, outcome: 'waiting', reason: `to be withdrawn: ${reason}`, attributes: routeTexts(told) };
  }
  return {
    ...common,
    outcome: each.isPending || !isTold(each) ? 'waiting' : 'sent',
    ...(each.rule !== undefined && { reason: `accepted by ${each.rule}` }),
    attributes: routeTexts(each.attributes),
  };
}

/** Everything that one peer has been told or is about to be. */
export function advertisements(routing: Routing, peer: RoutingPeer): readonly AdvertisementView[] {
  return FAMILIES.flatMap((family) => {
    const { locRib, prefixes } = routing.tables[family];
    const views: AdvertisementView[] = [];
    for (let id = 0; id < locRib.rows; id++) {
      if (locRib.best(id) === undefined && peer.adjRibOut[family].pathsOf(id).length === 0) continue;
      for (const each of exportsTo(routing.core, routing.exports, { peer, family, prefix: id })) {
        const isShown = each.kind === 'send' || each.told !== undefined;
        if (isShown) views.push(advertisement(routing, prefixes.prefix(id), each));
      }
    }
    return views;
  });
}

/** What the peer has is what it shall have. */
const isTold = ({ told, attributes }: Extract<PathExport, { kind: 'send' }>): boolean =>
  told !== undefined && changes(told, attributes).length === 0;

/** A path may live longer in what a peer was told than in our tables. */
const goneText = (routing: Routing, source: number): string => {
  const peer = routing.peer(source);
  return peer === undefined && source !== LOCAL_SOURCE ? 'a path that is gone' : sourceText(peer);
};

const sourceText = (peer: RoutingPeer | undefined): string => (peer === undefined ? 'this node' : peerText(peer));

/** `LOCAL_PREF 100 → 0`, one for each attribute that people look at. */
function changes(before: PathAttributes, after: PathAttributes): readonly string[] {
  if (before === after) return [];
  const [a, b] = [routeTexts(before), routeTexts(after)];
  return SHOWN.flatMap(([name, value]) => (value(a) === value(b) ? [] : [`${name} ${value(a)} → ${value(b)}`]));
}

const SHOWN: readonly (readonly [string, (attributes: RouteAttributes) => string])[] = [
  ['AS_PATH', ({ asPath }) => (asPath === '' ? 'empty' : asPath)],
  ['LOCAL_PREF', ({ localPref }) => String(localPref ?? 'none')],
  ['MED', ({ med }) => String(med ?? 'none')],
  ['COMMUNITIES', ({ communities }) => (communities.length === 0 ? 'none' : communities.join(' '))],
];
