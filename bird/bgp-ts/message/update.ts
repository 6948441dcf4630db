import { checkMandatory, decodeAttributes, effectiveRemedy, without } from '../attribute/decode.ts';
import type { AttributesResult } from '../attribute/decode.ts';
import type { NextHopBytes } from '../attribute/path-attributes.ts';
import { encodeAttributes, encodeMpReach, encodeMpUnreach, isIpv4Unicast } from '../attribute/encode.ts';
import type { CodecContext, Family } from '../context.ts';
import { familyKey } from '../context.ts';
import type { ErrorCode, Fault, Remedy } from '../error.ts';
import { BgpError, strongerRemedy } from '../error.ts';
import { updateError } from '../iana.ts';
import { decodeNlri, encodeNlri } from '../nlri/prefix.ts';
import { familyName, IPV4_UNICAST, prefixFamily } from '../nlri/table.ts';
import type { UpdateScan } from '../scan.ts';
import { scanUpdate } from '../scan.ts';
import { Writer } from '../writer.ts';
import { EXTENDED_MAX_OCTETS, frameMessage, MAX_OCTETS } from './header.ts';
import type { Nlri, UndecodedNlri, Update } from './message.ts';
import { copyOf } from '../reader.ts';

type FamilyNlri = Update['announced'][number];

/** The readable form of a whole frame, over the same walk that the speaker uses. Throws BgpError where the session must end. */
export function decodeUpdate(frame: Uint8Array, context: CodecContext): Update {
  const scan = scanUpdate(frame, context);
  if (scan.fault !== undefined && scan.remedy === 'session-reset') throw asError(scan.fault);
  const routes = readRoutes(frame, scan, context);
  const result = decodeAttributes(frame, scan.attributesStart, scan.attributesEnd, context);
  const { remedy, faults } = judge(scan, result);
  const { attributes, ipv4NextHop } = result;
  return {
    type: 'update',
    attributes,
    announced: routes.announced,
    withdrawn: routes.withdrawn,
    ...(routes.undecoded.length > 0 && { undecoded: routes.undecoded }),
    ...(ipv4NextHop !== undefined && ipv4NextHop !== attributes.nextHop && { ipv4NextHop }),
    ...(scan.endOfRib !== undefined && { endOfRib: scan.endOfRib }),
    ...(remedy !== undefined && { remedy }),
    faults,
  };
}

/**
 * The opposite of decodeMessage for an UPDATE: MP_REACH and MP_UNREACH first, at most one family beside IPv4 unicast in
 * each. Throws a plain Error that says what does not fit.
 */
export function encodeUpdate(update: Update, context: CodecContext): Uint8Array<ArrayBuffer> {
  if (update.endOfRib !== undefined) return encodeEndOfRib(update.endOfRib);
  const nextHop = update.attributes.nextHop;
  const ipv4NextHop = update.ipv4NextHop ?? (nextHop?.length === 4 ? nextHop : undefined);
  const [ipv4Announced, mpAnnounced] = split(update, 'announced', context, ipv4NextHop === undefined);
  const [ipv4Withdrawn, mpWithdrawn] = split(update, 'withdrawn', context, false);
  const own = ipv4Announced !== undefined || (mpAnnounced === undefined && ipv4NextHop !== undefined);
  const others = without(update.attributes, ['nextHop']);
  const attributes = new Writer();
  if (mpAnnounced !== undefined) {
    attributes.bytes(encodeMpReach(mpAnnounced.family, mpNextHop(mpAnnounced.family, nextHop), mpAnnounced.nlri));
  }
  if (mpWithdrawn !== undefined) attributes.bytes(encodeMpUnreach(mpWithdrawn.family, mpWithdrawn.nlri));
  const withNextHop = (own || update.ipv4NextHop !== undefined) && ipv4NextHop !== undefined;
  attributes.bytes(encodeAttributes(withNextHop ? { ...others, nextHop: ipv4NextHop } : others, context));
  return encodeUpdateFrame(
    {
      attributes: attributes.finish(),
      ...(ipv4Announced !== undefined && { nlri: ipv4Announced }),
      ...(ipv4Withdrawn !== undefined && { withdrawn: ipv4Withdrawn }),
    },
    context.extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS,
  );
}

/** FlowSpec has none (RFC 8955 §4), so a family that nobody here decodes may go without. */
function mpNextHop(family: Family, nextHop: NextHopBytes | undefined): NextHopBytes {
  if (nextHop === undefined && prefixFamily(family) !== undefined) {
    throw new Error(`${familyName(family)} prefixes need a next hop`);
  }
  return nextHop ?? NOTHING;
}

/** The three fields of an UPDATE, each as its bytes. */
export interface UpdateFields {
  readonly withdrawn?: Uint8Array;
  readonly attributes?: Uint8Array;
  readonly nlri?: Uint8Array;
}

const NOTHING = new Uint8Array();

