import type { CodecContext, Message, Update } from '../../../bird/bgp-ts/index.ts';
import {
  decodeAttributes,
  decodeMessage,
  encodeMessage,
  formatMessage,
  messageFromJson,
  messageToJson,
  scanUpdate,
} from '../../../bird/bgp-ts/index.ts';
import { asReader, asSpeaker } from '../../support/update-ways.ts';
import { checkResult, isOneLine, promise } from '../check-shape.ts';
import { comparable } from '../comparable.ts';
import { messageSeeds } from '../corpus.ts';
import { deepEqual, firstDifference } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import type { FuzzTarget } from './target.ts';

const mutator = new Mutator(messageSeeds, true);

/** One whole message through every way there is: decode, hot path, text, and back to octets. */
export const message: FuzzTarget = {
  name: 'message',
  share: 64,
  seeds: messageSeeds,
  make: (random) => mutator.make(random),
  run: (octets, session) => {
    const result = decodeMessage(octets, session);
    checkResult(result);
    if (result.kind === 'fault') {
      checkRefused(octets, session, result.fault.code[0]);
      return `fault ${result.fault.code.join('/')}`;
    }
    const { message: read } = result;
    promise(isOneLine(formatMessage(read)), 'the text of a message is more than one line');
    if (read.type === 'update') checkWays(read, octets, session);
    checkAgain(read, session);
    // JSON costs more than all the rest.
    if (octets.at(-1)! % 16 === 0) checkJson(read);
    if (read.type !== 'update') return `ok ${read.type}`;
    return read.endOfRib === undefined ? `ok update, ${read.remedy ?? 'well'}` : 'ok end of rib';
  },
};

/** The speaker sees what the reader sees. */
function checkWays(read: Update, octets: Uint8Array, session: CodecContext): void {
  const speaker = asSpeaker(octets, session);
  const reader = asReader(read);
  promise(deepEqual(speaker, reader), () => `hot path and readable form differ, ${firstDifference(speaker, reader)}`);
}

/** The hot path takes whatever comes, and refuses what the readable form refuses for a fault of UPDATEs. */
function checkRefused(octets: Uint8Array, session: CodecContext, code: number): void {
  if (code === 3 && octets[18] === 2) {
    const { kind } = asSpeaker(octets, session);
    promise(kind === 'reset', 'the hot path takes an UPDATE that decodeMessage refuses');
  } else if (octets.length % 8 === 0) {
    scanUpdate(octets, session);
    decodeAttributes(octets, 0, octets.length, session);
  }
}

/** What was well goes out again, and says the same to who reads it. */
function checkAgain(read: Message, session: CodecContext): void {
  if (read.type === 'update' && (read.remedy !== undefined || isEmpty(read))) return;
  const octets = encodedAgain(read, session);
  if (octets === undefined) return;
  const again = decodeMessage(octets, session);
  promise(
    again.kind === 'ok',
    () => `what was encoded again is refused: ${again.kind === 'fault' ? again.fault.text : ''}`,
  );
  const [a, b] = [comparable(read, session), comparable(again.message, session)];
  promise(deepEqual(a, b), () => `encoded again it is another message, ${firstDifference(a, b)}`);
}

/** Where AS4_PATH or AS4_AGGREGATOR stood alone nothing is left, and an UPDATE without anything is End-of-RIB. */
const isEmpty = ({ attributes, announced, withdrawn, endOfRib }: Update): boolean =>
  endOfRib === undefined &&
  announced.length === 0 &&
  withdrawn.every(({ nlri }) => nlri.length === 0) &&
  Object.keys(attributes).length === 0;

/** JSON says all of it. */
function checkJson(read: Message): void {
  const again = messageFromJson(JSON.parse(JSON.stringify(messageToJson(read))));
  promise(again.kind === 'ok', () => `its own JSON is refused: ${again.kind === 'ok' ? '' : again.text}`);
  promise(deepEqual(read, again.message), () => `from JSON it is another, ${firstDifference(read, again.message)}`);
}

/** Undefined where the message does not fit its limit when it is written our way. */
function encodedAgain(read: Message, session: CodecContext): Uint8Array | undefined {
  try {
    return encodeMessage(read, session);
  } catch (error) {
    if (error instanceof Error && / is longer than \d+$/.test(error.message)) return undefined;
    throw error;
  }
}
