import type { IpAddress, Prefix } from '../model/ip.ts';
import { formatIpAddress, formatPrefix, parsePrefix, prefixContainsAddress } from '../model/ip.ts';
import type { Assignment } from './block.ts';
import { assignmentOf, isEmpty, release } from './block.ts';
import { BadReleaseError } from './errors.ts';
import { adjusted } from './handle.ts';
import type { Records } from './records.ts';
import { blockDeletion, blockUpdate } from './records.ts';

export interface AddressRelease {
  readonly address: IpAddress;
  /** Null: the record of the address names none. */
  readonly handleId: string | null;
  /** As `assignmentsOf` gave it: keeps a late release from freeing an address that was handed out anew. */
  readonly sequenceNumber?: number;
}

/** Frees one address and lowers its handle's count, in one write. Throws BadReleaseError where the address is another's by now. */
export async function releaseAddress(records: Records, request: AddressRelease): Promise<void> {
  const { address, handleId, sequenceNumber } = request;
  const text = formatIpAddress(address);
  const { cooldownSeconds } = await records.config();
  const prefix = (await prefixNamedBy(records, request)) ?? (await findHolder(records, address))?.prefix;
  const notHeld = (): BadReleaseError =>
    new BadReleaseError(
      handleId === null
        ? `address ${text} is not assigned without a handle`
        : `address ${text} is not held by handle '${handleId}'`,
    );
  if (prefix === undefined) throw notHeld();
  const cidr = formatPrefix(prefix);
  await records.retry(`block ${cidr}`, async () => {
    const stored = await records.block(prefix);
    const found = stored && assignmentOf(stored.value, address);
    if (stored === undefined || found === undefined || found.attributes.handleId !== handleId) throw notHeld();
    if (sequenceNumber !== undefined && sequenceNumber !== found.sequenceNumber) {
      throw new BadReleaseError(
        `address ${text} was assigned anew since: ${found.sequenceNumber}, not ${sequenceNumber}`,
      );
    }
    const next = release(stored.value, [found.ordinal], records.cooldown(cooldownSeconds));
    const count =
      handleId === null ? undefined : await records.handleWrite(handleId, (counts) => adjusted(counts, cidr, -1));
    // A block of nobody goes with its last address.
    const isOver = next.affinity === null && isEmpty(next);
    const block = isOver ? blockDeletion(next, stored.revision) : blockUpdate(next, stored.revision);
    await records.writeAll([block, ...(count === undefined ? [] : [count])]);
  });
}

/** Who holds an address, and in which block. Reads all blocks of the family: for people, not for pods. */
export async function findHolder(
  records: Records,
  address: IpAddress,
): Promise<{ readonly prefix: Prefix; readonly holder: Assignment } | undefined> {
  for (const block of await records.blocks(address.family)) {
    const holder = assignmentOf(block, address);
    if (holder !== undefined) return { prefix: block.prefix, holder };
  }
  return undefined;
}

async function prefixNamedBy(records: Records, { address, handleId }: AddressRelease): Promise<Prefix | undefined> {
  if (handleId === null) return undefined;
  const cidrs = [...((await records.handle(handleId))?.value.keys() ?? [])];
  return cidrs.map((cidr) => parsePrefix(cidr)).find((prefix) => prefixContainsAddress(prefix, address));
}
