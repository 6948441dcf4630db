const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** The text, or undefined where the octets are no UTF-8: what cannot be written again as it was is no text. */
export function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return decoder.decode(octets);
  } catch {
    return undefined;
  }
}

/** The text with U+FFFD for what is no UTF-8: for names that nothing hangs on. */
export const legibleUtf8 = (octets: Uint8Array): string => lenient.decode(octets);

/** Throws a plain Error that names `what` for half a surrogate pair, which has no octets. */
export function encodeUtf8(text: string, what = 'the text'): Uint8Array {
  if (!text.isWellFormed()) throw new Error(`${what} has half a surrogate pair`);
  return encoder.encode(text);
}
