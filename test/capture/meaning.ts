import type { Message } from '../../bird/bgp-ts/index.ts';
import type { CapturedSession, Expected, NlriText, SessionText } from './fixture.ts';
import { inWords } from './in-words.ts';

/** What a session's UPDATEs say, one sorted line per prefix, so that two captures compare whatever their packing. */
export const meaning = (messages: readonly Message[], session: SessionText): readonly string[] =>
  lines(
    messages
      .flatMap((message) => (message.type === 'update' ? inWords(message) : []))
      .map((entry) => (choosesIds(session) ? withAnyId(entry) : entry)),
  );

/** The same of what was written by hand. */
export const expectedMeaning = ({ expect }: Pick<CapturedSession, 'expect'>): readonly string[] => lines(expect);

const lines = (list: readonly Expected[]): readonly string[] =>
  list.map((entry) => JSON.stringify(inOrder(entry))).sort();

/** Lists of communities are sets: daemons write them in orders of their own. */
const SETS = ['communities', 'largeCommunities', 'extendedCommunities'];

function inOrder(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return SETS.includes(name) ? (value as string[]).toSorted() : value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, inOrder(each, key)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const pathIdOf = (nlri: NlriText): number | 'any' | undefined =>
  typeof nlri === 'object' && 'pathId' in nlri ? nlri.pathId : undefined;

/** Where the daemon itself chose the path identifiers, the session expects `any`. */
const choosesIds = ({ expect }: SessionText): boolean =>
  expect.some((entry) => 'announce' in entry && pathIdOf(entry.announce) === 'any');

const withAnyId = (entry: Expected): Expected =>
  'announce' in entry && typeof entry.announce === 'object' && pathIdOf(entry.announce) !== undefined
    ? { ...entry, announce: { ...entry.announce, pathId: 'any' } }
    : entry;
