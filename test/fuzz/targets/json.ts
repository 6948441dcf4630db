import type { CodecContext, Json, Message } from '../../../bird/bgp-ts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  encodeUpdate,
  formatMessage,
  messageFromJson,
  messageToJson,
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

/** What fits is octets that decode to one of the documented results; what does not is a plain Error. */
function encodes(message: Message, session: CodecContext): boolean {
  try {
    const octets = message.type === 'update' ? encodeUpdate(message, session) : encodeMessage(message, session);
    checkResult(decodeMessage(octets, session));
    return true;
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) return false;
    throw error;
  }
}
