import type { IpAddress } from '../../src/model/ip.ts';

/** Network order: 4 octets or 16. */
export function addressOctets({ words }: IpAddress): Uint8Array {
  const octets = new Uint8Array(words.length * 4);
  const view = new DataView(octets.buffer);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word);
  return octets;
}

/**
 * A next hop as an address. Of the 32 octets of IPv6 the first 16, for the link-local one is no use beyond the link
 * (RFC 2545 §3); but the second where there is no other.
 */
export function addressFromOctets(octets: Uint8Array): IpAddress {
  if (octets.length === 32 && octets.subarray(0, 16).every((octet) => octet === 0)) {
    return addressFromOctets(octets.subarray(16));
  }
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length === 4) return { family: 4, words: [view.getUint32(0)] };
  return { family: 6, words: [0, 4, 8, 12].map((at) => view.getUint32(at)) };
}
