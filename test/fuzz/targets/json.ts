import type { CodecContext, Json, Message, Update } from '../../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  formatMessage,
  messageFromJson,
  messageToJson,
  updateError,
} from '../../../bird/bgp-ts/index.ts';
import { checkResult, checkValue, isOneLine, promise } from '../check-shape.ts';
import { messageSeeds } from '../corpus.ts';
import { deepEqual, firstDifference } from '../deep-equal.ts';
import { mutateJson } from '../mutate-json.ts';
import type { Seed } from '../mutate.ts';
import { sessionFor } from '../session.ts';
import type { FuzzTarget } from './target.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const seeds: readonly Seed[] = messageSeeds.flatMap(({ octets, session }) => {
  const result = decodeMessage(octets, session);
  if (result.kind === 'fault' || octets.length > 700) return [];
  return [{ octets: encoder.encode(JSON.stringify(messageToJson(result.message))), session, spans: [] }];
});
const values = seeds.map(({ octets }) => JSON.parse(decoder.decode(octets)) as Json);

/** Messages as JSON that somebody else wrote. */
export const json: FuzzTarget = {
  name: 'json',
  share: 2,
  seeds,
  make: (random) => {
    const at = random.below(seeds.length);
    const value = mutateJson(values[at]!, values, random);
    return { octets: encoder.encode(JSON.stringify(value)), session: sessionFor(seeds[at]!.session, random) };
  },
  run: (octets, session) => {
    const result = messageFromJson(JSON.parse(decoder.decode(octets)) as Json);
    if (result.kind === 'invalid') {
      promise(result.text !== '' && isOneLine(result.text), 'the text of a refusal is not one line');
      return 'invalid';
    }
    promise((result.kind as string) === 'ok', 'neither ok nor invalid');
    const { message } = result;
    checkValue(message, '');
    promise(isOneLine(formatMessage(message)), 'the text of a message is more than one line');
    const again = messageFromJson(JSON.parse(JSON.stringify(messageToJson(message))) as Json);
    promise(deepEqual(result, again), () => `written and read again it is another, ${firstDifference(result, again)}`);
    return encodes(message, session) ? `ok ${message.type}` : 'ok, does not fit';
  },
};

/**
 * What fits is octets that decode to the same record, in a session that lets everything through; what does not is a plain
 * Error. Beside the record stand at most the faults of what only policy can judge: an attribute that is missing.
 */
function encodes(message: Message, session: CodecContext): boolean {
  const roomy = { ...session, fourOctetAs: true, external: false, extendedMessage: true };
  const octets = encodedOrRefused(message, roomy);
  if (octets === undefined) return false;
  const result = decodeMessage(octets, roomy);
  checkResult(result);
  if (result.kind === 'fault') {
    const isVersion = message.type === 'open' && message.version !== 4;
    promise(isVersion, () => `what was encoded is refused: ${result.fault.text}`);
    return true;
  }
  if (result.message.type === 'update') {
    const bad = result.message.faults.find(
      ({ code }) => code[1] !== updateError.missingWellKnown[1] && !hasRest(message),
    );
    promise(bad === undefined, () => `what was encoded is malformed: ${bad?.text ?? ''}`);
  }
  const [a, b] = [withoutForm(message), withoutForm(result.message)];
  promise(deepEqual(a, b), () => `encoded and decoded it is another, ${firstDifference(a, b)}`);
  return true;
}

function encodedOrRefused(message: Message, session: CodecContext): Uint8Array | undefined {
  try {
    return encodeMessage(message, session);
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) return undefined;
    throw error;
  }
}

/** Without what only a decoder says, and what may be said in another way: forms, empty lists, segments above 255. */
function withoutForm(message: Message): unknown {
  if (message.type === 'open') {
    const known = message.capabilities.filter(({ name }) => name !== 'unknown');
    return { ...message, capabilities: known, parameters: undefined, extendedParameters: undefined };
  }
  if (message.type !== 'update') return message;
  const { attributes, announced, withdrawn, endOfRib, ipv4NextHop } = message;
  if (endOfRib !== undefined) return { endOfRib };
  const lists = Object.entries(attributes).filter(([name, value]) => name === 'asPath' || !isEmptyList(value));
  const unknown = attributes.unknown?.toSorted((x, y) => x.code - y.code);
  const distinct = attributes.largeCommunities?.filter((x, i, all) => all.findIndex((y) => deepEqual(x, y)) === i);
  const partial = attributes.partial === undefined ? undefined : [...new Set(attributes.partial)].sort((x, y) => x - y);
  return {
    attributes: {
      ...Object.fromEntries(lists),
      ...(unknown !== undefined && unknown.length > 0 && { unknown }),
      ...(distinct !== undefined && distinct.length > 0 && { largeCommunities: distinct }),
      ...(partial !== undefined && partial.length > 0 && { partial }),
    },
    announced: announced.filter(isSaid).map(unplaced),
    withdrawn: withdrawn.filter(isSaid).map(unplaced),
    ipv4NextHop,
  };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** A rule that was malformed is written as it was. */
const hasRest = (message: Message): boolean =>
  message.type === 'update' &&
  message.announced.some((group) => group.kind === 'flow' && group.nlri.some(({ rest }) => rest !== undefined));

/** IPv4 unicast with an IPv6 next hop goes into MP_REACH, said or not. */
const unplaced = (group: Update['announced'][number]): unknown => ({ ...group, multiprotocol: undefined });

/** A group without entries says nothing in the message's own fields. */
const isSaid = ({ nlri }: Update['announced'][number]): boolean => nlri.length > 0;
