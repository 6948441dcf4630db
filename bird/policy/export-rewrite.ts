/** What becomes of the attributes of a route that a peer is told. Pure. RFC 4271 §5.1. */
import { DEFAULT_LOCAL_PREF } from '../rib/quality.ts';
import { withoutAttributes } from '../wire.ts';
import type { AsSegment, PathAttributes } from '../wire.ts';
import { prependAsn, replaceAsn, withoutConfederations, withoutPrivateAsns } from './as-path.ts';
import { addCommunity } from './attributes.ts';
import type { ExportSource, ExportTarget } from './export-target.ts';
import { mustGoMarked } from './only-to-customer.ts';
import { reflect } from './reflection.ts';
import { wellKnown } from './well-known.ts';

/** The next hop is settled already. */
export function rewriteOnExport(
  attributes: PathAttributes,
  source: ExportSource,
  target: ExportTarget,
): PathAttributes {
  const told = target.external ? toExternal(attributes, source, target) : toInternal(attributes, source, target);
  return target.draining ? leaving(told, target) : told;
}

/** LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST stay in their AS, and MED in the AS that was told it. RFC 4271 §5.1.4, §5.1.5. */
function toExternal(attributes: PathAttributes, source: ExportSource, target: ExportTarget): PathAttributes {
  const isTransparent = target.routeServerClient === true && source.kind === 'peer'; // RFC 7947 §2.2
  const isMedOurs = source.kind === 'local' || isTransparent;
  const inner = ['localPref', 'originatorId', 'clusterList', ...(isMedOurs ? [] : (['med'] as const))] as const;
  const { asPath = [], ...rest } = withoutAttributes(attributes, inner);
  const path = visiblePath(asPath, target);
  return marked({ ...rest, asPath: isTransparent ? path : prependAsn(path, target.localAsn) }, target);
}

/** Also what a filter has prepended is looked at; our own AS comes in front of it all afterwards. */
function visiblePath(
  asPath: readonly AsSegment[],
  { privateAsKept, asOverride, localAsn }: ExportTarget,
): readonly AsSegment[] {
  const outer = withoutConfederations(asPath);
  const open = privateAsKept === undefined ? outer : withoutPrivateAsns(outer, privateAsKept);
  return asOverride === undefined ? open : replaceAsn(open, asOverride, localAsn);
}

/** RFC 9234 §5: from here on it may go down only. */
function marked(attributes: PathAttributes, { role, localAsn }: ExportTarget): PathAttributes {
  const isDue = role !== undefined && mustGoMarked(role) && attributes.onlyToCustomer === undefined;
  return isDue ? { ...attributes, onlyToCustomer: localAsn } : attributes;
}

function toInternal(attributes: PathAttributes, source: ExportSource, target: ExportTarget): PathAttributes {
  const complete = { ...attributes, localPref: attributes.localPref ?? DEFAULT_LOCAL_PREF };
  if (source.kind === 'local' || source.external || target.clusterId === undefined) return complete;
  return reflect(complete, { clusterId: target.clusterId, sourceIdentifier: source.bgpIdentifier });
}

/** Peers look for other paths while ours still carry packets. RFC 8326 §4; within the AS the community alone says nothing. */
function leaving(attributes: PathAttributes, { external }: ExportTarget): PathAttributes {
  const warned = addCommunity(attributes, wellKnown.GRACEFUL_SHUTDOWN.value);
  return external ? warned : { ...warned, localPref: 0 };
}
