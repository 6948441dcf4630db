import type { AddressCandidate, AddressReport } from '../../api/contract.ts';
import { formatFramed } from '../table.ts';

/** More is for `-o json`. */
const MAX_ROWS = 20;

/** How the node came to its addresses: a line for each, and the ranking where the operator has a choice to make. */
export const formatAddresses = (addresses: readonly AddressReport[]): string => addresses.map(formatAddress).join('');

function formatAddress({ reason, warnings, ambiguous, candidates }: AddressReport): string {
  const lines = [`Address of this node: ${reason}`, ...warnings.map((warning) => `Warning: ${warning}`)];
  return `${lines.join('\n')}\n${ambiguous ? formatRanking(candidates) : ''}`;
}

/** What was taken first, then the best; every one with its reason. */
export function formatRanking(candidates: readonly AddressCandidate[]): string {
  const rows = candidates
    .slice(0, MAX_ROWS)
    .map(({ interface: name, address = '', standing, reason }) => [name, address, standing, reason]);
  const more = candidates.length - rows.length;
  const rest = more > 0 ? `and ${more} more: -o json\n` : '';
  return `${formatFramed(['interface', 'address', 'standing', 'why'], rows)}${rest}`;
}
