import type {
  AttributeFault,
  CodecContext,
  Family,
  FamilyKey,
  Fault,
  NlriShape,
  PathAttributes,
  Remedy,
  Update,
} from '../../bird/bgp-ts/index.ts';
import {
  checkNlri,
  decodeAttributes,
  familyKey,
  decodeNlri,
  IPV4_UNICAST,
  scanUpdate,
  strongerRemedy,
  walkNlri,
} from '../../bird/bgp-ts/index.ts';
import { checkMandatory, effectiveRemedy } from '../../bird/bgp-ts/attribute/mandatory.ts';
import { deepEqual } from '../fuzz/deep-equal.ts';

/** What one UPDATE says, whichever way it was read: prefixes of plain families, attributes, and what rules. */
export type Seen =
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'routes';
      /** Family, path identifier, four words, length; over and over, in order. */
      readonly withdrawn: readonly (string | number)[];
      readonly announced: readonly (string | number)[];
      readonly attributes: PathAttributes;
      readonly remedy: string | undefined;
      /** Families that the UPDATE costs. */
      readonly disabled: readonly FamilyKey[];
      readonly endOfRib: FamilyKey | undefined;
      /** Codes of the attributes that were found malformed, but for the multiprotocol ones. */
      readonly blamed: readonly number[];
    };

const plainFamilies: ReadonlySet<FamilyKey> = new Set<FamilyKey>(['1/1', '1/2', '2/1', '2/2']);

const flowSafis: ReadonlySet<number> = new Set([133, 134]);

/** Families whose NLRI are prefixes and nothing else: what `walkNlri` walks. */
export const isPlainFamily = (family: Family): boolean => plainFamilies.has(familyKey(family));

interface Draft {
  readonly octets: Uint8Array;
  readonly session: CodecContext;
  readonly withdrawn: (string | number)[];
  readonly announced: (string | number)[];
  readonly disabled: FamilyKey[];
  /** A FlowSpec rule is malformed inside, which costs the UPDATE's routes. RFC 8955 §10. */
  malformedRule: boolean;
}

const NEXT_HOP = 3;

/** Through the hot path, as a speaker reads: scan, check, walk, attributes, what is missing, what rules. */
export function asSpeaker(octets: Uint8Array, session: CodecContext): Seen {
  const scan = scanUpdate(octets, session);
  if (scan.remedy === 'session-reset') return { kind: 'reset' };
  const disabled = (scan.disabled ?? []).map(familyKey);
  const draft: Draft = { octets, session, withdrawn: [], announced: [], disabled, malformedRule: false };
  const { mpReach, mpUnreach } = scan;
  const good =
    takeOwn(draft, 'withdrawn', [scan.withdrawnStart, scan.withdrawnEnd]) &&
    takeOwn(draft, 'announced', [scan.nlriStart, scan.nlriEnd]) &&
    takeMultiprotocol(draft, 'withdrawn', mpUnreach) &&
    takeMultiprotocol(draft, 'announced', mpReach);
  if (!good) return { kind: 'reset' };
  const result = decodeAttributes(octets, scan.attributesStart, scan.attributesEnd, session);
  const { attributes, ipv4NextHop } = result;
  const reach = {
    hasIpv4Nlri: scan.nlriStart < scan.nlriEnd,
    hasMpNlri: mpReach !== undefined && mpReach.nlriStart < mpReach.nlriEnd,
    ipv4NextHop,
  };
  // What was malformed is not missing besides.
  const isIgnored = mpReach !== undefined && !reach.hasIpv4Nlri; // NEXT_HOP, RFC 4760 §3
  const remedies = result.faults.map(({ attribute, remedy }): Remedy =>
    isIgnored && attribute === NEXT_HOP ? 'attribute-discard' : remedy,
  );
  const isBad = remedies.some((remedy) => remedy !== 'attribute-discard');
  const isMissing = !isBad && checkMandatory(attributes, reach) !== undefined;
  const ofUpdate: Remedy | undefined = isMissing || draft.malformedRule ? 'treat-as-withdraw' : undefined;
  const ofRoutes: Remedy | undefined = disabled.length > 0 ? 'afi-safi-disable' : undefined;
  const strongest = [...remedies, ofRoutes, ofUpdate].reduce<Remedy | undefined>(strongerRemedy, undefined);
  const isWithdrawn = ofUpdate !== undefined || remedies.includes('treat-as-withdraw');
  const remedy = strongerRemedy(strongest, effectiveRemedy(isWithdrawn ? 'treat-as-withdraw' : undefined, reach));
  if (remedy === 'session-reset') return { kind: 'reset' };
  const { withdrawn, announced } = draft;
  const endOfRib = scan.endOfRib === undefined ? undefined : familyKey(scan.endOfRib);
  const blamed = blamedBy(result.faults);
  return { kind: 'routes', withdrawn, announced, attributes, remedy, disabled, endOfRib, blamed };
}

