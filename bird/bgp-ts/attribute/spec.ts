import type { CodecContext } from '../context.ts';
import type { JsonCodec } from '../json/codec.ts';
import type { Remedy } from '../error.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

/** Attribute flags, RFC 4271 §4.3. */
export const OPTIONAL = 0x80;
export const TRANSITIVE = 0x40;
export const PARTIAL = 0x20;
export const EXTENDED_LENGTH = 0x10;

/**
 * One row of the attribute table. Flags, duplicates, empty values and octets left over are judged by the loop in
 * decode.ts, once for all; `decode` judges only what is special to the attribute, and throws BgpError.
 */
export interface AttributeSpec<T> {
  /** As the RFC spells it. */
  readonly name: string;
  readonly code: number;
  /** What the Optional and Transitive bits must be. */
  readonly flags: number;
  readonly onMalformed: Remedy;
  /** Default: the first counts and the others are discarded, RFC 7606 §3 (g). */
  readonly onDuplicate?: Remedy;
  /** Where Optional or Transitive are not as above. Default: treat-as-withdraw, RFC 7606 §3 (c). */
  readonly onFlags?: Remedy;
  /** Kept as bytes that nobody here understands: passed on with the partial bit, as unknown ones are. RFC 4271 §5. */
  readonly opaque?: true;
  /** A value of no octets is not malformed by itself. */
  readonly mayBeEmpty?: true;
  /** Why this session must not carry it, whatever the value: it is then discarded. Undefined: it may. */
  unwanted?(context: CodecContext): string | undefined;
  decode(value: Reader, context: CodecContext): T;
  encode(out: Writer, value: T, context: CodecContext): void;
}

/** An attribute that stays in the record, and so is JSON and part of the readable line. */
export interface RecordedSpec<T> extends AttributeSpec<T> {
  readonly json: JsonCodec<T>;
  /** What stands behind the field's name in the readable line. Default: the JSON, its texts and numbers in a row. */
  line?(value: T): string;
}

/** Only optional transitive attributes have a partial bit that means something, RFC 4271 §4.3; AS4_PATH's ends with its merge. */
export const hasPartialBit = ({ flags, json }: { readonly flags: number; readonly json?: unknown }): boolean =>
  json !== undefined && flags === (OPTIONAL | TRANSITIVE);

/** LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST mean nothing from another AS. RFC 7606 §7.5, §7.9, §7.10. */
export const fromExternal = ({ external }: CodecContext): string | undefined =>
  external ? 'not expected from an external peer' : undefined;

/** AS4_PATH and AS4_AGGREGATOR are for peers without four-octet AS numbers. RFC 6793 §4.1. */
export const fromFourOctet = ({ fourOctetAs }: CodecContext): string | undefined =>
  fourOctetAs ? 'not expected from a peer with four-octet AS numbers' : undefined;
