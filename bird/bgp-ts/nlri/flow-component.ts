import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { formatPrefix } from '../json/address.ts';
import type { JsonCodec } from '../json/codec.ts';
import { boolean, list, oneOf, optional, record, refused, tagged, u64, u8, written } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { decodeBits, encodeBits, prefixText } from './prefix.ts';
import type { FlowComponent, FlowMatch, FlowMatches, FlowPrefix } from './nlri.ts';

type Form = 'prefix' | 'number' | 'bitmask';

/** RFC 8955 §4.2.2, RFC 8956 §3: the field of the packet and how it is written. The names are those of IPv4. */
const types: Readonly<Record<number, { readonly name: string; readonly form: Form }>> = {
  1: { name: 'destination', form: 'prefix' },
  2: { name: 'source', form: 'prefix' },
  3: { name: 'protocol', form: 'number' },
  4: { name: 'port', form: 'number' },
  5: { name: 'destination-port', form: 'number' },
  6: { name: 'source-port', form: 'number' },
  7: { name: 'icmp-type', form: 'number' },
  8: { name: 'icmp-code', form: 'number' },
  9: { name: 'tcp-flags', form: 'bitmask' },
  10: { name: 'packet-length', form: 'number' },
  11: { name: 'dscp', form: 'number' },
  12: { name: 'fragment', form: 'bitmask' },
  13: { name: 'flow-label', form: 'number' },
};
const FLOW_LABEL = 13;

const END_OF_LIST = 0x80;
const AND = 0x40;
/** Octets of a value by the two bits that say so. */
const SIZES = [1, 2, 4, 8];
const NUMBER_OPERATORS = ['false', '=', '>', '>=', '<', '<=', '!=', 'true'];
const BITMASK_OPERATORS = ['any', 'all', 'not-any', 'not-all'];

const operatorsOf = (form: Form): readonly string[] => (form === 'number' ? NUMBER_OPERATORS : BITMASK_OPERATORS);

/** One component for addresses of `bits`. Throws BgpError where it is malformed or its type is unknown. */
export function decodeComponent(value: Reader, bits: number): FlowComponent {
  const type = value.u8();
  const known = types[type];
  if (known === undefined || (type === FLOW_LABEL && bits === 32)) throw malformed(`component type ${type} is unknown`);
  return known.form === 'prefix' ? { type, ...decodePrefix(value, bits) } : decodeMatches(value, type, known.form);
}

/** Throws a plain Error for what would come back as malformed. */
export function encodeComponent(out: Writer, component: FlowComponent, bits: number): void {
  const form = types[component.type]?.form;
  if (form === undefined || (component.type === FLOW_LABEL && bits === 32)) {
    throw new Error(`FlowSpec component type ${component.type} is unknown`);
  }
  out.u8(component.type);
  if ('matches' in component === (form === 'prefix')) throw new Error(`${types[component.type]!.name} is a ${form}`);
  if ('matches' in component) encodeMatches(out, component, form);
  else encodePrefix(out, component, bits);
}

function encodeMatches(out: Writer, { type, matches }: FlowMatches, form: Form): void {
  if (matches.length === 0) throw new Error(`${types[type]!.name} has nothing to match`);
  for (const [i, { and, operator, octets, value }] of matches.entries()) {
    const size = SIZES.indexOf(octets);
    const fits = size >= 0 && operatorsOf(form)[operator] !== undefined && BigInt.asUintN(8 * octets, value) === value;
    if (!fits || (i === 0 && and)) throw new Error(`${types[type]!.name}: match ${i} cannot be written`);
    const last = i === matches.length - 1 ? END_OF_LIST : 0;
    out.u8(last | (and ? AND : 0) | (size << 4) | operator);
    for (let shift = 8 * (octets - 1); shift >= 0; shift -= 8) out.u8(Number((value >> BigInt(shift)) & 0xffn));
  }
}

function decodePrefix(value: Reader, bits: number): Omit<FlowPrefix, 'type'> {
  const length = value.u8();
  if (bits === 32) return { ...decodeBits(value, length, bits), offset: 0 };
  const offset = value.u8();
  // RFC 8956 §3.1: the pattern has the bits behind `offset`; 0/0 matches all.
  if (length > bits || (offset >= length && length + offset > 0)) throw malformed(`offset ${offset} of /${length}`);
  const { words } = decodeBits(value, length - offset, bits);
  return { words: shiftRight(words, offset), length, offset };
}

