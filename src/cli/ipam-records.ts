import { IPAM_PREFIX, parseBlockKey, RESOURCES_PREFIX } from '../datastore/keys.ts';
import type { Entry, Store } from '../datastore/store.ts';
import type { Block, IpamRecords } from '../ipam/index.ts';
import { blockFromJson } from '../ipam/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { parsePrefix } from '../model/ip.ts';
import type { Resources, UnreadableEntry } from '../resources/index.ts';
import { resourcesFromEntries } from '../resources/index.ts';

export interface StoredIpam extends IpamRecords {
  readonly resources: Resources;
  /** Left out: what they hold is not counted. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** Everything that `ipam` commands look at, as it is stored. */
export async function readIpam(store: Store): Promise<StoredIpam> {
  const [resourceEntries, ipamEntries] = await Promise.all([store.list(RESOURCES_PREFIX), store.list(IPAM_PREFIX)]);
  const { resources, unreadable } = resourcesFromEntries(resourceEntries.entries);
  const blocks = ipamEntries.entries.filter(({ key }) => parseBlockKey(key) !== undefined).map(blockOrReason);
  return {
    resources,
    pools: [...resources.IPPool.values()].map(({ metadata, spec }) => ({
      name: metadata.name,
      cidr: parsePrefix(spec.cidr),
    })),
    blocks: blocks.filter((block): block is Block => 'prefix' in block),
    reservations: [...resources.IPReservation.values()].flatMap(({ spec }) =>
      spec.reservedCIDRs.map((cidr) => parsePrefix(cidr)),
    ),
    unreadable: [...unreadable, ...blocks.filter((block): block is UnreadableEntry => 'reason' in block)],
  };
}

function blockOrReason({ key, value }: Entry): Block | UnreadableEntry {
  try {
    return blockFromJson(value, key);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    return { key, reason: error.message };
  }
}