/** The same from the readable form. */
export function asReader(update: Update): Seen {
  const { attributes, remedy, faults } = update;
  return {
    kind: 'routes',
    withdrawn: update.withdrawn.flatMap(prefixesOf),
    announced: update.announced.flatMap(prefixesOf),
    attributes,
    remedy,
    disabled: (update.disabled ?? []).map(familyKey),
    endOfRib: update.endOfRib === undefined ? undefined : familyKey(update.endOfRib),
    blamed: blamedBy(faults),
  };
}

/** What is missing is no attribute that was there, and the multiprotocol ones are judged with their prefixes. */
function blamedBy(faults: readonly AttributeFault[]): readonly number[] {
  const own = faults.filter(({ attribute, code }) => attribute !== 14 && attribute !== 15 && code[1] !== 3);
  return own.flatMap(({ attribute }) => attribute ?? []);
}

function prefixesOf(group: Update['announced'][number]): (string | number)[] {
  if (group.kind !== 'prefix') return [];
  const key = familyKey(group.family);
  const list: (string | number)[] = [];
  for (const { pathId, words, length } of group.nlri) {
    list.push(key, pathId, words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0, length);
  }
  return list;
}

function takeOwn(draft: Draft, kind: 'announced' | 'withdrawn', range: readonly [number, number]): boolean {
  return walkRange(draft, kind, { family: IPV4_UNICAST, range }) === undefined;
}

/** False where it ends the session. */
function takeMultiprotocol(
  draft: Draft,
  kind: 'announced' | 'withdrawn',
  part: (Family & { readonly nlriStart: number; readonly nlriEnd: number }) | undefined,
): boolean {
  if (part === undefined) return true;
  const family = { afi: part.afi, safi: part.safi };
  if (walkRange(draft, kind, { family, range: [part.nlriStart, part.nlriEnd] }) === undefined) return true;
  if (draft.session.mpFaults !== 'afi-safi-disable') return false;
  draft.disabled.push(familyKey(family));
  return true;
}

interface Range {
  readonly family: Family;
  readonly range: readonly [number, number];
}

/** Check and walk must say the same about it. Nothing of a bad range counts. */
function walkRange(draft: Draft, kind: 'announced' | 'withdrawn', { family, range }: Range): Fault | undefined {
  const { octets, session } = draft;
  const [start, end] = range;
  const key = familyKey(family);
  const shape = { family, addPath: session.addPath.has(key), withdrawn: kind === 'withdrawn' };
  const checked = checkNlri(octets, start, end, shape);
  if (!plainFamilies.has(key)) {
    if (kind === 'announced' && flowSafis.has(family.safi))
      draft.malformedRule ||= hasMalformedRule(octets, range, shape);
    return checked;
  }
  const list: (string | number)[] = [];
  const walked = walkNlri(octets, start, end, shape, (...packed) => list.push(key, ...packed));
  if (!deepEqual(checked, walked)) {
    throw new Error(`checkNlri: ${checked?.text ?? 'well'}, walkNlri: ${walked?.text ?? 'well'}`);
  }
  if (walked === undefined) for (const part of list) draft[kind].push(part);
  return walked;
}

function hasMalformedRule(octets: Uint8Array, [start, end]: Range['range'], shape: NlriShape): boolean {
  const group = decodeNlri(octets, start, end, shape);
  return 'kind' in group && group.kind === 'flow' && group.nlri.some(({ rest }) => rest !== undefined);
}
