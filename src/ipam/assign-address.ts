import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import {
  formatIpAddress,
  formatPrefix,
  offsetIn,
  prefixContainsAddress,
  prefixesOverlap,
  prefixOf,
} from '../model/ip.ts';
import { hostAffinity } from './affinity.ts';
import type { Assigned, AssignRequest } from './need.ts';
import type { Assignment, Block } from './block.ts';
import { allocateOrdinals, assignmentOf, collectCooled, restsUntil } from './block.ts';
import { claimBlock } from './claim.ts';
import { AddressRefusedError } from './errors.ts';
import { adjusted } from './handle.ts';
import type { IpamConfig, Records } from './records.ts';
import { blockUpdate } from './records.ts';

export interface AddressRequest extends Omit<AssignRequest, 'count'> {
  readonly address: IpAddress;
}

/**
 * One address that is asked for by name, Calico's AssignIP: reserved ones too, and of any enabled pool, whatever its mode and selectors. A block
 * that nobody made is claimed, whatever the host has already; of another's block the address is borrowed, unless strict
 * affinity forbids it. A handle that holds the address already has it. Throws AddressRefusedError.
 */
export async function assignAddress(records: Records, request: AddressRequest): Promise<Assigned> {
  const { address, node, pools } = request;
  const pool = pools.find(({ cidr }) => prefixContainsAddress(cidr, address));
  if (pool === undefined) {
    const names = pools.map(({ name, cidr }) => `${name} (${formatPrefix(cidr)})`).join(', ');
    throw new InvalidValueError(
      'address',
      formatIpAddress(address),
      `lies in none of the IP pools ${names || '(there is none)'}`,
    );
  }
  const prefix = prefixOf(address, pool.blockSize);
  const config = await records.config();
  const isMade = (await records.block(prefix)) !== undefined;
  if (!isMade) await refuseOddBlock(records, { address, prefix });
  const claimed = !isMade && (await claimBlock(records, { node, prefix })) === 'ours';
  await records.retry(`address ${formatIpAddress(address)}`, () => take(records, { request, prefix, config }));
  const claimedAt = records.nowMs();
  return { addresses: [address], claimed: claimed ? [{ prefix, claimedAt }] : [], ...(claimed && { claimedAt }) };
}

interface Taking {
  readonly request: AddressRequest;
  readonly prefix: Prefix;
  readonly config: IpamConfig;
}

async function take(records: Records, { request, prefix, config }: Taking): Promise<void> {
  const { address, node, handleId } = request;
  const text = formatIpAddress(address);
  const stored = await records.block(prefix);
  if (stored === undefined)
    throw new AddressRefusedError(`address ${text} is refused: its block ${formatPrefix(prefix)} has just gone`);
  const block = collectCooled(stored.value, records.nowMs(), config.cooldownSeconds);
  const holder = assignmentOf(block, address);
  if (holder?.attributes.handleId === handleId) return;
  if (holder !== undefined) throw new AddressRefusedError(`address ${text} is taken: ${holderText(holder)}`);
  const restsMs = restsUntil(block, address, config.cooldownSeconds);
  if (restsMs !== undefined) {
    throw new AddressRefusedError(
      `address ${text} rests until ${new Date(restsMs).toISOString()} (ipCooldownSeconds ${config.cooldownSeconds})`,
    );
  }
  if (config.strictAffinity && block.affinity !== hostAffinity(node)) throw foreign(block, request);
  const secondary = { ...request.attributes, node, timestamp: new Date(records.nowMs()).toISOString() };
  const [next] = allocateOrdinals(block, [offsetIn(prefix, address)], { handleId, secondary });
  const count = await records.handleWrite(handleId, (counts) => adjusted(counts, formatPrefix(prefix), 1));
  await records.writeAll([...(count === undefined ? [] : [count]), blockUpdate(next, stored.revision)]);
}

const foreign = ({ prefix, affinity }: Block, { address, node }: AddressRequest): AddressRefusedError =>
  new AddressRefusedError(
    `address ${formatIpAddress(address)} is refused: its block ${formatPrefix(prefix)} is of ${affinity ?? 'nobody'}, ` +
      `and strict affinity forbids ${node} to borrow`,
  );

/** `handle 'h1' has held it since 2026-01-01T00:00:00.000Z, for pod default/web on n1`, as far as it is known. */
export function holderText({ attributes }: Assignment): string {
  const { pod, namespace, node, type, timestamp } = attributes.secondary;
  const who = attributes.handleId === null ? 'somebody without a handle has' : `handle '${attributes.handleId}' has`;
  const what = pod === undefined ? type : `pod ${namespace === undefined ? '' : `${namespace}/`}${pod}`;
  return [
    `${who} held it${timestamp === undefined ? '' : ` since ${timestamp}`}`,
    ...(what === undefined && node === undefined
      ? []
      : [`for ${what ?? 'something'}${node === undefined ? '' : ` on ${node}`}`]),
  ].join(', ');
}

/** Blocks of another size, from before the pool was made anew, know nothing of ours. */
async function refuseOddBlock(
  records: Records,
  { address, prefix }: { readonly address: IpAddress; readonly prefix: Prefix },
): Promise<void> {
  const odd = (await records.blocks(address.family)).find((block) => prefixesOverlap(block.prefix, prefix));
  if (odd === undefined || odd.prefix.length === prefix.length) return;
  throw new AddressRefusedError(
    `address ${formatIpAddress(address)} is refused: block ${formatPrefix(odd.prefix)} is there, of another size than its pool's blocks`,
  );
}
