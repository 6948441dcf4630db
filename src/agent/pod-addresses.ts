/** Addresses for a pod, as its attachment asks for them: out of pools, or by name; one of each family at most. */
import type { Attachment, Workload } from '../cni/attachment.ts';
import { handleId } from '../cni/names.ts';
import type { Assignment } from '../cni/ports.ts';
import type { Assigned, Ipam, IpamPool } from '../ipam/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { DEFAULT_NAMESPACE } from '../resources/index.ts';
import type { Knowledge } from './cluster-view.ts';
import { givingPools, requireWorkloadPools, workloadPools } from './pool-choice.ts';

export interface PodAddressPorts {
  readonly node: string;
  readonly ipam: Ipam;
  readonly knowledge: () => Knowledge;
}

type Wanted = Pick<Attachment, 'workload' | 'wish'>;

/** The families at once: IPAM serves them in one group. All of them, or a rejection; then the handle may hold one of them. */
export async function assignAddresses(attachment: Attachment, ports: PodAddressPorts): Promise<Assignment> {
  const { node, ipam, knowledge } = ports;
  const request = { node, handleId: handleId(attachment), attributes: attributesOf(attachment) };
  const { wish } = attachment;
  const assigning =
    wish.kind === 'given'
      ? wish.addresses.map((address) => {
          const pools = givingPools(knowledge()).filter(({ cidr }) => cidr.address.family === address.family);
          return () => ipam.assignAddress({ ...request, address, pools });
        })
      : poolsByFamily(attachment, knowledge()).map((pools) => () => ipam.autoAssign({ ...request, count: 1, pools }));
  const outcomes = await Promise.allSettled(assigning.map((assign) => assign()));
  return joined(outcomes);
}

function joined(outcomes: readonly PromiseSettledResult<Assigned>[]): Assignment {
  const assigned = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  const claimedAt = assigned.find((each) => each.claimedAt !== undefined)?.claimedAt;
  return {
    addresses: assigned.flatMap(({ addresses }) => addresses),
    ...(claimedAt === undefined ? {} : { blockClaimedAt: claimedAt }),
  };
}

/** Calico's keys, which its tools show; the network too where `NETWORK.CONTAINER` could be read in two ways. */
function attributesOf({ workload, network, containerId }: Attachment): Readonly<Record<string, string>> {
  const isAmbiguous = network.includes('.') || containerId.includes('.');
  return {
    ...(workload.orchestrator === 'k8s' && { pod: workload.pod, namespace: workload.namespace }),
    ...(isAmbiguous && { network }),
  };
}

export const namespaceOf = (workload: Workload): string =>
  workload.orchestrator === 'k8s' ? workload.namespace : DEFAULT_NAMESPACE;

/** Of each family that is wanted, IPv4 first. Throws one sentence where a family has none, and InvalidValueError for pools that may not be asked for. */
export function poolsByFamily({ workload, wish }: Wanted, knowledge: Knowledge): readonly (readonly IpamPool[])[] {
  const namespace = namespaceOf(workload);
  if (wish.kind === 'given') return wish.addresses.map(() => givingPools(knowledge));
  if (wish.families === 'available') {
    const { chosen } = workloadPools(knowledge, { namespace });
    const families = ([4, 6] as const).filter((family) => chosen.some(({ cidr }) => cidr.address.family === family));
    if (families.length === 0) requireWorkloadPools(knowledge, { namespace });
    return families.map((family) => chosen.filter(({ cidr }) => cidr.address.family === family));
  }
  return wish.families.map((family) => askedPools(family, { workload, wish }, knowledge));
}

function askedPools(family: IpFamily, { workload, wish }: Wanted, knowledge: Knowledge): readonly IpamPool[] {
  const asked = wish.kind === 'assigned' ? wish.pools[family] : undefined;
  const applicant = { namespace: namespaceOf(workload), family, ...(asked && { pools: asked.pools }) };
  try {
    return requireWorkloadPools(knowledge, applicant);
  } catch (error) {
    // Whoever asked reads where.
    if (!(error instanceof InvalidValueError) || error.field !== 'pools' || asked === undefined) throw error;
    throw new InvalidValueError(asked.by, error.value, error.reason);
  }
}
