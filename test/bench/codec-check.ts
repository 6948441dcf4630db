/**
 * A reader of UPDATEs by RFC 4271 §4.3 and RFC 4760 §3 that shares nothing with the codec: slow, plain, and so fit to
 * judge it. It knows what the benchmark's inputs have and no more. Throws at anything else.
 */
import { createTally } from './tally.ts';

const MP_REACH_NLRI = 14;

/** The prefixes announced by the UPDATEs in `stream`, as a tally's text. */
export function tallyStream(stream: Uint8Array, family: 4 | 6): string {
  const tally = createTally();
  const address = new DataView(new ArrayBuffer(16));
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  for (let at = 0; at < stream.length;) {
    const end = at + view.getUint16(at + 16);
    if (view.getUint8(at + 18) !== 2 || end > stream.length) throw new Error(`no UPDATE at offset ${at}`);
    const withdrawnEnd = at + 21 + view.getUint16(at + 19);
    const attributesEnd = withdrawnEnd + 2 + view.getUint16(withdrawnEnd);
    const start = family === 4 ? attributesEnd : mpReachPrefixes(view, withdrawnEnd + 2);
    const nlriEnd = family === 4 ? end : mpReachEnd(view, withdrawnEnd + 2);
    for (let next = start; next < nlriEnd;) {
      const length = view.getUint8(next);
      const octets = Math.ceil(length / 8);
      for (let i = 0; i < 16; i += 4) address.setUint32(i, 0);
      for (let i = 0; i < octets; i++) address.setUint8(i, view.getUint8(next + 1 + i));
      tally.visit(0, address.getUint32(0), address.getUint32(4), address.getUint32(8), address.getUint32(12), length);
      next += 1 + octets;
    }
    at = end;
  }
  return tally.text();
}

/** MP_REACH_NLRI stands first, RFC 7606 §5.1, and has an extended length or not. */
function mpReachValue(view: DataView, at: number): number {
  if (view.getUint8(at + 1) !== MP_REACH_NLRI) throw new Error(`no MP_REACH_NLRI at offset ${at}`);
  return isExtended(view, at) ? at + 4 : at + 3;
}

function mpReachEnd(view: DataView, at: number): number {
  return mpReachValue(view, at) + (isExtended(view, at) ? view.getUint16(at + 2) : view.getUint8(at + 2));
}

/** Behind AFI, SAFI, the next hop with its length, and the reserved octet. */
function mpReachPrefixes(view: DataView, at: number): number {
  const value = mpReachValue(view, at);
  return value + 5 + view.getUint8(value + 3);
}

const isExtended = (view: DataView, at: number): boolean => (view.getUint8(at) & 0x10) !== 0;
