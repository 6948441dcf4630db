import { encodeMpUnreach } from '../attribute/encode.ts';
import type { Family } from '../context.ts';
import { isIpv4Unicast } from '../nlri/families.ts';
import type { UpdateForm } from './message.ts';
import { reshape } from './update-form.ts';
import { HEADER_OCTETS, MAX_OCTETS } from '../iana.ts';
import { emptyFrame } from './header.ts';

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
  const octets = HEADER_OCTETS + 4 + withdrawn.length + attributes.length + nlri.length;
  const frame = emptyFrame('update', octets, maxOctets);
  let at = putField(frame, HEADER_OCTETS, withdrawn);
  at = putField(frame, at, attributes);
  frame.set(nlri, at);
  return frame;
}

/** A field behind its length in two octets; returns the offset behind it. */
function putField(frame: Uint8Array, at: number, field: Uint8Array): number {
  frame[at] = field.length >>> 8;
  frame[at + 1] = field.length;
  frame.set(field, at + 2);
  return at + 2 + field.length;
}

/** RFC 4724 §2: an empty UPDATE for IPv4 unicast, an empty MP_UNREACH for any other family and where `form` names one. */
export function encodeEndOfRib(family: Family, form?: UpdateForm): Uint8Array<ArrayBuffer> {
  if (isIpv4Unicast(family) && form === undefined) return encodeUpdateFrame({});
  const attributes = encodeMpUnreach(family, NOTHING);
  return encodeUpdateFrame({ attributes: form === undefined ? attributes : reshape(attributes, form) });
}
