import type { Nftables } from './nftables.ts';

/**
 * For a host that is to be as it was before us; no dataplane may run meanwhile, it would make the table anew. Resolves to
 * whether there was one. Rejects as Nftables does: without libnftables nobody can tell.
 */
export async function removeNatTable(nftables: Nftables): Promise<boolean> {
  if ((await nftables.read()) === undefined) return false;
  await nftables.remove();
  return true;
}
