/** The attribute sets of one session's UPDATEs, looked up by their octets. RFC 4271 §4.3, RFC 7606. */
import type { AttributeCache } from './attribute-cache.ts';
import type { Negotiated } from '../peer/negotiate.ts';
import {
  decodeAttributes,
  EXTENDED_MAX_OCTETS,
  judgeUpdate,
  keptAttributes,
  NEXT_HOP_ROOM,
  NOT_PLAIN,
  PlainAttributes,
  withoutAttributes,
} from '../wire.ts';
import type { Fault, OnlyMultiprotocol, UpdateScan } from '../wire.ts';

export interface SetReaderOptions {
  readonly attributes: AttributeCache;
  /** Keep AIGP: the session is for it. RFC 7311 §3.3. */
  readonly keepsAigp: boolean;
}

/** An interned set that this UPDATE holds on to while it is applied, or undefined: its prefixes are to be withdrawn. */
export interface Interned {
  readonly ipv4: number | undefined;
  readonly multiprotocol: number | undefined;
  readonly fault?: Fault;
  readonly remedied?: string;
}

/** In the first octet of a key: the next hop is that of MP_REACH. */
const MULTIPROTOCOL_BIT = 3;

/** An UPDATE is read in one go, so the readers of a thousand sessions have one of each for all. */
const SCRATCH = {
  plain: new Uint8Array(EXTENDED_MAX_OCTETS + NEXT_HOP_ROOM),
  key: new Uint8Array(EXTENDED_MAX_OCTETS + 64),
};

export class SetReader {
  readonly #receive: Negotiated['receive'];
  readonly #cache: AttributeCache;
  readonly #keepsAigp: boolean;
  readonly #plain: PlainAttributes;
  readonly #key = SCRATCH.key;
  /** What of the session, beside the octets, decides what they mean. */
  readonly #keyFlags: number;

  constructor(receive: Negotiated['receive'], { attributes, keepsAigp }: SetReaderOptions) {
    this.#receive = receive;
    this.#cache = attributes;
    this.#keepsAigp = keepsAigp;
    this.#plain = new PlainAttributes(receive, SCRATCH.plain);
    this.#keyFlags = Number(receive.fourOctetAs) | (Number(receive.external) << 1) | (Number(keepsAigp) << 2);
  }

  /** What is in order can be read as octets. */
  get isPlainPossible(): boolean {
    return this.#plain.isPossible;
  }

  /** The attributes in `frame[start, end)`, NEXT_HOP among them: how many octets they are as the cache keeps them, or NOT_PLAIN. */
  readPlain(frame: Uint8Array, start: number, end: number): number {
    return this.#plain.read(frame, start, end);
  }

  /** The same for the prefixes of MP_REACH, which stands among them and has the next hop. */
  readPlainMultiprotocol(
    frame: Uint8Array,
    start: number,
    end: number,
    { nextHopStart, nextHopEnd }: OnlyMultiprotocol,
  ): number {
    return this.#plain.readMultiprotocol(frame, start, end, nextHopStart, nextHopEnd);
  }

  /** The set of the last `readPlain` or `readPlainMultiprotocol`, which answered `octets`; retained for the caller. */
  takePlain(octets: number): number {
    const set = this.#cache.internOctets(this.#plain.octets, octets);
    this.#cache.retain(set);
    return set;
  }

  /** Looks both sets up by their octets; decodes only where one is new, or where something may be wrong. */
  intern(frame: Uint8Array, scan: UpdateScan): Interned {
    const hasIpv4 = scan.nlriStart < scan.nlriEnd;
    const hasMultiprotocol = scan.mpReach !== undefined;
    if (scan.fault === undefined && hasIpv4 !== hasMultiprotocol) {
      const plain = this.#internPlain(frame, scan);
      if (plain !== NOT_PLAIN) {
        return this.#hold({ ipv4: hasIpv4 ? plain : undefined, multiprotocol: hasIpv4 ? undefined : plain });
      }
    }
    const ipv4 = hasIpv4 ? this.#findRaw(frame, scan, false) : undefined;
    const multiprotocol = hasMultiprotocol ? this.#findRaw(frame, scan, true) : undefined;
    if (scan.fault === undefined && ipv4 !== -1 && multiprotocol !== -1 && (hasIpv4 || hasMultiprotocol)) {
      return this.#hold({ ipv4, multiprotocol });
    }
    const hasAttributes = scan.attributesStart < scan.attributesEnd;
    if (!hasIpv4 && !hasMultiprotocol && !hasAttributes) return { ipv4: undefined, multiprotocol: undefined };
    return this.#decode(frame, scan);
  }

