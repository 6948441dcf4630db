import { encodeMpUnreach } from '../attribute/encode.ts';
import type { Family } from '../context.ts';
import { isIpv4Unicast } from '../nlri/families.ts';
import { frameMessage, MAX_OCTETS } from './header.ts';

const NOTHING = new Uint8Array();

/** The three fields of an UPDATE, each as its bytes. */
export interface UpdateFields {
  readonly withdrawn?: Uint8Array;
  readonly attributes?: Uint8Array;
  readonly nlri?: Uint8Array;
}

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
