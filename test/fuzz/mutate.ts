import type { CodecContext } from '../../bird/bgp-ts/index.ts';
import { isField, isItem, roles } from './dissect.ts';
import type { Pieces } from './draft.ts';
import { Draft } from './draft.ts';
import type { Random } from './random.ts';
import { sessionFor } from './session.ts';

/** A valid input and the session in which it is valid. */
export interface Seed extends Pieces {
  readonly session: CodecContext;
}

export interface FuzzInput {
  readonly octets: Uint8Array;
  readonly session: CodecContext;
}

const words = [0, 1, 2, 3, 4, 7, 8, 15, 16, 19, 23, 32, 33, 64, 127, 128, 129, 254, 255, 256, 4095, 4096, 4097];
const large = [0x7fff, 0x8000, 0xffff, 23456, 0x10000, 0xffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const numbers = [...words, ...large];
const families = [0, 1, 2, 3, 4, 5, 25, 65, 66, 70, 71, 72, 73, 85, 128, 129, 132, 133, 134, 16388, 16397, 0xffff];

const LARGE_OCTETS = 700;

/** What is worth trying in a field of each role. */
const interesting: Readonly<Record<number, readonly number[]>> = {
  [roles.flags]: [0x00, 0x10, 0x40, 0x50, 0x60, 0x80, 0x90, 0xa0, 0xc0, 0xd0, 0xe0, 0xf0, 0xff, 0x41, 0xcf],
  [roles.attributeCode]: [
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 20, 21, 22, 23, 25, 26, 29, 32, 35, 36, 40, 128, 255],
  ],
  [roles.capabilityCode]: [0, 1, 2, 3, 5, 6, 7, 8, 9, 64, 65, 66, 67, 69, 70, 71, 73, 75, 128, 130, 255],
  [roles.afi]: families,
  [roles.safi]: families,
  [roles.prefixBits]: [
    0, 1, 7, 8, 9, 16, 24, 25, 31, 32, 33, 63, 64, 65, 88, 95, 96, 112, 120, 127, 128, 129, 152, 255,
  ],
  [roles.messageType]: [1, 1, 2, 2, 2, 2, 3, 3, 5, 5, 0, 4, 6, 255],
  [roles.segmentType]: [0, 1, 2, 3, 4, 5, 255],
  [roles.octet]: words,
  [roles.number]: numbers,
  [roles.mrtType]: [13, 16, 17, 13, 16, 12, 11, 32, 33, 48, 49, 64, 0, 255],
  [roles.mrtSubtype]: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 255],
};

/** Makes inputs out of seeds: some changes on top of each other, then lengths that are true again, or not. */
export class Mutator {
  readonly #seeds: readonly Seed[];
  readonly #large: readonly Seed[];
  readonly #small: readonly Seed[];
  readonly #items: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly #framed: boolean;
  readonly #draft = new Draft();

  /** `framed`: the seeds are BGP messages, and mutants shall mostly pass for whole ones. */
  constructor(seeds: readonly Seed[], framed = false) {
    this.#framed = framed;
    this.#seeds = seeds;
    this.#large = seeds.filter(({ octets }) => octets.length > LARGE_OCTETS);
    this.#small = seeds.filter(({ octets }) => octets.length <= LARGE_OCTETS);
    const items = seeds.flatMap(({ octets, spans }) =>
      spans
        .filter(({ role, start, end }) => isItem(role) && end - start < 1500)
        .map(({ role, start, end }) => ({ role, octets: octets.subarray(start, end) })),
    );
    const byRole = Map.groupBy(items, ({ role }) => role);
    this.#items = new Map([...byRole].map(([role, list]) => [role, list.map(({ octets }) => octets)]));
  }