  #internPlain(frame: Uint8Array, { attributesStart, attributesEnd, mpReach }: UpdateScan): number {
    const plain = this.#plain;
    const length =
      mpReach === undefined
        ? plain.read(frame, attributesStart, attributesEnd)
        : plain.readMultiprotocol(frame, attributesStart, attributesEnd, mpReach.nextHopStart, mpReach.nextHopEnd);
    return length === NOT_PLAIN ? NOT_PLAIN : this.#cache.internOctets(plain.octets, length);
  }

  #decode(frame: Uint8Array, scan: UpdateScan): Interned {
    const result = decodeAttributes(frame, scan.attributesStart, scan.attributesEnd, this.#receive);
    const { remedy, faults, worst } = judgeUpdate(scan, result);
    const { ipv4NextHop } = result;
    const attributes = keptAttributes(result.attributes, this.#keepsAigp);
    const none = { ipv4: undefined, multiprotocol: undefined };
    if (remedy === 'session-reset' || remedy === 'afi-safi-disable')
      return worst === undefined ? none : { ...none, fault: worst };
    if (remedy === 'treat-as-withdraw')
      return { ...none, remedied: `treated as withdrawn: ${worst?.text ?? 'malformed'}` };
    const cache = this.#cache;
    const rest = withoutAttributes(attributes, ['nextHop']);
    const held = this.#hold({
      ipv4:
        scan.nlriStart < scan.nlriEnd
          ? cache.intern(ipv4NextHop === undefined ? rest : { ...rest, nextHop: ipv4NextHop })
          : undefined,
      multiprotocol: scan.mpReach === undefined ? undefined : cache.intern(attributes),
    });
    if (faults.length > 0) return { ...held, remedied: `attribute dropped: ${faults[0]!.text}` };
    if (held.ipv4 !== undefined) cache.rememberRaw(this.#key, this.#rawKey(frame, scan, false), held.ipv4);
    if (held.multiprotocol !== undefined)
      cache.rememberRaw(this.#key, this.#rawKey(frame, scan, true), held.multiprotocol);
    return held;
  }

  #hold(interned: Interned): Interned {
    if (interned.ipv4 !== undefined) this.#cache.retain(interned.ipv4);
    if (interned.multiprotocol !== undefined) this.#cache.retain(interned.multiprotocol);
    return interned;
  }

  /** The UPDATE is applied. */
  letGo({ ipv4, multiprotocol }: Interned): void {
    if (ipv4 !== undefined) this.#cache.release(ipv4);
    if (multiprotocol !== undefined) this.#cache.release(multiprotocol);
  }

  #findRaw(frame: Uint8Array, scan: UpdateScan, isMultiprotocol: boolean): number {
    return this.#cache.findRaw(this.#key, this.#rawKey(frame, scan, isMultiprotocol));
  }

  /**
   * The octets that decide the set: how to read them, the next hop of MP_REACH where it counts, and the block without
   * the multiprotocol attributes, whose prefixes differ each time. Returns how many octets of `#key` that is.
   */
  #rawKey(frame: Uint8Array, scan: UpdateScan, isMultiprotocol: boolean): number {
    const key = this.#key;
    key[0] = this.#keyFlags | (Number(isMultiprotocol) << MULTIPROTOCOL_BIT);
    let end = 1;
    const append = (from: number, to: number): void => {
      for (let at = from; at < to; at++) key[end++] = frame[at]!;
    };
    const { mpReach, mpUnreach } = scan;
    if (isMultiprotocol && mpReach !== undefined) {
      key[end++] = mpReach.nextHopEnd - mpReach.nextHopStart;
      append(mpReach.nextHopStart, mpReach.nextHopEnd);
    }
    let from = scan.attributesStart;
    const gaps = [mpReach, mpUnreach].filter((gap) => gap !== undefined);
    for (const gap of gaps.sort((a, b) => a.attributeStart - b.attributeStart)) {
      append(from, gap.attributeStart);
      from = gap.attributeEnd;
    }
    append(from, scan.attributesEnd);
    return end;
  }
}
