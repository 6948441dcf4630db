/** The ways through the codec that are timed, all over the very same bytes. */
import {
  checkNlri,
  decodeMessage,
  encodeUpdate,
  Framer,
  MAX_OCTETS,
  scanUpdate,
  walkNlri,
} from '../../bird/bgp-ts/index.ts';
import type { NlriVisitor, Update } from '../../bird/bgp-ts/index.ts';
import type { CodecInput } from './codec-input.ts';
import { CONTEXT } from './codec-input.ts';
import { packUpdates } from './codec-pack.ts';
import type { Contender } from './rounds.ts';
import { createTally } from './tally.ts';

/** What a socket gives at once, at most. */
const CHUNK_OCTETS = 65_536;

export const COPY = 'copy';
export const FRAME_AND_SCAN = 'frame + scan';
export const SCAN = 'scan';
export const DECODE = 'decode';
export const ENCODE = 'encode';
export const ENCODE_RECORDS = 'encode records';

/** In the order in which a round runs them; the copy of the bytes is the limit for the others. */
export function codecContenders(input: CodecInput): readonly Contender[] {
  return [
    writes(COPY, input, (target) => {
      target.set(input.stream);
      return input.stream.length;
    }),
    reads(FRAME_AND_SCAN, (visit) => frameAndScan(input, visit)),
    reads(SCAN, (visit) => {
      for (const frame of input.frames) scan(frame, input, visit);
    }),
    reads(DECODE, (visit) => {
      for (const frame of input.frames) visitRecords(decodeUpdate(frame), visit);
    }),
    writes(ENCODE, input, (target) => packUpdates(input.prefixes, input.groups, target)),
    writesRecords(input),
  ];
}

/** A reader is judged by the prefixes that it showed its visitor. */
function reads(name: string, pass: (visit: NlriVisitor) => void): Contender {
  const tally = createTally();
  return {
    name,
    pass: () => {
      tally.reset();
      pass(tally.visit);
    },
    outcome: () => {
      const text = tally.text();
      tally.reset();
      return text;
    },
  };
}

/** A writer is judged by its bytes: they must be the input's, which were judged before. */
function writes(name: string, { stream, expected }: CodecInput, pass: (target: Uint8Array) => number): Contender {
  const target = new Uint8Array(stream.length);
  let written = 0;
  return {
    name,
    pass: () => {
      written = pass(target);
    },
    outcome: () => {
      const isSame = written === stream.length && Buffer.compare(target, stream) === 0;
      const text = isSame ? expected : `${written} octets that are not the input's`;
      target.fill(0);
      written = 0;
      return text;
    },
  };
}

/** A million records kept would slow down all others, as each collection of garbage goes through them. */
function writesRecords(input: CodecInput): Contender {
  let records: readonly Update[] = [];
  const writer = writes(ENCODE_RECORDS, input, (target) => encodeRecords(records, target));
  return {
    ...writer,
    prepare: () => {
      records = input.frames.map(decodeUpdate);
    },
    outcome: () => {
      records = [];
      return writer.outcome();
    },
  };
}

/** What the speaker does with what its socket gave. */
function frameAndScan(input: CodecInput, visit: NlriVisitor): void {
  const { stream } = input;
  const framer = new Framer(MAX_OCTETS);
  for (let at = 0; at < stream.length; at += CHUNK_OCTETS) {
    framer.push(stream.subarray(at, at + CHUNK_OCTETS));
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) scan(frame, input, visit);
  }
}

/** All prefixes are checked before the first is visited, RFC 7606 §5.3. */
function scan(frame: Uint8Array, { shape }: CodecInput, visit: NlriVisitor): void {
  const { fault, mpReach, nlriStart, nlriEnd } = scanUpdate(frame, CONTEXT);
  if (fault !== undefined) throw new Error(fault.text);
  const start = mpReach?.nlriStart ?? nlriStart;
  const end = mpReach?.nlriEnd ?? nlriEnd;
  const bad = checkNlri(frame, start, end, shape) ?? walkNlri(frame, start, end, shape, visit);
  if (bad !== undefined) throw new Error(bad.text);
}

function decodeUpdate(frame: Uint8Array): Update {
  const result = decodeMessage(frame, CONTEXT);
  if (result.kind === 'fault' || result.message.type !== 'update') throw new Error('an UPDATE was not decoded');
  return result.message;
}

function visitRecords({ announced }: Update, visit: NlriVisitor): void {
  for (const { kind, nlri } of announced) {
    if (kind !== 'prefix') throw new Error(`${kind} NLRI are not in the input`);
    for (const { pathId, words, length } of nlri) {
      visit(pathId, words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0, length);
    }
  }
}

function encodeRecords(records: readonly Update[], target: Uint8Array): number {
  let written = 0;
  for (const record of records) {
    const frame = encodeUpdate(record, CONTEXT);
    target.set(frame, written);
    written += frame.length;
  }
  return written;
}