  make(random: Random): FuzzInput {
    // A large seed costs as much as a hundred small ones and says little more.
    const seed = random.pick(this.#large.length > 0 && random.below(300) === 0 ? this.#large : this.#small);
    const draft = this.#draft;
    draft.load(seed);
    // Two inputs in 100 are their seeds: what is valid must stay valid.
    const changes = random.chance(2)
      ? 0
      : 1 + Math.floor(random.below(25) / 8) + (random.chance(8) ? random.below(12) : 0);
    for (let change = 0; change < changes; change++) this.#change(random);
    const repair = random.below(20);
    if (repair < 15) draft.repair();
    else if (repair < 18) draft.repair(1);
    if (this.#framed && random.chance(92)) mendHeader(draft);
    if (random.chance(5)) flipBit(draft, random);
    return { octets: draft.finish(), session: sessionFor(seed.session, random) };
  }

  #change(random: Random): void {
    const draft = this.#draft;
    const kind = random.below(32);
    if (kind < 4) flipBit(draft, random);
    else if (kind < 7) setOctet(draft, random);
    else if (kind < 14) setField(draft, random);
    else if (kind < 17) lieAboutLength(draft, random);
    else if (kind < 19) duplicate(draft, random);
    else if (kind < 21) removeItem(draft, random);
    else if (kind < 23) moveItem(draft, random);
    else if (kind < 27) this.#borrow(random);
    else if (kind < 28) insertOctets(draft, random);
    else if (kind < 30) removeOctets(draft, random);
    else if (kind < 31) draft.remove(random.below(draft.length + 1), draft.length);
    else this.#cross(random);
  }

  /** An item of another seed in place of one, or in front of it. */
  #borrow(random: Random): void {
    const draft = this.#draft;
    const item = pickSpan(draft, random, isItem);
    if (item < 0) return;
    const other = random.pick(this.#items.get(draft.roles[item]!) ?? []);
    if (random.chance(50)) draft.insert(draft.starts[item]!, other, item);
    else {
      // In front first: the piece that goes marks the place.
      draft.insert(draft.starts[item]!, other, item);
      draft.remove(draft.starts[item]!, draft.ends[item]!);
    }
  }

  /** The tail of another seed behind our head. */
  #cross(random: Random): void {
    const draft = this.#draft;
    const { octets } = random.pick(this.#seeds);
    const from = random.below(octets.length + 1);
    const at = random.below(draft.length + 1);
    draft.remove(at, draft.length);
    draft.insert(at, octets.subarray(from));
  }
}

/** Marker and length of RFC 4271 §4.1, so that a mutant is not refused for these alone. */
function mendHeader(draft: Draft): void {
  if (draft.length < 19) return;
  draft.bytes.fill(0xff, 0, 16);
  writeNumber(draft, [16, 18], draft.length);
}

/** A random piece that `wanted` takes; -1 where a few tries find none. */
function pickSpan(draft: Draft, random: Random, wanted: (role: number) => boolean): number {
  for (let attempt = 0; attempt < 6 && draft.count > 0; attempt++) {
    const span = random.below(draft.count);
    if (wanted(draft.roles[span]!) && draft.ends[span]! > draft.starts[span]!) return span;
  }
  return -1;
}

function flipBit(draft: Draft, random: Random): void {
  if (draft.length > 0) draft.bytes[random.below(draft.length)]! ^= 1 << random.below(8);
}

function setOctet(draft: Draft, random: Random): void {
  if (draft.length > 0)
    draft.bytes[random.below(draft.length)] = random.chance(50) ? random.octet() : random.pick(words);
}

function setField(draft: Draft, random: Random): void {
  const field = pickSpan(draft, random, isField);
  if (field < 0) return;
  const value = random.chance(85) ? random.pick(interesting[draft.roles[field]!] ?? numbers) : random.octet();
  writeNumber(draft, [draft.starts[field]!, draft.ends[field]!], value);
}

function lieAboutLength(draft: Draft, random: Random): void {
  for (let attempt = 0; attempt < 6 && draft.count > 0; attempt++) {
    const span = random.below(draft.count);
    if (!draft.hasLength(span)) continue;
    const near = draft.trueLength(span) + random.below(9) - 4;
    draft.lie(span, random.chance(60) ? Math.max(0, near) : random.pick(numbers));
    return;
  }
}

function duplicate(draft: Draft, random: Random): void {
  const item = pickSpan(draft, random, isItem);
  if (item < 0) return;
  const copy = draft.bytes.slice(draft.starts[item], draft.ends[item]);
  const times = random.chance(90) || copy.length > 300 ? 1 : 1 + random.below(80);
  for (let i = 0; i < times; i++) draft.insert(draft.starts[item]!, copy, item);
}

function removeItem(draft: Draft, random: Random): void {
  const item = pickSpan(draft, random, isItem);
  if (item >= 0) draft.remove(draft.starts[item]!, draft.ends[item]!);
}

/** In front of another of its role, wherever that is. */
function moveItem(draft: Draft, random: Random): void {
  const item = pickSpan(draft, random, isItem);
  if (item < 0) return;
  const role = draft.roles[item]!;
  const copy = draft.bytes.slice(draft.starts[item], draft.ends[item]);
  draft.remove(draft.starts[item]!, draft.ends[item]!);
  const other = pickSpan(draft, random, (candidate) => candidate === role);
  if (other >= 0) draft.insert(draft.starts[other]!, copy, other);
}

function insertOctets(draft: Draft, random: Random): void {
  const octets = Uint8Array.from({ length: 1 + random.below(random.chance(90) ? 8 : 600) }, () => random.octet());
  draft.insert(random.below(draft.length + 1), octets);
}

function removeOctets(draft: Draft, random: Random): void {
  const from = random.below(draft.length + 1);
  draft.remove(from, Math.min(draft.length, from + 1 + random.below(random.chance(80) ? 5 : 60)));
}

function writeNumber(draft: Draft, [start, end]: readonly [number, number], value: number): void {
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    draft.bytes[at] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
}
