import {
  affinitiesOf,
  AFFINITIES_PREFIX,
  HANDLES_PREFIX,
  parseAffinityKey,
  parseBlockKey,
  parseResourceKey,
} from '../datastore/keys.ts';
import { changeKey } from '../datastore/ledger.ts';
import type { Change, Json } from '../datastore/store.ts';
import { prefixContainsAddress, sameAddress, samePrefix } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';
import { isEndpointOf, kindOfKey } from '../resources/index.ts';
import type { Knowledge } from './cluster-view.ts';
import { blockUse, confirmedAffinity } from './cluster-view.ts';
import { isStatusKey } from './status-answers.ts';

/**
 * When what follows from a change is computed: `soon`, with others like it; `asked`, with the next computation, or by whoever wants
 * to know before.
 */
export type Urgency = 'now' | 'soon' | 'asked';

/** What is known already, and of which endpoints of its own ADDs the agent has told felix. */
export interface Awareness {
  readonly knowledge: Pick<Knowledge, 'node' | 'blocks' | 'lent' | 'unused'>;
  readonly isNewEndpoint: (interfaceName: string) => boolean;
}

/** Of several changes the most urgent. */
export function urgencyOf(changes: readonly Change[], awareness: Awareness): Urgency {
  const urgencies = changes.map((change) => urgencyOfOne(change, awareness));
  return (['now', 'soon'] as const).find((urgency) => urgencies.includes(urgency)) ?? 'asked';
}

/**
 * Each pod of the cluster has a handle and an endpoint, and changes a block when it comes and goes: of other nodes' nothing follows here,
 * nor of their affinities, for bird tells of their blocks. Nothing new follows of a pod that this agent connects itself, and the
 * next is often on its way.
 */
function urgencyOfOne(change: Change, { knowledge, isNewEndpoint }: Awareness): Urgency {
  const key = changeKey(change);
  const { node } = knowledge;
  // A CalicoNodeStatus is answered, and that is all.
  if (key.startsWith(HANDLES_PREFIX) || isStatusKey(key)) return 'asked';
  if (key.startsWith(AFFINITIES_PREFIX))
    return key.startsWith(affinitiesOf(node)) ? ofClaim(change, knowledge) : 'asked';
  const block = parseBlockKey(key);
  if (block !== undefined) return ofBlock(block, change, knowledge);
  if (kindOfKey(key) !== 'WorkloadEndpoint') return 'now';
  if (!isEndpointOf(parseResourceKey(key)!.name, node)) return 'asked';
  // Whose link is gone has no route any more.
  if (change.type === 'delete') return 'soon';
  const name = interfaceOf(change.entry.value);
  return name !== undefined && isNewEndpoint(name) ? 'soon' : 'now';
}

/** A claim is told three times, and counts once: when it is confirmed. */
function ofClaim(change: Change, { blocks }: Awareness['knowledge']): Urgency {
  const prefix = parseAffinityKey(changeKey(change))?.prefix;
  if (prefix === undefined) return 'asked';
  const isOurs = change.type === 'put' && confirmedAffinity(change.entry) !== undefined;
  return isOurs === blocks.some((own) => samePrefix(own, prefix)) ? 'asked' : 'now';
}

/** Whether IPAM keeps its accounts there: of these a node's blocks follow, and nothing else. */
export const isIpamRecord = (key: string): boolean =>
  key.startsWith(HANDLES_PREFIX) || key.startsWith(AFFINITIES_PREFIX) || parseBlockKey(key) !== undefined;

/** The addresses of an own block come and go with its pods; who borrows one needs it to be let through at once. */
function ofBlock(
  prefix: Prefix,
  change: Change,
  { node, blocks, lent = [], unused = [] }: Awareness['knowledge'],
): Urgency {
  if (!blocks.some((own) => samePrefix(own, prefix))) return 'asked';
  const use = change.type === 'put' ? blockUse(change.entry, node) : undefined;
  if (use === undefined) return 'now';
  const known = lent.filter((address) => prefixContainsAddress(prefix, address));
  const isLentAlike = known.length === use.lent.length && known.every((one, i) => sameAddress(one, use.lent[i]!));
  if (!isLentAlike) return 'now';
  return unused.some((one) => samePrefix(one, prefix)) === use.isUnused ? 'asked' : 'soon';
}

function interfaceOf(value: Json): string | undefined {
  const { spec } = (value ?? {}) as { readonly spec?: { readonly interfaceName?: unknown } };
  return typeof spec?.interfaceName === 'string' ? spec.interfaceName : undefined;
}