function encodePrefix(out: Writer, { words, length, offset }: FlowPrefix, bits: number): void {
  const isPattern = bits === 32 ? offset === 0 : offset < length || length + offset === 0;
  if (!isPattern) throw new Error(`offset ${offset} of /${length} is no pattern`);
  const pattern = shiftLeft(words, offset);
  if (wide(shiftRight(pattern, offset)) !== wide(words))
    throw new Error(`a pattern has bits in front of offset ${offset}`);
  out.u8(length);
  if (bits !== 32) out.u8(offset);
  encodeBits(out, { words: pattern, length: length - offset }, bits);
}

function decodeMatches(value: Reader, type: number, form: Form): FlowMatches {
  const matches: FlowMatch[] = [];
  for (;;) {
    const octet = value.u8();
    const octets = SIZES[(octet >> 4) & 3]!;
    let number = 0n;
    for (let i = 0; i < octets; i++) number = (number << 8n) | BigInt(value.u8());
    const operator = octet & (operatorsOf(form).length - 1);
    // The first has nothing to be joined with, RFC 8955 §4.2.1.1.
    matches.push({ and: matches.length > 0 && (octet & AND) !== 0, operator, octets, value: number });
    if ((octet & END_OF_LIST) !== 0) return { type, matches };
  }
}

const wide = (words: readonly number[]): bigint => words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
const words128 = (value: bigint): readonly number[] =>
  [96n, 64n, 32n, 0n].map((shift) => Number((value >> shift) & 0xffff_ffffn));
const shiftRight = (words: readonly number[], bits: number): readonly number[] =>
  bits === 0 ? words : words128(wide(words) >> BigInt(bits));
const shiftLeft = (words: readonly number[], bits: number): readonly number[] =>
  bits === 0 ? words : words128(wide(words) << BigInt(bits));

/** `destination 192.0.2.0/24`, `port >=80&<=90,=443`, `tcp-flags all 2`. */
export function formatComponent(component: FlowComponent): string {
  const known = types[component.type];
  const name = known?.name ?? String(component.type);
  if (!('matches' in component)) {
    const { words, length, offset } = component;
    return `${name} ${formatPrefix(words, length)}${offset === 0 ? '' : ` offset ${offset}`}`;
  }
  const form = known?.form ?? 'number';
  const parts = component.matches.map(({ and, operator, value }, i) => {
    const join = i === 0 ? '' : and ? '&' : ',';
    const word = operatorsOf(form)[operator] ?? String(operator);
    return `${join}${word}${/[a-z]$/.test(word) ? ' ' : ''}${value}`;
  });
  return `${name} ${parts.join('')}`;
}

const octetCount: JsonCodec<number> = {
  to: (value) => value,
  from: (json, at) => {
    if (json === 1 || json === 2 || json === 4 || json === 8) return json;
    throw refused(at, json, '1, 2, 4 or 8');
  },
};

/** A component as JSON: `{ type: 'port', matches: [{ operator: '=', value: 80, octets: 1 }] }`. */
export function flowComponent(bits: number): JsonCodec<FlowComponent> {
  const variants = Object.fromEntries<JsonCodec<unknown>>(
    Object.entries(types).map(([number, { name, form }]) => {
      const type = nameOf(name, Number(number));
      return [
        name,
        form === 'prefix' ? prefixJson(type, bits) : record<FlowMatches>({ type, matches: matchList(form) }),
      ];
    }),
  );
  const byName = tagged<{ readonly type: string }>('type', variants);
  return {
    to: (component) => variants[types[component.type]!.name]!.to(component),
    from: (json, at) => byName.from(json, at) as unknown as FlowComponent,
  };
}

/** In JSON a component's type is its name. */
const nameOf = (name: string, type: number): JsonCodec<number> =>
  written(
    name,
    () => name,
    (text) => (text === name ? type : undefined),
  );

function prefixJson(type: JsonCodec<number>, bits: number): JsonCodec<FlowPrefix> {
  type InJson = {
    readonly type: number;
    readonly prefix: Pick<FlowPrefix, 'words' | 'length'>;
    readonly offset?: number;
  };
  const codec = record<InJson>({ type, prefix: prefixText(bits), offset: optional(u8) });
  return {
    to: ({ type: number, words, length, offset }) =>
      codec.to({ type: number, prefix: { words, length }, ...(offset !== 0 && { offset }) }),
    from: (json, at) => {
      const { type: number, prefix, offset = 0 } = codec.from(json, at);
      return { type: number, ...prefix, offset };
    },
  };
}

function matchList(form: Form): JsonCodec<readonly FlowMatch[]> {
  const words = oneOf(operatorsOf(form));
  const operator: JsonCodec<number> = {
    to: (value) => operatorsOf(form)[value]!,
    from: (json, at) => operatorsOf(form).indexOf(words.from(json, at)),
  };
  return list(record<FlowMatch>({ and: boolean, operator, octets: octetCount, value: u64 }));
}

const malformed = (text: string): BgpError => new BgpError(text, updateError.invalidNetworkField);
