/** How the attributes of an UPDATE stood on the wire where that is not how we write them: so that a copy can be exact. */
import { mpReach } from '../attribute/mp-reach.ts';
import { mpUnreach } from '../attribute/mp-unreach.ts';
import { EXTENDED_LENGTH } from '../attribute/spec.ts';
import { AttributeWalk } from '../attribute/walk.ts';
import { isIpv4Unicast } from '../nlri/families.ts';
import type { UpdateScan } from '../scan.ts';
import { Writer } from '../writer.ts';
import type { UpdateForm } from './message.ts';

const MAX_SHORT = 255;

/** The multiprotocol ones first (RFC 7606 §5.1), then by code (RFC 4271 §5): as we write them. */
const rank = (code: number): number => (code === mpReach.code || code === mpUnreach.code ? code - 256 : code);

/** The form of those attributes of an UPDATE that will be written again, or undefined where it is our own. */
export function formOf(
  frame: Uint8Array,
  { attributesStart, attributesEnd, endOfRib }: UpdateScan,
  isWritten: (code: number) => boolean,
): UpdateForm | undefined {
  const walk = new AttributeWalk(frame, attributesStart, attributesEnd);
  const order: number[] = [];
  const extended: number[] = [];
  // End-of-RIB of IPv4 unicast has no attribute when we write it.
  let isOurs = endOfRib === undefined || !isIpv4Unicast(endOfRib) || attributesStart === attributesEnd;
  let last = -Infinity;
  while (walk.next()) {
    if (!isWritten(walk.code)) continue;
    order.push(walk.code);
    if (rank(walk.code) < last) isOurs = false;
    last = rank(walk.code);
    if ((walk.flags & EXTENDED_LENGTH) !== 0 && walk.valueEnd - walk.valueStart <= MAX_SHORT) extended.push(walk.code);
  }
  return isOurs && extended.length === 0 ? undefined : { order, extended };
}

/** Attributes as we write them, brought into `form`; what it does not name stays behind the others. */
export function reshape(block: Uint8Array, form: UpdateForm): Uint8Array<ArrayBuffer> {
  const places = new Map(form.order.map((code, place) => [code, place]));
  const extended = new Set(form.extended);
  const walk = new AttributeWalk(block, 0, block.length);
  const found: (readonly [place: number, write: (out: Writer) => void])[] = [];
  while (walk.next()) {
    const { code, flags, valueStart, valueEnd } = walk;
    const isLong = extended.has(code) || valueEnd - valueStart > MAX_SHORT;
    const write = (out: Writer): void => {
      out.u8(isLong ? flags | EXTENDED_LENGTH : flags);
      out.u8(code);
      out.prefixed(isLong ? 2 : 1, (value) => value.bytes(block.subarray(valueStart, valueEnd)));
    };
    found.push([places.get(code) ?? Infinity, write]);
  }
  const out = new Writer();
  for (const [, write] of found.sort(([a], [b]) => (a === b ? 0 : a - b))) write(out);
  return out.finish();
}
