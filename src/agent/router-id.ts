import { createHash } from 'node:crypto';

/** CALICO_ROUTER_ID=hash: the first four octets of SHA-256 of the node's name, kept below multicast. Calico's confd. */
export function hashedRouterId(node: string): number {
  const digest = createHash('sha256').update(node).digest();
  const first = digest[0]! > 223 ? digest[0]! - 32 : digest[0]!;
  return ((first << 24) | digest.readUIntBE(1, 3)) >>> 0;
}
