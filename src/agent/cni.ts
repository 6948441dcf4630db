/** The CNI verbs in this agent: when they may be used, and whether an ADD would work (STATUS). */
import type { AddressWish } from '../cni/attachment.ts';
import { CNI_CODE, CniError } from '../cni/errors.ts';
import type { PodPorts } from '../cni/ports.ts';
import type { CniPorts } from '../cni/verbs.ts';
import { CniVerbs } from '../cni/verbs.ts';
import { blockKey, blockPrefix, parseBlockKey } from '../datastore/keys.ts';
import type { Entry } from '../datastore/store.ts';
import type { SyncView } from '../datastore/syncer.ts';
import type { IpamPool } from '../ipam/index.ts';
import { formatPrefix, prefixContains } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { HealthReport } from '../api/contract.ts';
import type { Knowledge } from './cluster-view.ts';
import { DatastoreLockedError } from './datastore-lock.ts';
import { freeIn } from './kept-entries.ts';
import { poolsByFamily } from './pod-addresses.ts';

export interface AgentCniPorts {
  readonly pods: PodPorts;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isLocked: () => boolean;
  readonly view: () => SyncView | undefined;
  readonly knowledge: () => Knowledge;
  readonly health: () => HealthReport;
}

export const createCni = (ports: AgentCniPorts): CniVerbs =>
  new CniVerbs({
    ...{ pods: ports.pods, clock: ports.clock, log: ports.log },
    requireWritable: () => {
      if (ports.isLocked()) throw new CniError(CNI_CODE.tryAgainLater, new DatastoreLockedError().message);
    },
    requireKnowledge: () => {
      const unknown = unknownText(ports.view());
      if (unknown !== undefined) throw new CniError(CNI_CODE.tryAgainLater, unknown);
    },
    requireReady: (wish) => requireReady(wish, ports),
  });

const unknownText = (view: SyncView | undefined): string | undefined =>
  view?.inSync === true ? undefined : 'calico-node-ts has just started: it is not in sync with the datastore yet';

/** Without these reporters an ADD fails, and who is connected already may have lost his routes. */
const DATAPLANE_REPORTERS: ReadonlySet<string> = new Set(['netlink', 'dataplane']);

/** BGP is left out: an ADD needs no peer. */
const requireReady: (wish: AddressWish, ports: AgentCniPorts) => ReturnType<CniPorts['requireReady']> = async (
  wish,
  ports,
) => {
  const failing = ports.health().reporters.filter(({ ready }) => !ready);
  const dataplane = failing.find(({ name }) => DATAPLANE_REPORTERS.has(name));
  if (dataplane !== undefined && ports.view()?.inSync === true) {
    throw new CniError(CNI_CODE.limitedConnectivity, `${dataplane.name} is not ready: ${dataplane.detail}`);
  }
  const unavailable = (message: string): CniError => new CniError(CNI_CODE.unavailable, message);
  if (ports.isLocked()) throw unavailable(new DatastoreLockedError().message);
  const unknown = unknownText(ports.view());
  if (unknown !== undefined) throw unavailable(unknown);
  const other = failing.find(({ name }) => name !== 'bgp');
  if (other !== undefined) throw unavailable(`${other.name} is not ready: ${other.detail}`);
  const full = fullPools(wish, ports);
  if (full !== undefined) throw unavailable(full);
  return Promise.resolve();
};

/** Why a pod in the default namespace would get no address, by what is known now; rules of IPAMConfig and reservations are IPAM's to find. */
function fullPools(wish: AddressWish, { knowledge, view }: AgentCniPorts): string | undefined {
  const workload = { orchestrator: 'k8s', namespace: 'default', pod: '' } as const;
  try {
    const families = poolsByFamily({ workload, wish }, knowledge());
    const entries = view()?.entries ?? new Map<string, Entry>();
    const full = families.find((pools) => !pools.some((pool) => hasRoom(pool, entries, knowledge().blocks)));
    return full && `no free address in ${full.map(({ name, cidr }) => `${name} (${formatPrefix(cidr)})`).join(', ')}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A block of ours with a free address, room for another block, or a free address in anybody's. */
export function hasRoom(pool: IpamPool, entries: ReadonlyMap<string, Entry>, own: readonly Prefix[]): boolean {
  const { cidr, blockSize } = pool;
  const hasFree = (entry: Entry | undefined): boolean => entry !== undefined && freeIn(entry) > 0;
  const isInside = (prefix: Prefix): boolean => prefixContains(cidr, prefix);
  if (own.filter(isInside).some((prefix) => hasFree(entries.get(blockKey(prefix))))) return true;
  const start = blockPrefix(cidr.address.family);
  const blocks = [...entries.values()].filter(({ key }) => {
    const prefix = key.startsWith(start) ? parseBlockKey(key) : undefined;
    return prefix !== undefined && isInside(prefix);
  });
  return blocks.length < 2 ** (blockSize - cidr.length) || blocks.some(hasFree);
}
