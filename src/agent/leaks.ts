import { setImmediate as nextTurn } from 'node:timers/promises';
import { NETWORK_NAME } from '../cni/names.ts';
import { parseBlockKey } from '../datastore/keys.ts';
import type { Entry } from '../datastore/store.ts';
import { audit, ipamSurvey } from '../ipam/index.ts';
import type { Audit } from '../ipam/index.ts';
import { addressUsers } from '../resources/index.ts';
import type { Knowledge } from './cluster-view.ts';
import { isNamedIn } from './kept-entries.ts';

/** Entries that are looked at in one turn of the loop. */
const SLICE = 512;

/** An address that was assigned to a pod of this node, and that no endpoint has. */
export interface Leak {
  readonly ip: string;
  readonly handle: string;
  readonly sequenceNumber: number;
  readonly namespace: string;
  readonly pod: string;
}

/**
 * What looks leaked of this node: assigned to a pod of our own network here, and of its handle and container there is no endpoint. Of
 * other networks that take addresses from IPAM nobody says here whether they are used; tunnel addresses and those of other nodes are not this agent's.
 */
export async function leaksOf(entries: ReadonlyMap<string, Entry>, knowledge: Knowledge): Promise<readonly Leak[]> {
  const { node, resources } = knowledge;
  const blocks = await blocksOf(entries, node);
  const survey = ipamSurvey({ entries: blocks, revision: 0 });
  // Mostly the endpoints of this node explain all; those of the whole cluster are many.
  const own = [...resources.WorkloadEndpoint].filter(([, { spec }]) => spec.node === node);
  const suspects = podLeaks(audit(survey, addressUsers({ ...resources, WorkloadEndpoint: new Map(own) })), node);
  return suspects.length === 0 ? [] : podLeaks(audit(survey, addressUsers(resources)), node);
}

function podLeaks({ allocations }: Audit, node: string): readonly Leak[] {
  return allocations.flatMap(({ ip, handle, sequenceNumber, attributes, verdict }) => {
    const { namespace, pod } = attributes;
    if (verdict !== 'leaked' || attributes['node'] !== node || namespace === undefined || pod === undefined) return [];
    return handle?.startsWith(`${NETWORK_NAME}.`) === true ? [{ ip, handle, sequenceNumber, namespace, pod }] : [];
  });
}

/** A cluster has some ten thousand, so others have their turn in between. */
async function blocksOf(entries: ReadonlyMap<string, Entry>, node: string): Promise<readonly Entry[]> {
  const blocks: Entry[] = [];
  let seen = 0;
  for (const entry of entries.values()) {
    if (++seen % SLICE === 0) await nextTurn();
    if (parseBlockKey(entry.key) !== undefined && isNamedIn(entry.value, node)) blocks.push(entry);
  }
  return blocks;
}
