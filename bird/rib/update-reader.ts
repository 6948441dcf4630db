/** One UPDATE from the wire into Adj-RIB-In: read in place, its attributes looked up by their octets. RFC 4271 §9, RFC 7606. */
import type { IpFamily } from '../../src/model/ip.ts';
import { familyOf, hasPathIds, ipFamilyOf } from '../peer/negotiate.ts';
import type { Negotiated } from '../peer/negotiate.ts';
import type { JudgedSet } from './lane.ts';
import { PrefixBatch } from './prefix-batch.ts';
import { NO_PREFIX } from './prefix-table.ts';
import type { PrefixTable } from './prefix-table.ts';
import { SetReader } from './set-reader.ts';
import type { SetReaderOptions } from './set-reader.ts';
import {
  asMpFault,
  checkNlri,
  NOT_PLAIN,
  OnlyMultiprotocol,
  readU16,
  scanUpdate,
  UPDATE_FIXED_OCTETS,
  walkNlri,
} from '../wire.ts';
import type { AttributeRange, Fault, NlriShape, UpdateScan } from '../wire.ts';

/** Where the routes go. */
export interface UpdateSink extends SetReaderOptions {
  readonly families: Readonly<Record<IpFamily, PathSink>>;
}

/**
 * Where the routes of one family go. A prefix comes as its number in the table, which may be one that nobody holds yet; the
 * path identifier (RFC 7911) is undefined where the session has no ADD-PATH for the family.
 */
export interface PathSink {
  readonly prefixes: PrefixTable;
  /** What import makes of an attribute set; called once per UPDATE, and one object for all its prefixes. */
  judge(attributes: number): JudgedSet;
  announce(prefix: number, pathId: number | undefined, route: JudgedSet): void;
  withdraw(prefix: number, pathId: number | undefined): void;
  /** The same for the first `count` of `prefixes`, without path identifiers; the sink may write to these. */
  announceAll(prefixes: Int32Array, count: number, route: JudgedSet): void;
  /** NO_PREFIX among them is nothing. */
  withdrawAll(prefixes: Int32Array, count: number): void;
  /** All of an UPDATE has come. */
  applied(): void;
}

export interface Received {
  /** The session must end with this NOTIFICATION. */
  readonly fault?: Fault;
  /** What was malformed and taken as withdrawn, or dropped; in words. */
  readonly remedied?: string;
  readonly endOfRib?: IpFamily;
}

interface Range {
  readonly family: IpFamily;
  readonly start: number;
  readonly end: number;
  /** MP_REACH or MP_UNREACH around it; absent for the message's own fields. */
  readonly attribute?: AttributeRange;
}

/** `frame[start, end)`. */
interface Nlri {
  readonly frame: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const NOTHING: Received = {};

/** An UPDATE is read in one go, so the readers of a thousand sessions have one of each for all. */
const BATCHES: Readonly<Record<IpFamily, PrefixBatch>> = { 4: new PrefixBatch(4), 6: new PrefixBatch(6) };
const ONLY = new OnlyMultiprotocol();

export class UpdateReader {
  readonly #sink: UpdateSink;
  readonly #session: Negotiated;
  readonly #shapes: Readonly<Record<IpFamily, NlriShape>>;
  readonly #sets: SetReader;
  /** The UPDATE's own fields are read, and hold prefixes and nothing else. */
  readonly #isPlainIpv4: boolean;
  /** The same of IPv6, in MP_REACH and MP_UNREACH. */
  readonly #isPlainIpv6: boolean;

  constructor(session: Negotiated, sink: UpdateSink) {
    const { receive } = session;
    this.#session = session;
    this.#sink = sink;
    const shape = (family: IpFamily) => ({ family: familyOf(family), addPath: hasPathIds(receive, family) });
    this.#shapes = { 4: shape(4), 6: shape(6) };
    this.#sets = new SetReader(receive, sink);
    const isPlain = (family: IpFamily): boolean =>
      session.families.includes(family) && !this.#shapes[family].addPath && this.#sets.isPlainPossible;
    this.#isPlainIpv4 = isPlain(4);
    this.#isPlainIpv6 = isPlain(6);
  }

