import type { CodecContext, FamilyKey } from '../context.ts';
import { familyKey } from '../context.ts';
import type { Named } from '../capability/spec.ts';
import type { Open } from './message.ts';

/** What two OPENs settle, in each direction. */
export interface NegotiatedContexts {
  /** For what the peer sends. */
  readonly receive: CodecContext;
  /** For what is sent to the peer. */
  readonly send: CodecContext;
}

/**
 * What two OPENs settle for the bytes between them: `local` is ours, `peer` the other side's. `external` is taken from
 * the AS numbers; within a confederation the caller knows better. Sessions, BMP's Peer Up and MRT dumps need the same.
 * RFC 6793 §4, RFC 7911 §4, RFC 8654 §4, RFC 8950 §4.
 */
export function negotiatedContexts(
  local: Open,
  peer: Open,
  external = asnOf(local) !== asnOf(peer),
): NegotiatedContexts {
  const multipleLabels = common(multipleLabelsKeys(local), multipleLabelsKeys(peer));
  const both = {
    fourOctetAs: has(local, 'four-octet-as') && has(peer, 'four-octet-as'),
    extendedNextHop: common(extendedNextHopKeys(local), extendedNextHopKeys(peer)),
    ...(multipleLabels.size > 0 && { multipleLabels }),
    external,
  };
  return {
    receive: {
      ...both,
      addPath: common(addPathKeys(local, 'receive'), addPathKeys(peer, 'send')),
      extendedMessage: has(local, 'extended-message'),
    },
    send: {
      ...both,
      addPath: common(addPathKeys(local, 'send'), addPathKeys(peer, 'receive')),
      extendedMessage: has(peer, 'extended-message'),
    },
  };
}

/** The AS number of an OPEN: that of the four-octet capability where there is one. RFC 6793 §4.1. */
export const asnOf = (open: Open): number => all(open, 'four-octet-as').at(-1)?.asn ?? open.asn;

type Name = Open['capabilities'][number]['name'];

const all = <N extends Name>({ capabilities }: Open, name: N): readonly Named<N>[] =>
  capabilities.filter((capability): capability is Named<N> & typeof capability => capability.name === name);

const has = (open: Open, name: Name): boolean => all(open, name).length > 0;

const addPathKeys = (open: Open, mode: 'receive' | 'send'): readonly FamilyKey[] =>
  all(open, 'add-path')
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.mode === mode || entry.mode === 'both')
    .map(({ family }) => familyKey(family));

const extendedNextHopKeys = (open: Open): readonly FamilyKey[] =>
  all(open, 'extended-next-hop')
    .flatMap(({ entries }) => entries)
    // A next hop of the family's own AFI needs nobody's leave.
    .filter(({ family, nextHopAfi }) => nextHopAfi !== family.afi)
    .map(({ family }) => familyKey(family));

/** Fewer than two labels say nothing, RFC 8277 §2.1. */
const multipleLabelsKeys = (open: Open): readonly FamilyKey[] =>
  all(open, 'multiple-labels')
    .flatMap(({ entries }) => entries)
    .filter(({ count }) => count > 1)
    .map(({ family }) => familyKey(family));

function common(a: readonly FamilyKey[], b: readonly FamilyKey[]): ReadonlySet<FamilyKey> {
  const both = a.filter((key) => b.includes(key));
  return both.length === 0 ? NONE : new Set(both);
}

/** One for all: nearly every session has several of them for as long as it lives. */
const NONE: ReadonlySet<FamilyKey> = new Set();
