import type { Capability, FamilyKey, Open } from '../../bird/bgp-ts/index.ts';
import { familyKey } from '../../bird/bgp-ts/index.ts';
import type { ContextText } from './fixture.ts';

type Named<N extends Capability['name']> = Extract<Capability, { readonly name: N }>;

function all<N extends Capability['name']>(open: Open, name: N): readonly Named<N>[] {
  return open.capabilities.filter((capability): capability is Named<N> => capability.name === name);
}

const trueAsn = (open: Open): number => all(open, 'four-octet-as')[0]?.asn ?? open.asn;

/** The families of both OPENs; IPv4 unicast alone where one says nothing, RFC 4760 §8. */
export function commonFamilies(ours: Open, theirs: Open): readonly FamilyKey[] {
  const of = (open: Open): readonly FamilyKey[] => {
    const list = all(open, 'multiprotocol').map(({ family }) => familyKey(family));
    return list.length === 0 ? ['1/1'] : list;
  };
  return of(ours).filter((key) => of(theirs).includes(key));
}

/** What the two OPENs settle for what `theirs` sends to us. */
export function settled(ours: Open, theirs: Open): ContextText {
  const both = (name: Capability['name']): boolean => all(ours, name).length > 0 && all(theirs, name).length > 0;
  const addPath = (open: Open, modes: readonly string[]): readonly FamilyKey[] =>
    all(open, 'add-path').flatMap(({ entries }) =>
      entries.filter(({ mode }) => modes.includes(mode)).map(({ family }) => familyKey(family)),
    );
  const nextHop = (open: Open): readonly FamilyKey[] =>
    all(open, 'extended-next-hop').flatMap(({ entries }) =>
      entries.filter(({ nextHopAfi }) => nextHopAfi === 2).map(({ family }) => familyKey(family)),
    );
  const theyAddPath = addPath(theirs, ['send', 'both']);
  const theirNextHop = nextHop(theirs);
  return {
    fourOctetAs: both('four-octet-as'),
    addPath: addPath(ours, ['receive', 'both']).filter((key) => theyAddPath.includes(key)),
    extendedNextHop: nextHop(ours).filter((key) => theirNextHop.includes(key)),
    // RFC 8654 §4: who sent the capability takes them.
    extendedMessage: all(ours, 'extended-message').length > 0,
    external: trueAsn(ours) !== trueAsn(theirs),
  };
}
