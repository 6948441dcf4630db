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
import { InvalidValueError } from '../model/invalid.ts';
import { parsePrefix, prefixContainsAddress, sameAddress, samePrefix } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';
import { DEFAULT_NAMESPACE, isEndpointOf, kindOfKey } from '../resources/index.ts';
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
  readonly knowledge: Pick<Knowledge, 'node' | 'resources' | 'blocks' | 'lent' | 'unused'>;
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
function urgencyOfOne(change: Change, awareness: Awareness): Urgency {
  const { knowledge } = awareness;
  const key = changeKey(change);
  const { node } = knowledge;
  // A CalicoNodeStatus is answered, and that is all.
  if (key.startsWith(HANDLES_PREFIX) || isStatusKey(key)) return 'asked';
  if (key.startsWith(AFFINITIES_PREFIX))
    return key.startsWith(affinitiesOf(node)) ? ofClaim(change, knowledge) : 'asked';
  const block = parseBlockKey(key);
  if (block !== undefined) return ofBlock(block, change, knowledge);
  if (kindOfKey(key) !== 'WorkloadEndpoint') return 'now';
  return isEndpointOf(parseResourceKey(key)!.name, node) ? ofEndpoint(change, awareness) : 'asked';
}

/** Of an address in the node's own blocks its peers know already; a borrowed one they must be told of, and its owner gives it to the next. */
function ofEndpoint(change: Change, { knowledge: { resources, blocks }, isNewEndpoint }: Awareness): Urgency {
  const { name, namespace = DEFAULT_NAMESPACE } = parseResourceKey(changeKey(change))!;
  const before = resources.WorkloadEndpoint.get(`${namespace}/${name}`)?.spec;
  const after = change.type === 'put' ? storedSpec(change.entry.value) : undefined;
  // Whose link is gone has no route any more.
  const isExpected = change.type === 'delete' || (after !== undefined && isNewEndpoint(after.interfaceName));
  const networks = [...(before?.ipNetworks ?? []), ...(after?.ipNetworks ?? [])];
  return isExpected && networks.every((network) => isWithin(network, blocks)) ? 'soon' : 'now';
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

function isWithin(network: string, blocks: readonly Prefix[]): boolean {
  try {
    const { address } = parsePrefix(network);
    return blocks.some((block) => prefixContainsAddress(block, address));
  } catch (error) {
    if (error instanceof InvalidValueError) return false;
    throw error;
  }
}

interface StoredSpec {
  readonly interfaceName: string;
  readonly ipNetworks: readonly string[];
}

/** As it is stored, unchecked but for what is asked here. */
function storedSpec(value: Json): StoredSpec | undefined {
  const { spec } = (value ?? {}) as { readonly spec?: Readonly<Record<string, unknown>> };
  const { interfaceName, ipNetworks = [] } = spec ?? {};
  if (typeof interfaceName !== 'string' || !Array.isArray(ipNetworks)) return undefined;
  return { interfaceName, ipNetworks: ipNetworks.map(String) };
}
