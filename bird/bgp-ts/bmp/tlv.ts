import type { CodecContext } from '../context.ts';
import { hex, formatHex } from '../json/address.ts';
import { decodeUtf8, encodeUtf8 } from '../utf8.ts';
import type { JsonCodec } from '../json/codec.ts';
import { constant, list, record, tagged, text, u16 } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { CodeTlv, TextTlv, UnknownTlv } from './message.ts';

interface NamedTlv {
  readonly name: string;
}

/** The value of one named TLV. `decode` may keep `value`, and gives undefined for what is not of its form: it is then kept as bytes. */
export interface TlvSpec<T extends NamedTlv> {
  readonly type: number;
  decode(value: Uint8Array): T | undefined;
  encode(out: Writer, tlv: T): void;
  readonly json: JsonCodec<T>;
  /** `context` is for a BGP message inside. */
  line(tlv: T, context: CodecContext): string;
}

type Known<T extends NamedTlv> = Exclude<T['name'], 'unknown'>;
type OfName<T extends NamedTlv, N> = T extends { readonly name: infer M } ? (N extends M ? T : never) : never;

/** One registry, a row per name; a name without a row does not compile. */
export type TlvTable<T extends NamedTlv> = { readonly [N in Known<T>]: TlvSpec<OfName<T, N> & { readonly name: N }> };

/** A list of TLVs of one registry, RFC 7854 §4.4: type and length of two octets each, in any order, which is kept. */
export interface TlvList<T extends NamedTlv> {
  /** All that is left of `body`. Throws BgpError where a length runs past its end. */
  decode(body: Reader): readonly T[];
  /** Throws a plain Error where a value does not fit. */
  encode(out: Writer, tlvs: readonly T[]): void;
  readonly json: JsonCodec<readonly T[]>;
  /** ` name value` for each. */
  line(tlvs: readonly T[], context: CodecContext): string;
}

export function tlvList<T extends NamedTlv>(table: TlvTable<T | UnknownTlv>): TlvList<T | UnknownTlv> {
  type Entry = T | UnknownTlv;
  const rows = Object.entries(table as unknown as Readonly<Record<string, TlvSpec<Entry>>>);
  const byName = new Map([...rows, ['unknown', unknownTlv] as const]);
  const byType = new Map(rows.map(([, spec]) => [spec.type, spec]));
  const specOf = ({ name }: Entry): TlvSpec<Entry> => byName.get(name)!;
  return {
    decode: (body) => {
      const tlvs: Entry[] = [];
      while (body.left > 0) {
        const type = body.u16();
        const value = body.take(body.u16());
        tlvs.push(byType.get(type)?.decode(value) ?? { name: 'unknown', type, value });
      }
      return tlvs;
    },
    encode: (out, tlvs) => {
      for (const tlv of tlvs) {
        out.u16('type' in tlv ? tlv.type : specOf(tlv).type, 'TLV type');
        out.prefixed(2, () => specOf(tlv).encode(out, tlv));
      }
    },
    json: list(tagged<Entry>('name', Object.fromEntries([...byName].map(([name, { json }]) => [name, json])))),
    line: (tlvs, context) => tlvs.map((tlv) => ` ${specOf(tlv).line(tlv, context)}`).join(''),
  };
}

const unknownTlv: TlvSpec<UnknownTlv> = {
  type: -1,
  decode: () => undefined,
  encode: (out, { value }) => out.bytes(value),
  json: record<UnknownTlv>({ name: constant('unknown'), type: u16, value: hex() }),
  line: ({ type, value }) => `tlv-${type} ${formatHex(value)}`.trimEnd(),
};

/** UTF-8 that encodes to the same bytes again. */
export function textTlv<N extends string>(type: number, name: N): TlvSpec<TextTlv<N>> {
  return {
    type,
    decode: (value) => {
      const content = decodeUtf8(value);
      return content === undefined ? undefined : { name, text: content };
    },
    encode: (out, tlv) => out.bytes(encodeUtf8(tlv.text, name)),
    json: record<TextTlv<string>>({ name: constant(name), text }) as unknown as JsonCodec<TextTlv<N>>,
    line: (tlv) => `${name} ${JSON.stringify(tlv.text)}`,
  };
}

/** A number of two octets; `names` for the readable line, by number. */
export function codeTlv<N extends string>(type: number, name: N, names: readonly string[]): TlvSpec<CodeTlv<N>> {
  return {
    type,
    decode: (value) => (value.length === 2 ? { name, code: (value[0]! << 8) | value[1]! } : undefined),
    encode: (out, { code }) => out.u16(code, name),
    json: record<CodeTlv<string>>({ name: constant(name), code: u16 }) as unknown as JsonCodec<CodeTlv<N>>,
    line: ({ code }) => `${name} ${names[code] ?? code}`,
  };
}