/** A whole UPDATE. Throws a plain Error where it is longer than `maxOctets`: the packer's fault. */
export function encodeUpdateFrame(fields: UpdateFields, maxOctets = MAX_OCTETS): Uint8Array<ArrayBuffer> {
  const { withdrawn = NOTHING, attributes = NOTHING, nlri = NOTHING } = fields;
  const body = new Uint8Array(4 + withdrawn.length + attributes.length + nlri.length);
  const attributesAt = 2 + withdrawn.length;
  body[0] = withdrawn.length >>> 8;
  body[1] = withdrawn.length;
  body.set(withdrawn, 2);
  body[attributesAt] = attributes.length >>> 8;
  body[attributesAt + 1] = attributes.length;
  body.set(attributes, attributesAt + 2);
  body.set(nlri, attributesAt + 2 + attributes.length);
  return frameMessage('update', body, maxOctets);
}

/** RFC 4724 §2: an empty UPDATE for IPv4 unicast, an empty MP_UNREACH for any other family. */
export function encodeEndOfRib(family: Family): Uint8Array<ArrayBuffer> {
  return isIpv4Unicast(family)
    ? encodeUpdateFrame({})
    : encodeUpdateFrame({ attributes: encodeMpUnreach(family, NOTHING) });
}

interface Routes {
  readonly announced: FamilyNlri[];
  readonly withdrawn: FamilyNlri[];
  readonly undecoded: UndecodedNlri[];
}

function readRoutes(frame: Uint8Array, scan: UpdateScan, context: CodecContext): Routes {
  const routes: Routes = { announced: [], withdrawn: [], undecoded: [] };
  const read = (
    kind: UndecodedNlri['kind'],
    family: Family,
    range: readonly [number, number],
    code: ErrorCode,
  ): void => {
    const [start, end] = range;
    if (prefixFamily(family) === undefined) {
      routes.undecoded.push({ kind, family, nlri: copyOf(frame, start, end) });
      return;
    }
    const nlri = decodeNlri(frame, start, end, { family, addPath: context.addPath.has(familyKey(family)) });
    if (!isList(nlri)) throw asError({ ...nlri, code });
    if (nlri.length > 0) routes[kind].push({ family, nlri });
  };
  const { mpReach, mpUnreach } = scan;
  read('withdrawn', IPV4_UNICAST, [scan.withdrawnStart, scan.withdrawnEnd], updateError.invalidNetworkField);
  read('announced', IPV4_UNICAST, [scan.nlriStart, scan.nlriEnd], updateError.invalidNetworkField);
  if (mpUnreach !== undefined) {
    const family = { afi: mpUnreach.afi, safi: mpUnreach.safi };
    read('withdrawn', family, [mpUnreach.nlriStart, mpUnreach.nlriEnd], updateError.optionalAttribute);
  }
  if (mpReach !== undefined) {
    const family = { afi: mpReach.afi, safi: mpReach.safi };
    read('announced', family, [mpReach.nlriStart, mpReach.nlriEnd], updateError.optionalAttribute);
  }
  return routes;
}

/** All faults of one UPDATE and the remedy that rules them. Throws BgpError where that is a session reset. */
function judge(
  scan: UpdateScan,
  result: AttributesResult,
): { readonly remedy: Remedy | undefined; readonly faults: Fault[] } {
  const hasIpv4Nlri = scan.nlriStart < scan.nlriEnd;
  const reach = { hasIpv4Nlri, hasMpReach: scan.mpReach !== undefined, ipv4NextHop: result.ipv4NextHop };
  const faults: Fault[] = [...result.faults];
  let { remedy } = result;
  // An attribute that was malformed is not missing besides.
  const worse = remedy !== undefined && remedy !== 'attribute-discard';
  const missing = worse ? undefined : checkMandatory(result.attributes, reach);
  if (missing !== undefined) {
    faults.push(missing);
    remedy = strongerRemedy(remedy, 'treat-as-withdraw');
  }
  remedy = effectiveRemedy(remedy, reach);
  if (remedy === 'session-reset') {
    const worst = result.faults.find((fault) => fault.remedy === 'session-reset') ?? faults[0];
    if (worst !== undefined) throw asError(worst);
  }
  return { remedy, faults };
}

interface MpFamily {
  readonly family: Family;
  readonly nlri: Uint8Array;
}

/** The bytes for the message's own field, and those for the one multiprotocol attribute. */
function split(
  update: Update,
  kind: 'announced' | 'withdrawn',
  context: CodecContext,
  ipv4InMp: boolean,
): readonly [Uint8Array | undefined, MpFamily | undefined] {
  const entries = update[kind].filter(({ nlri }) => nlri.length > 0);
  const bytesOf = ({ family, nlri }: FamilyNlri): MpFamily => {
    return { family, nlri: encodeNlri(nlri, context.addPath.has(familyKey(family))) };
  };
  const own = ipv4InMp ? undefined : entries.find(({ family }) => isIpv4Unicast(family));
  const undecoded = (update.undecoded ?? []).filter((part) => part.kind === kind);
  const rest = [...entries.filter((entry) => entry !== own).map(bytesOf), ...undecoded];
  if (rest.length > 1) {
    throw new Error(`one UPDATE cannot hold ${kind} ${rest.map(({ family }) => familyName(family)).join(' and ')}`);
  }
  return [own === undefined ? undefined : bytesOf(own).nlri, rest[0]];
}

const isList = (value: readonly Nlri[] | Fault): value is readonly Nlri[] => Array.isArray(value);

const asError = ({ text, code, data }: Fault): BgpError => new BgpError(text, code, data);
