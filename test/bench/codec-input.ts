/** What the contenders of the codec's benchmark read and write: UPDATEs as a speaker sends them, and how to check them. */
import type { CodecContext, NlriShape, PathAttributes } from '../../bird/bgp-ts/index.ts';
import { encodeAttributes, IPV4_UNICAST, IPV6_UNICAST } from '../../bird/bgp-ts/index.ts';
import { packUpdates } from './codec-pack.ts';
import type { Group, PrefixColumns } from './codec-prefixes.ts';
import { makePrefixes, seededWords } from './codec-prefixes.ts';
import { tallyStream } from './codec-check.ts';
import { createTally } from './tally.ts';

export const CONTEXT: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: new Set(),
  extendedMessage: false,
  external: true,
};

export interface CodecInput {
  readonly name: string;
  readonly shape: NlriShape;
  readonly prefixes: PrefixColumns;
  readonly groups: readonly Group[];
  /** The UPDATEs one behind the other, and a view of each. */
  readonly stream: Uint8Array;
  readonly frames: readonly Uint8Array[];
  /** What a contender's tally must say. */
  readonly expected: string;
}

const COUNT = 1_000_000;
const PACKED_SETS = 10;
/** 1 to 15 prefixes per set and so per UPDATE, 8 on average. */
const FEED_MAX_PREFIXES = 15;

/** Few attribute sets, and UPDATEs as full as they go: a table that is sent to a new peer. */
export const packedIpv4 = (): CodecInput => makeInput('packed IPv4', 4, () => COUNT / PACKED_SETS);
export const packedIpv6 = (): CodecInput => makeInput('packed IPv6', 6, () => COUNT / PACKED_SETS);

/** Hard: a set of its own for every few prefixes, as in a feed from the Internet. */
export const feedIpv4 = (): CodecInput => makeInput('feed IPv4', 4, (word) => 1 + (word % FEED_MAX_PREFIXES));

/** Made by the codec's own encoder, read back by the benchmark's own reader. Throws where the two differ. */
function makeInput(name: string, family: 4 | 6, groupSize: (word: number) => number): CodecInput {
  const random = seededWords(0x5eed + family);
  const prefixes = makePrefixes(family, COUNT, random);
  const groups = makeGroups(family, () => groupSize(random()), random);
  const target = new Uint8Array(COUNT * 64);
  const octets = packUpdates(prefixes, groups, target);
  const stream = target.slice(0, octets);
  const expected = tallyColumns(prefixes);
  const found = tallyStream(stream, family);
  if (found !== expected) throw new Error(`input ${name} came to '${found}' instead of '${expected}'`);
  const shape = { family: family === 4 ? IPV4_UNICAST : IPV6_UNICAST, addPath: false };
  return { name, shape, prefixes, groups, stream, frames: cut(stream), expected };
}

function makeGroups(family: 4 | 6, groupSize: () => number, random: () => number): readonly Group[] {
  const groups: Group[] = [];
  for (let start = 0; start < COUNT; start = groups.at(-1)!.end) {
    const attributes = makeAttributes(family, random);
    const block = encodeAttributes(attributes, { ...CONTEXT, nextHopIn: family === 4 ? 'next-hop' : 'mp-reach' });
    groups.push({ start, end: Math.min(COUNT, start + groupSize()), block, nextHop: attributes.nextHop! });
  }
  return groups;
}

/** What transit sends: a path of 3 to 6, up to 7 communities, sometimes a MED and a large community. */
function makeAttributes(family: 4 | 6, random: () => number): PathAttributes {
  const words = (count: number): number[] => Array.from({ length: count }, random);
  const nextHop =
    family === 4
      ? Uint8Array.of(192, 0, 2, 1)
      : Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  const communities = words(random() % 8);
  return {
    origin: 'igp',
    asPath: [{ type: 'sequence', asns: words(3 + (random() % 4)) }],
    nextHop,
    ...(random() % 4 === 0 && { med: random() % 1000 }),
    ...(communities.length > 0 && { communities }),
    ...(random() % 4 === 0 && { largeCommunities: [[random(), random(), random()] as const] }),
  };
}

function tallyColumns({ family, count, words, lengths }: PrefixColumns): string {
  const tally = createTally();
  for (let i = 0; i < count; i++) {
    if (family === 4) tally.visit(0, words[i]!, 0, 0, 0, lengths[i]!);
    else tally.visit(0, words[4 * i]!, words[4 * i + 1]!, words[4 * i + 2]!, words[4 * i + 3]!, lengths[i]!);
  }
  return tally.text();
}

/** A view of each message. */
function cut(stream: Uint8Array): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += frames.at(-1)!.length) {
    frames.push(stream.subarray(at, at + ((stream[at + 16]! << 8) | stream[at + 17]!)));
  }
  return frames;
}