  /** All of it or nothing: prefixes are checked before the first is applied. RFC 7606 §5.3. */
  read(frame: Uint8Array): Received {
    if (this.#isPlainIpv4 && this.#readPlain(frame)) return NOTHING;
    if (this.#isPlainIpv6 && this.#readPlainMultiprotocol(frame)) return NOTHING;
    const scan = scanUpdate(frame, this.#session.receive);
    if (scan.fault !== undefined && scan.remedy === 'session-reset') return { fault: scan.fault };
    if (scan.endOfRib !== undefined) {
      const endOfRib = ipFamilyOf(scan.endOfRib);
      return endOfRib === undefined ? NOTHING : { endOfRib };
    }
    const withdrawn = this.#ranges(scan, 'withdrawn');
    const announced = this.#ranges(scan, 'announced');
    const fault = this.#check(frame, [...withdrawn, ...announced]);
    if (fault !== undefined) return { fault };
    const interned = this.#sets.intern(frame, scan);
    if (interned.fault !== undefined) return { fault: interned.fault };
    for (const range of withdrawn) this.#withdraw(frame, range);
    for (const range of announced)
      this.#apply(frame, range, range.start === scan.nlriStart ? interned.ipv4 : interned.multiprotocol);
    this.#sets.letGo(interned);
    for (const { family } of [...withdrawn, ...announced]) this.#sink.families[family].applied();
    return interned.remedied === undefined ? NOTHING : { remedied: interned.remedied };
  }

  /** What names a family that was not agreed on is ignored. RFC 4760 §6. */
  #ranges(scan: UpdateScan, kind: 'withdrawn' | 'announced'): readonly Range[] {
    const [start, end] =
      kind === 'withdrawn' ? [scan.withdrawnStart, scan.withdrawnEnd] : [scan.nlriStart, scan.nlriEnd];
    const ranges: Range[] = [];
    if (start < end && this.#session.families.includes(4)) ranges.push({ family: 4, start, end });
    const multiprotocol = kind === 'withdrawn' ? scan.mpUnreach : scan.mpReach;
    if (multiprotocol === undefined) return ranges;
    const family = ipFamilyOf(multiprotocol);
    if (family !== undefined && this.#session.families.includes(family)) {
      ranges.push({ family, start: multiprotocol.nlriStart, end: multiprotocol.nlriEnd, attribute: multiprotocol });
    }
    return ranges;
  }

  #check(frame: Uint8Array, ranges: readonly Range[]): Fault | undefined {
    for (const { family, start, end, attribute } of ranges) {
      const fault = checkNlri(frame, start, end, this.#shapes[family]);
      if (fault === undefined) continue;
      return attribute === undefined ? fault : asMpFault(fault, frame, attribute);
    }
    return undefined;
  }

  /** What nearly every UPDATE is, without a detour: IPv4 prefixes, and attributes in order. False: nothing is done yet. */
  #readPlain(frame: Uint8Array): boolean {
    const end = frame.length;
    const withdrawnStart = UPDATE_FIXED_OCTETS - 2;
    if (end <= UPDATE_FIXED_OCTETS) return false;
    const withdrawnEnd = withdrawnStart + readU16(frame, withdrawnStart - 2);
    const attributesStart = withdrawnEnd + 2;
    if (attributesStart > end) return false;
    const nlriStart = attributesStart + readU16(frame, withdrawnEnd);
    if (nlriStart > end || (attributesStart === nlriStart) !== (nlriStart === end)) return false;
    const shape = this.#shapes[4];
    if (checkNlri(frame, withdrawnStart, withdrawnEnd, shape) !== undefined) return false;
    if (checkNlri(frame, nlriStart, end, shape) !== undefined) return false;
    let octets = 0;
    if (nlriStart < end) octets = this.#sets.readPlain(frame, attributesStart, nlriStart);
    if (octets === NOT_PLAIN) return false;
    const sink = this.#sink.families[4];
    this.#withdrawAll(4, frame, withdrawnStart, withdrawnEnd);
    if (octets > 0) this.#announcePlain(4, { frame, start: nlriStart, end }, octets);
    sink.applied();
    return true;
  }

  /** The same for IPv6, in MP_REACH or in MP_UNREACH. False: nothing is done yet. */
  #readPlainMultiprotocol(frame: Uint8Array): boolean {
    const end = frame.length;
    const start = UPDATE_FIXED_OCTETS;
    // Nothing in the fields of IPv4.
    if (end <= start || readU16(frame, start - 4) !== 0 || readU16(frame, start - 2) !== end - start) return false;
    if (!ONLY.read(frame, start, end)) return false;
    const { isReach, nlriStart, nlriEnd } = ONLY;
    if (checkNlri(frame, nlriStart, nlriEnd, this.#shapes[6]) !== undefined) return false;
    if (isReach) {
      const octets = this.#sets.readPlainMultiprotocol(frame, start, end, ONLY);
      if (octets === NOT_PLAIN) return false;
      this.#announcePlain(6, { frame, start: nlriStart, end: nlriEnd }, octets);
    } else {
      this.#withdrawAll(6, frame, nlriStart, nlriEnd);
    }
    this.#sink.families[6].applied();
    return true;
  }

  /** With the attributes that were read last, and are so many `octets`. */
  #announcePlain(family: IpFamily, nlri: Nlri, octets: number): void {
    const { attributes, families } = this.#sink;
    const set = this.#sets.takePlain(octets);
    const route = families[family].judge(set);
    attributes.retain(route.used);
    this.#announceAll(family, nlri, route);
    attributes.release(route.used);
    attributes.release(set);
  }

  /** Without path identifiers. */
  #announceAll(family: IpFamily, { frame, start, end }: Nlri, route: JudgedSet): void {
    const sink = this.#sink.families[family];
    const batch = BATCHES[family];
    for (let at = start; at < end;) {
      at = batch.read(frame, at, end);
      sink.prefixes.internAll(batch);
      sink.announceAll(batch.ids, batch.size, route);
    }
  }

  /** The same for what goes. */
  #withdrawAll(family: IpFamily, frame: Uint8Array, start: number, end: number): void {
    const sink = this.#sink.families[family];
    const batch = BATCHES[family];
    for (let at = start; at < end;) {
      at = batch.read(frame, at, end);
      sink.prefixes.findAll(batch);
      sink.withdrawAll(batch.ids, batch.size);
    }
  }

  #withdraw(frame: Uint8Array, { family, start, end }: Range): void {
    const shape = this.#shapes[family];
    if (!shape.addPath) {
      this.#withdrawAll(family, frame, start, end);
      return;
    }
    const sink = this.#sink.families[family];
    walkNlri(frame, start, end, shape, (pathId, w0, w1, w2, w3, length) => {
      const prefix = sink.prefixes.find(w0, w1, w2, w3, length);
      if (prefix !== NO_PREFIX) sink.withdraw(prefix, pathId);
    });
  }

  #apply(frame: Uint8Array, range: Range, attributes: number | undefined): void {
    if (attributes === undefined) {
      this.#withdraw(frame, range);
      return;
    }
    const { family, start, end } = range;
    const shape = this.#shapes[family];
    const sink = this.#sink.families[family];
    const route = sink.judge(attributes);
    this.#sink.attributes.retain(route.used);
    if (shape.addPath) {
      walkNlri(frame, start, end, shape, (pathId, w0, w1, w2, w3, length) => {
        sink.announce(sink.prefixes.intern(w0, w1, w2, w3, length), pathId, route);
      });
    } else {
      this.#announceAll(family, { frame, start, end }, route);
    }
    this.#sink.attributes.release(route.used);
  }
}
