import type { CodecContext, FamilyKey } from '../../bird/bgp-ts/index.ts';
import type { Random } from './random.ts';

/** A session as JSON has it: lists instead of sets. */
export interface SessionJson extends Omit<CodecContext, 'addPath' | 'extendedNextHop'> {
  readonly addPath: readonly FamilyKey[];
  readonly extendedNextHop: readonly FamilyKey[];
}

const addPaths: readonly (readonly FamilyKey[])[] = [
  [],
  ['1/1'],
  ['2/1'],
  ['1/1', '2/1', '1/2', '2/2'],
  ['1/4', '2/4', '1/128', '2/128'],
  ['1/133', '2/133', '25/70', '1/1'],
];
const extendedNextHops: readonly (readonly FamilyKey[])[] = [[], ['1/1'], ['1/1', '1/2', '2/1', '1/4', '1/128']];
const mpFaults = [{}, { mpFaults: 'afi-safi-disable' }] as const;
const booleans = [false, true] as const;

/** Every mix of what two OPENs can settle, made once: an input only picks one. */
export const sessions: readonly CodecContext[] = booleans.flatMap((fourOctetAs) =>
  booleans.flatMap((extendedMessage) =>
    booleans.flatMap((external) =>
      addPaths.flatMap((addPath) =>
        extendedNextHops.flatMap((extendedNextHop) =>
          mpFaults.map((own) =>
            sessionFromJson({ fourOctetAs, extendedMessage, external, addPath, extendedNextHop, ...own }),
          ),
        ),
      ),
    ),
  ),
);

/** Mostly the session in which the seed is valid, so that mutants get past its first octets. */
export const sessionFor = (own: CodecContext, random: Random): CodecContext =>
  random.chance(65) ? own : random.pick(sessions);

export const sessionToJson = ({ addPath, extendedNextHop, ...flags }: CodecContext): SessionJson => ({
  ...flags,
  addPath: [...addPath],
  extendedNextHop: [...extendedNextHop],
});

export function sessionFromJson({ addPath, extendedNextHop, ...flags }: SessionJson): CodecContext {
  return { ...flags, addPath: new Set(addPath), extendedNextHop: new Set(extendedNextHop) };
}
