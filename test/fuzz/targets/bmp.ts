import type { BmpMessage } from '../../../bird/bgp-ts/bmp/index.ts';
import {
  bmpFromJson,
  BmpFramer,
  BmpSession,
  bmpToJson,
  decodeBmp,
  encodeBmp,
  formatBmp,
} from '../../../bird/bgp-ts/bmp/index.ts';
import { checkResult, checkValue, isOneLine, promise } from '../check-shape.ts';
import { bmpSeeds } from '../corpus-bmp.ts';
import { deepEqual, firstDifference } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import type { FuzzTarget } from './target.ts';

const mutator = new Mutator(bmpSeeds);

/** One message of a monitored router, and the same octets as a stream in chunks. */
export const bmp: FuzzTarget = {
  name: 'bmp',
  share: 4,
  seeds: bmpSeeds,
  make: (random) => mutator.make(random),
  run: (octets) => {
    // Its buffer costs more than a decoding.
    if ((octets.at(-1) ?? 0) % 16 === 0) checkFramer(octets);
    const result = decodeBmp(octets);
    if (result.kind === 'malformed') {
      promise(result.text !== '' && isOneLine(result.text), 'the text of a fault is not one line');
      return 'malformed';
    }
    promise((result.kind as string) === 'ok', 'neither ok nor malformed');
    const { message } = result;
    checkValue(message, '');
    checkSession(message);
    const json = bmpFromJson(JSON.parse(JSON.stringify(bmpToJson(message))));
    promise(json.kind === 'ok', () => `its own JSON is refused: ${json.kind === 'ok' ? '' : json.text}`);
    promise(
      deepEqual(message, json.message),
      () => `from JSON it is another, ${firstDifference(message, json.message)}`,
    );
    const again = decodeBmp(encodeBmp(message));
    promise(deepEqual(result, again), () => `encoded again it is another, ${firstDifference(result, again)}`);
    return `ok ${message.type}`;
  },
};

/** BGP messages within are read in the context of their peer; nothing of that throws. */
function checkSession(message: BmpMessage): void {
  const session = new BmpSession();
  session.observe(message);
  promise(isOneLine(formatBmp(message)), 'the text of a message is more than one line');
  if ('bgp' in message) checkResult(session.decode(message.peer, message.bgp));
}

/** The same frames and the same fault, whatever the chunks. */
function checkFramer(octets: Uint8Array): void {
  const whole = frames(octets, octets.length);
  const pieces = frames(octets, 1 + (octets.length % 13));
  promise(deepEqual(whole, pieces), () => `chunks make a difference, ${firstDifference(whole, pieces)}`);
}

function frames(octets: Uint8Array, chunkOctets: number): unknown {
  const framer = new BmpFramer();
  const seen: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += chunkOctets) {
    framer.push(octets.subarray(at, at + chunkOctets));
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      if (frame.kind === 'malformed') return { seen, fault: frame.text };
      seen.push(frame.bytes.slice());
    }
  }
  return { seen };
}
