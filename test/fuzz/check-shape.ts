import type { DecodeResult, Fault, Message, Update } from '../../bird/bgp-ts/index.ts';
import { isPlainFamily } from '../support/update-ways.ts';

/** A promise of the codec that an input broke. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** `text` as a function where it costs something: it is asked for only when the promise is broken. */
export function promise(kept: boolean, text: string | (() => string)): asserts kept {
  if (!kept) throw new BrokenPromise(typeof text === 'string' ? text : text());
}

const faultCodes: ReadonlySet<number> = new Set([1, 2, 3, 7]);
const remedies: ReadonlySet<string> = new Set(['attribute-discard', 'treat-as-withdraw', 'afi-safi-disable']);

/** A fault has a text for people, a code and subcode that a NOTIFICATION can hold, and octets as data. */
export function checkFault({ text, code, data }: Fault): void {
  promise(typeof text === 'string' && text !== '', 'a fault has no text');
  promise(isOneLine(text), 'a fault is more than one line');
  promise(
    (code as readonly number[]).length === 2 && faultCodes.has(code[0]),
    () => `fault code ${code[0]} is no protocol error`,
  );
  promise(isUint(code[1], 0xff), () => `subcode ${code[1]} is out of range`);
  promise(data instanceof Uint8Array, 'the data of a fault is not octets');
  promise(code[0] !== 2 || code[1] <= 11, () => `subcode ${code[1]} of an OPEN error`);
  promise(
    code[0] !== 3 || (code[1] >= 1 && code[1] <= 11 && code[1] !== 7),
    () => `subcode ${code[1]} of an UPDATE error`,
  );
}

/** The documented result and nothing else: every number fits its field. */
export function checkResult(result: DecodeResult): void {
  if (result.kind === 'fault') {
    checkFault(result.fault);
    return;
  }
  promise((result.kind as string) === 'ok', () => `result kind ${result.kind}`);
  checkValue(result.message, '');
  checkMessage(result.message);
}

function checkMessage(message: Message): void {
  switch (message.type) {
    case 'open':
      promise(message.version === 4, 'version');
      promise(isUint(message.asn, 0xffff) && isUint(message.holdSeconds, 0xffff), 'a field of OPEN is out of range');
      return;
    case 'update':
      checkUpdate(message);
      return;
    case 'notification':
      promise(isUint(message.code, 0xff) && isUint(message.subcode, 0xff), 'a code of NOTIFICATION is out of range');
      promise(message.data instanceof Uint8Array, 'the data of NOTIFICATION is not octets');
      return;
    case 'keepalive':
      return;
    case 'route-refresh':
      promise(isUint(message.family.afi, 0xffff) && isUint(message.family.safi, 0xff), 'a family is out of range');
      return;
    default:
      throw new BrokenPromise(`message type ${String((message as { type: unknown }).type)}`);
  }
}

function checkUpdate({ announced, withdrawn, remedy, faults }: Update): void {
  promise(remedy === undefined || remedies.has(remedy), () => `remedy ${String(remedy)}`);
  promise((remedy === undefined) === (faults.length === 0), 'remedy and faults come together');
  for (const fault of faults) checkFault(fault);
  for (const { family, nlri } of [...announced, ...withdrawn]) {
    promise(isUint(family.afi, 0xffff) && isUint(family.safi, 0xff), 'a family is out of range');
    if (!isPlainFamily(family)) continue;
    const bits = family.afi === 1 ? 32 : 128;
    for (const { words, length } of nlri as readonly { words: readonly number[]; length: number }[]) {
      promise(length <= bits && words.length * 32 === bits, 'a prefix is longer than an address');
      promise(hostBitsAreZero(words, length), 'a prefix has host bits');
    }
  }
}

function hostBitsAreZero(words: readonly number[], length: number): boolean {
  for (let i = 0; i < words.length; i++) {
    const bits = Math.min(32, Math.max(0, length - i * 32));
    if (bits < 32 && words[i]! << bits !== 0) return false;
  }
  return true;
}

/** Unsigned integers of 32 bits, 64-bit bigints, texts, booleans, octets, and lists and records of these. */
export function checkValue(value: unknown, path: string): void {
  switch (typeof value) {
    case 'number':
      promise(isUint(value, 0xffff_ffff), () => `${path} is ${value}`);
      return;
    case 'bigint':
      promise(value >= 0n && value < 2n ** 64n, () => `${path} is ${value}`);
      return;
    case 'string':
    case 'boolean':
      return;
    case 'object':
      if (value === null) break;
      if (value instanceof Uint8Array) return;
      if (Array.isArray(value)) for (const item of value as unknown[]) checkValue(item, path);
      else for (const key in value) checkValue((value as Record<string, unknown>)[key], key);
      return;
  }
  throw new BrokenPromise(`${path} is ${String(value)}`);
}

/** No control character: what a peer sends must not move a terminal's cursor or forge a line of a log. */
export function isOneLine(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || unit === 0x2028 || unit === 0x2029) return false;
  }
  return true;
}

const isUint = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max;
