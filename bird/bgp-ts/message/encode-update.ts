import { encodeAttributes, encodeMpReach, encodeMpUnreach } from '../attribute/encode.ts';
import type { NextHopBytes } from '../attribute/path-attributes.ts';
import type { CodecContext, Family } from '../context.ts';
import { familyName, familyRow, isIpv4Unicast, isNextHopLength } from '../nlri/families.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';
import { encodeNlri, nlriShape } from '../nlri/table.ts';
import { Writer } from '../writer.ts';
import { EXTENDED_MAX_OCTETS, MAX_OCTETS } from '../iana.ts';
import type { Update } from './message.ts';
import { reshape } from './update-form.ts';
import { encodeEndOfRib, encodeUpdateFrame } from './update-frame.ts';

/**
 * The opposite of decodeMessage for an UPDATE: MP_REACH and MP_UNREACH first (RFC 7606 §5.1), then the attributes in
 * order of code. IPv4 unicast goes into the message's own fields unless its group says `multiprotocol` or the next hop is
 * no IPv4 address; beside it one family fits MP_REACH and one MP_UNREACH. Throws a plain Error that says what does not fit.
 */
export function encodeUpdate(update: Update, context: CodecContext): Uint8Array<ArrayBuffer> {
  if (update.endOfRib !== undefined) {
    if (update.announced.length + update.withdrawn.length > 0) throw new Error('End-of-RIB has no prefixes');
    return encodeEndOfRib(update.endOfRib, update.form);
  }
  const announced = split(update, 'announced');
  const withdrawn = split(update, 'withdrawn');
  const { nextHop, ...others } = update.attributes;
  if (update.ipv4NextHop !== undefined && announced.multiprotocol === undefined) {
    throw new Error('ipv4NextHop stands beside the next hop of MP_REACH, and there is none');
  }
  const ipv4NextHop = update.ipv4NextHop ?? (announced.multiprotocol === undefined ? nextHop : undefined);
  const attributes = new Writer();
  if (announced.multiprotocol !== undefined) {
    const { family } = announced.multiprotocol;
    const nlri = encoded(announced.multiprotocol, context, false);
    attributes.bytes(encodeMpReach(family, multiprotocolNextHop(family, nextHop, context), nlri));
  }
  if (withdrawn.multiprotocol !== undefined) {
    const nlri = encoded(withdrawn.multiprotocol, context, true);
    attributes.bytes(encodeMpUnreach(withdrawn.multiprotocol.family, nlri));
  }
  const rest = encodeAttributes(ipv4NextHop === undefined ? others : { ...others, nextHop: ipv4NextHop }, context);
  const fields = [announced.own, withdrawn.own, withdrawn.multiprotocol];
  const isNothing = fields.every((group) => group === undefined || group.nlri.length === 0);
  if (isNothing && announced.multiprotocol === undefined && rest.length === 0) {
    throw new Error('an UPDATE with nothing in it would be End-of-RIB: say so with endOfRib');
  }
  attributes.bytes(rest);
  const block = attributes.finish();
  return encodeUpdateFrame(
    {
      attributes: update.form === undefined ? block : reshape(block, update.form),
      ...(announced.own !== undefined && { nlri: encoded(announced.own, context, false) }),
      ...(withdrawn.own !== undefined && { withdrawn: encoded(withdrawn.own, context, true) }),
    },
    context.extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS,
  );
}

interface Fields {
  /** For the message's own field. */
  readonly own: FamilyNlri | undefined;
  readonly multiprotocol: FamilyNlri | undefined;
}

function split(update: Update, kind: 'announced' | 'withdrawn'): Fields {
  const nextHop = update.ipv4NextHop ?? update.attributes.nextHop;
  const mayBeOwn = kind === 'withdrawn' || nextHop?.length === 4;
  const isOwn = (group: FamilyNlri): boolean => isIpv4Unicast(group.family) && group.multiprotocol !== true;
  const own = mayBeOwn ? update[kind].find(isOwn) : undefined;
  const rest = update[kind].filter((group) => group !== own);
  if (rest.length > 1 || (own !== undefined && rest[0] !== undefined && isOwn(rest[0]))) {
    throw new Error(
      `one UPDATE cannot hold ${kind} ${update[kind].map(({ family }) => familyName(family)).join(' and ')}`,
    );
  }
  return { own, multiprotocol: rest[0] };
}

const encoded = (group: FamilyNlri, context: CodecContext, withdrawn: boolean): Uint8Array<ArrayBuffer> =>
  encodeNlri(group, nlriShape(group.family, context, withdrawn));

/** FlowSpec has none (RFC 8955 §4), and of a family that nobody here decodes nobody knows. */
function multiprotocolNextHop(family: Family, nextHop: NextHopBytes | undefined, context: CodecContext): NextHopBytes {
  if (nextHop === undefined && familyRow(family)?.nextHopOctets !== undefined) {
    throw new Error(`${familyName(family)} prefixes need a next hop`);
  }
  const octets = nextHop ?? new Uint8Array();
  if (!isNextHopLength(family, octets.length, context)) {
    throw new Error(`a next hop of ${octets.length} octets is none of ${familyName(family)} in this session`);
  }
  return octets;
}
