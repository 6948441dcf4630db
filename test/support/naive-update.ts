import type { CodecContext } from '../../bird/bgp-ts/index.ts';
import { hex } from './bgp-bytes.ts';

/** An UPDATE as RFC 4271 §4.3 draws it, read with slices and no regard for speed. The oracle of the property tests. */
export interface NaiveUpdate {
  /** `1/1 0 0a000000/8`: family, path identifier, all octets of the address, length. */
  readonly withdrawn: readonly string[];
  readonly announced: readonly string[];
  /** Codes of the attributes that can be told apart. */
  readonly codes: readonly number[];
}

type Octets = readonly number[];

/** Undefined: lengths lie, or a prefix is malformed, so that the session must end. Other faults it does not see. */
export function naiveUpdate(frame: Uint8Array, context: CodecContext): NaiveUpdate | undefined {
  const body: Octets = [...frame.subarray(19)];
  const [withdrawnRoutes, rest] = sized(body);
  const [attributes, nlri] = sized(rest ?? []);
  if (rest === undefined || nlri === undefined) return undefined;
  const found = naiveAttributes(attributes);
  const multiprotocol = [14, 15].map((code) => found.filter((attribute) => attribute.code === code));
  if (multiprotocol.some((list) => list.length > 1)) return undefined;
  const [reach, unreach] = multiprotocol.map(([only]) => only?.value);
  if (reach !== undefined && reach.length < 5) return undefined;
  if (unreach !== undefined && unreach.length < 3) return undefined;
  const fields = [
    prefixes(withdrawnRoutes, [1, 1], context),
    unreach === undefined ? [] : prefixes(unreach.slice(3), familyOf(unreach), context),
    prefixes(nlri, [1, 1], context),
    reach === undefined ? [] : prefixes(reach.slice(5 + reach[3]!), familyOf(reach), context),
  ];
  if (fields.includes(undefined)) return undefined;
  if (reach !== undefined && !nextHopFits(reach, context)) return undefined;
  const [own = [], other = [], announced = [], mpAnnounced = []] = fields;
  return {
    withdrawn: [...own, ...other],
    announced: [...announced, ...mpAnnounced],
    codes: found.map(({ code }) => code),
  };
}

function sized(octets: Octets): readonly [Octets, Octets | undefined] {
  if (octets.length < 2) return [[], undefined];
  const length = octets[0]! * 256 + octets[1]!;
  return length + 2 > octets.length ? [[], undefined] : [octets.slice(2, 2 + length), octets.slice(2 + length)];
}

function naiveAttributes(block: Octets): readonly { code: number; value: Octets }[] {
  const [flags = 0, code, short, long] = block;
  const extended = Math.floor(flags / 16) % 2 === 1;
  const header = extended ? 4 : 3;
  if (code === undefined || short === undefined || block.length < header) return [];
  const end = header + (extended ? short * 256 + long! : short);
  if (end > block.length) return [];
  return [{ code, value: block.slice(header, end) }, ...naiveAttributes(block.slice(end))];
}

const familyOf = ([high = 0, low = 0, safi = 0]: Octets): readonly [number, number] => [high * 256 + low, safi];

function nextHopFits(reach: Octets, context: CodecContext): boolean {
  const [afi, safi] = familyOf(reach);
  const octets = reach[3]!;
  if (reach.length < 5 + octets) return false;
  if (afi > 2 || afi === 0 || safi > 2 || safi === 0) return true;
  const extended = context.extendedNextHop.has(`${afi}/${safi}`);
  if (afi === 1) return octets === 4 || (extended && (octets === 16 || octets === 32));
  return octets === 16 || octets === 32 || (extended && octets === 4);
}

function prefixes(field: Octets, [afi, safi]: readonly [number, number], context: CodecContext): string[] | undefined {
  if (afi > 2 || afi === 0 || safi > 2 || safi === 0) return [];
  const list: string[] = [];
  let rest = field;
  while (rest.length > 0) {
    const addPath = context.addPath.has(`${afi}/${safi}`);
    const pathId = addPath ? rest.slice(0, 4).reduce((sum, octet) => sum * 256 + octet, 0) : 0;
    const [length, ...address] = addPath ? rest.slice(4) : rest;
    if (length === undefined || length > (afi === 1 ? 32 : 128) || address.length * 8 < length) return undefined;
    const used = Math.ceil(length / 8);
    const whole = Array.from({ length: afi === 1 ? 4 : 16 }, (_, i) => {
      const bits = Math.min(8, Math.max(0, length - i * 8));
      const octet = i < used ? address[i]! : 0;
      return octet - (octet % 2 ** (8 - bits));
    });
    list.push(`${afi}/${safi} ${pathId} ${hex(Uint8Array.from(whole))}/${length}`);
    rest = address.slice(used);
  }
  return list;
}
