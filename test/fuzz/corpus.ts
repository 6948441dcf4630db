import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { bytes, context } from '../support/bgp-bytes.ts';
import { openSeeds } from './corpus-opens.ts';
import { plainSeeds } from './corpus-plain.ts';
import { updateSeeds } from './corpus-updates.ts';
import { Dissection, roles } from './dissect.ts';
import type { Seed } from './mutate.ts';
import { hashOf } from './random.ts';
import type { SessionJson } from './session.ts';
import { sessionFromJson } from './session.ts';

/** A message by hand, and what its session differs in from the plain one. */
export interface SeedText {
  readonly octets: Uint8Array;
  readonly session?: Parameters<typeof context>[0];
}

const CAPTURES = new URL('../vectors/captures/', import.meta.url);
const MAX_CAPTURED = 400;

/** Every type, family, capability and attribute once at least, and what real speakers sent where captures are there. */
export const messageSeeds: readonly Seed[] = [...plainSeeds, ...openSeeds, ...updateSeeds, ...captured()]
  .map(({ octets, session }) => ({ octets, session: context({ external: false, ...session }) }))
  .map((seed) => ({ ...seed, spans: dissected(seed.octets, seed.session) }));

/** The attribute blocks of the UPDATEs, without anything around. */
export const attributeSeeds: readonly Seed[] = messageSeeds.flatMap(({ octets, session }) => {
  if (octets[18] !== 2) return [];
  const start = 23 + octets[19]! * 256 + octets[20]!;
  const block = octets.slice(start, start + octets[start - 2]! * 256 + octets[start - 1]!);
  if (block.length === 0) return [];
  const dissection = new Dissection(block, session);
  dissection.item(roles.content, 0, block.length);
  dissection.attributes(0, block.length);
  return [{ octets: block, session, spans: dissection.spans }];
});

/** AFI and SAFI in three octets, then the NLRI of an attribute or a field; see targets/nlri.ts. */
export const nlriSeeds: readonly Seed[] = messageSeeds.flatMap(({ octets, session, spans }) =>
  spans
    .filter(({ role, end, start }) => role === roles.attribute && [14, 15].includes(octets[start + 1]!) && end > start)
    .map(({ start, end }) => {
      const value = octets.subarray(start + ((octets[start]! & 0x10) === 0 ? 3 : 4), end);
      const nlri = value.subarray(octets[start + 1] === 14 ? 5 + value[3]! : 3);
      const own = Uint8Array.from([...value.subarray(0, 3), ...nlri]);
      const dissection = new Dissection(own, session);
      dissection.item(roles.content, 0, own.length);
      dissection.item(roles.afi, 0, 2);
      dissection.item(roles.safi, 2, 3);
      dissection.prefixes(`${own[0]! * 256 + own[1]!}/${own[2]!}`, 3, own.length);
      return { octets: own, session, spans: dissection.spans };
    }),
);

/** Inputs depend on the corpus: with another one, a seed means other inputs. */
export const corpusHash = (seeds: readonly Seed[]): string =>
  seeds
    .reduce((hash, { octets }) => hashOf(octets, hash), hashOf('corpus'))
    .toString(16)
    .padStart(8, '0');

interface Capture {
  readonly sessions: readonly { readonly messages: readonly string[]; readonly context?: Partial<SessionJson> }[];
}

function captured(): readonly SeedText[] {
  if (!existsSync(CAPTURES)) return [];
  const files = readdirSync(CAPTURES).filter((name) => name.endsWith('.json'));
  const seeds = files.sort().flatMap((name) => {
    const { sessions } = JSON.parse(readFileSync(new URL(name, CAPTURES), 'utf8')) as Partial<Capture>;
    return (sessions ?? []).flatMap(({ messages, context: session }) =>
      messages.map((message) => ({ octets: bytes(message), session: plainSession(session) })),
    );
  });
  const distinct = new Map(seeds.map((seed) => [hashOf(seed.octets), seed]));
  return [...distinct.values()].filter(({ octets }) => octets.length >= 19).slice(0, MAX_CAPTURED);
}

function plainSession(session: Partial<SessionJson> = {}): NonNullable<SeedText['session']> {
  const plain = { fourOctetAs: true, extendedMessage: false, external: true, addPath: [], extendedNextHop: [] };
  return sessionFromJson({ ...plain, ...session });
}

function dissected(octets: Uint8Array, session: Seed['session']): Seed['spans'] {
  const dissection = new Dissection(octets, session);
  dissection.message(0);
  return dissection.spans;
}
