import { BgpError } from '../error.ts';
import { safis, updateError } from '../iana.ts';
import { formatHex, hex } from '../json/address.ts';
import { formatRouteDistinguisher, routeDistinguisher } from '../json/administered.ts';
import type { JsonCodec } from '../json/codec.ts';
import { list, optional, record, u32 } from '../json/codec.ts';
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { decodeComponent, encodeComponent, flowComponent, formatComponent } from './flow-component.ts';
import type { FlowComponent, FlowNlri } from './nlri.ts';
import type { EntryShape, NlriSpec } from './spec.ts';

const RD_OCTETS = 8;
/** From here on the length has two octets, the first of them 0xf and four bits of it. RFC 8955 §4.1. */
const LONG = 240;
const MAX_OCTETS = 0xfff;

/**
 * A rule: its length, for SAFI 134 a route distinguisher, then components in order of type. RFC 8955 §4, §8, RFC 8956.
 * The length finds the next rule whatever stands in this one, so a rule that is malformed inside is kept with its `rest`.
 */
export const flow: NlriSpec<FlowNlri> = {
  decode: (value, pathId, shape) => {
    const rule = value.part(flowOctets(value));
    const distinguisher = isVpn(shape) ? decodeDistinguisher(rule) : undefined;
    return {
      pathId,
      ...(distinguisher !== undefined && { routeDistinguisher: distinguisher }),
      ...decodeComponents(rule, shape.bits),
    };
  },
  encode: (out, entry, shape) => {
    const rule = new Writer();
    if (isVpn(shape) !== (entry.routeDistinguisher !== undefined)) {
      throw new Error('a FlowSpec rule has a route distinguisher in SAFI 134 and nowhere else');
    }
    if (entry.routeDistinguisher !== undefined)
      rule.exactly(entry.routeDistinguisher, RD_OCTETS, 'a route distinguisher');
    let last = 0;
    for (const component of entry.components) {
      if (component.type <= last) throw new Error('the components of a FlowSpec rule are not in rising order of type');
      last = component.type;
      encodeComponent(rule, component, shape.bits);
    }
    if (last === 0 && entry.rest === undefined) throw new Error('a FlowSpec rule has no component');
    if (entry.rest !== undefined) rule.bytes(entry.rest);
    encodeLength(out, rule.length);
    out.bytes(rule.finish());
  },
  json: (bits) => ruleJson(bits),
  format: ({ routeDistinguisher: distinguisher, components, rest }) =>
    [
      ...(distinguisher === undefined ? [] : [formatRouteDistinguisher(distinguisher)]),
      ...components.map(formatComponent),
      ...(rest === undefined ? [] : [`malformed ${formatHex(rest)}`]),
    ].join(' '),
};

function ruleJson(bits: number): JsonCodec<FlowNlri> {
  type InJson = Omit<FlowNlri, 'pathId'> & { readonly pathId?: number };
  const codec = record<InJson>({
    pathId: optional(u32),
    routeDistinguisher: optional(routeDistinguisher),
    components: list(flowComponent(bits)),
    rest: optional(hex()),
  });
  return {
    to: ({ pathId, ...others }) => codec.to({ ...others, ...(pathId !== 0 && { pathId }) }),
    from: (json, at) => ({ pathId: 0, ...codec.from(json, at) }),
  };
}

const isVpn = ({ family }: EntryShape): boolean => family.safi === safis.flowspecVpn;

/** How many octets of a rule follow its length. RFC 8955 §4.1. */
export function flowOctets(value: Reader): number {
  const first = value.u8();
  return first < LONG ? first : ((first & 0x0f) << 8) | value.u8();
}

function encodeLength(out: Writer, octets: number): void {
  if (octets > MAX_OCTETS) throw new Error(`a FlowSpec rule of ${octets} octets is longer than ${MAX_OCTETS}`);
  if (octets < LONG) out.u8(octets);
  else out.u16(0xf000 | octets);
}

function decodeDistinguisher(rule: Reader): Uint8Array {
  if (rule.left < RD_OCTETS) {
    throw new BgpError(
      `a rule of ${rule.left} octets has no room for a route distinguisher`,
      updateError.invalidNetworkField,
    );
  }
  return rule.take(RD_OCTETS);
}

/** In strictly rising order of type, RFC 8955 §4.2; what breaks that, or is malformed, begins the `rest`. */
function decodeComponents(rule: Reader, bits: number): Pick<FlowNlri, 'components' | 'rest'> {
  const components: FlowComponent[] = [];
  let last = 0;
  while (rule.left > 0) {
    const { at } = rule;
    const end = at + rule.left;
    const component = tryComponent(rule, bits);
    if (component === undefined || component.type <= last) {
      return { components, rest: new Reader(rule.bytes, [at, end], updateError.invalidNetworkField).rest() };
    }
    components.push(component);
    last = component.type;
  }
  // A rule without a component matches nothing and is malformed, RFC 8955 §4.
  return components.length > 0 ? { components } : { components, rest: new Uint8Array() };
}

function tryComponent(rule: Reader, bits: number): FlowComponent | undefined {
  try {
    return decodeComponent(rule, bits);
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return undefined;
  }
}
