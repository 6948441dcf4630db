import { encodeAttributes, encodeMpReach, encodeMpUnreach } from '../attribute/encode.ts';
import type { NextHopBytes } from '../attribute/path-attributes.ts';
import type { CodecContext, Family } from '../context.ts';
import { familyKey } from '../context.ts';
import { familyName, familyRow, isIpv4Unicast } from '../nlri/families.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';
import { encodeNlri } from '../nlri/table.ts';
import { Writer } from '../writer.ts';
import { EXTENDED_MAX_OCTETS, MAX_OCTETS } from './header.ts';
import type { Update } from './message.ts';
import { reshape } from './update-form.ts';
import { encodeEndOfRib, encodeUpdateFrame } from './update-frame.ts';

/**
 * The opposite of decodeMessage for an UPDATE: MP_REACH and MP_UNREACH first (RFC 7606 §5.1), then the attributes in
 * order of code. IPv4 unicast goes into the message's own fields unless its group says `multiprotocol` or the next hop is
 * no IPv4 address; beside it one family fits MP_REACH and one MP_UNREACH. Throws a plain Error that says what does not fit.
 */
export function encodeUpdate(update: Update, context: CodecContext): Uint8Array<ArrayBuffer> {
  if (update.endOfRib !== undefined) return encodeEndOfRib(update.endOfRib, update.form);
  const announced = split(update, 'announced');
  const withdrawn = split(update, 'withdrawn');
  const { nextHop, ...others } = update.attributes;
  const ipv4NextHop = update.ipv4NextHop ?? (announced.multiprotocol === undefined ? nextHop : undefined);
  const attributes = new Writer();
  if (announced.multiprotocol !== undefined) {
    const { family } = announced.multiprotocol;
    const nlri = encoded(announced.multiprotocol, context, false);
    attributes.bytes(encodeMpReach(family, multiprotocolNextHop(family, nextHop), nlri));
  }
  if (withdrawn.multiprotocol !== undefined) {
    const nlri = encoded(withdrawn.multiprotocol, context, true);
    attributes.bytes(encodeMpUnreach(withdrawn.multiprotocol.family, nlri));
  }
  attributes.bytes(encodeAttributes(ipv4NextHop === undefined ? others : { ...others, nextHop: ipv4NextHop }, context));
  const block = attributes.finish();
  if (block.length === 0 && announced.own === undefined && withdrawn.own === undefined) {
    throw new Error('an UPDATE with nothing in it would be End-of-RIB: say so with endOfRib');
  }
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
  const own = update[kind].find((group) => mayBeOwn && isIpv4Unicast(group.family) && group.multiprotocol !== true);
  const rest = update[kind].filter((group) => group !== own);
  if (rest.length > 1) {
    throw new Error(`one UPDATE cannot hold ${kind} ${rest.map(({ family }) => familyName(family)).join(' and ')}`);
  }
  return { own, multiprotocol: rest[0] };
}

const encoded = (group: FamilyNlri, context: CodecContext, withdrawn: boolean): Uint8Array<ArrayBuffer> =>
  encodeNlri(group, { addPath: context.addPath.has(familyKey(group.family)), withdrawn });

/** FlowSpec has none (RFC 8955 §4), and of a family that nobody here decodes nobody knows. */
function multiprotocolNextHop(family: Family, nextHop: NextHopBytes | undefined): NextHopBytes {
  if (nextHop === undefined && familyRow(family)?.nextHopOctets !== undefined) {
    throw new Error(`${familyName(family)} prefixes need a next hop`);
  }
  return nextHop ?? new Uint8Array();
}
