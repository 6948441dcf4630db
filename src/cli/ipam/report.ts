import * as z from 'zod';
import type { Allocation, Audit, Evidence, History } from '../../ipam/index.ts';
import { formatPrefix } from '../../model/ip.ts';
import type { IpamView } from './view.ts';

/** What `ipam check -o` writes: calicoctl's fields, and below them those that our repair goes by, which a report of calicoctl's lacks. */
const schema = z.object({
  version: z.string(),
  clusterGUID: z.string(),
  datastoreLocked: z.boolean(),
  clusterInformationRevision: z.string(),
  clusterType: z.string(),
  allocations: z.record(
    z.string(),
    z.array(
      z.object({
        ip: z.string(),
        handle: z.string().nullish(),
        sequenceNumber: z.number().optional(),
        inUse: z.boolean(),
      }),
    ),
  ),
  leakedHandles: z.array(z.object({ ID: z.string(), Revision: z.string() })).nullish(),
  createdAt: z.iso.datetime().optional(),
  datastore: z
    .object({
      revision: z.number(),
      oldest: z.object({ key: z.string(), revision: z.number() }).exactOptional(),
    })
    .optional(),
  wrongCounts: z.array(z.object({ handle: z.string(), cidr: z.string(), revision: z.number() })).default([]),
  affinitiesWithoutNode: z.array(z.object({ node: z.string(), cidr: z.string(), revision: z.number() })).default([]),
  blocksWithoutAffinity: z.array(z.object({ host: z.string(), cidr: z.string() })).default([]),
});

export type IpamReport = z.output<typeof schema>;

export interface ClusterFacts {
  readonly guid: string;
  readonly isLocked: boolean;
  readonly revision: string;
  readonly type: string;
}

/** Of a cluster that nobody gave a ClusterInformation all is empty. */
export function clusterFacts({ resources }: Pick<IpamView, 'resources'>): ClusterFacts {
  const found = resources.ClusterInformation.get('default');
  return {
    guid: found?.spec.clusterGUID ?? '',
    isLocked: found?.spec.datastoreReady === false,
    revision: found?.metadata.resourceVersion ?? '',
    type: found?.spec.clusterType ?? '',
  };
}

export interface Circumstances {
  readonly version: string;
  readonly nowMs: number;
  readonly view: IpamView;
}

export function reportOf(found: Audit, { version, nowMs, view }: Circumstances): object {
  const cluster = clusterFacts(view);
  return {
    version,
    clusterGUID: cluster.guid,
    datastoreLocked: cluster.isLocked,
    clusterInformationRevision: cluster.revision,
    clusterType: cluster.type,
    allocations: Object.fromEntries(found.allocations.map((one) => [one.ip, [allocationFields(one)]])),
    leakedHandles: found.leakedHandles.map(({ id, revision }) => ({ ID: id, UID: null, Revision: String(revision) })),
    createdAt: new Date(nowMs).toISOString(),
    datastore: view.survey.history,
    wrongCounts: found.wrongCounts,
    affinitiesWithoutNode: found.affinitiesWithoutNode.map(({ node, prefix, revision }) => ({
      node,
      cidr: formatPrefix(prefix),
      revision,
    })),
    blocksWithoutAffinity: found.blocksWithoutAffinity.map(({ host, prefix }) => ({
      host,
      cidr: formatPrefix(prefix),
    })),
  };
}

/** `inUse` is false for nothing but what is surely leaked: a calicoctl that reads the report frees the rest. */
function allocationFields({ ip, handle, sequenceNumber, attributes, verdict, isBorrowed, owners }: Allocation): object {
  const { pod, namespace, node, type, timestamp } = attributes;
  return {
    ip,
    handle,
    sequenceNumber,
    ...{ pod, namespace, node, type },
    creationTimestamp: timestamp,
    inUse: verdict !== 'leaked',
    borrowed: isBorrowed,
    coolingDown: verdict === 'resting',
    owners,
    verdict,
  };
}

/** Throws Error with what is wrong, in one sentence. */
export function parseReport(text: string): IpamReport {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`);
}

/** Undefined of a report of calicoctl's, which does not tell. */
export const historyOf = ({ datastore }: IpamReport): History | undefined => datastore;

/** Of calicoctl's nobody knows how old it is: it counts as made now. */
export const evidenceOf = (report: IpamReport, nowMs: number): Evidence => ({
  takenAt: report.createdAt === undefined ? nowMs : Date.parse(report.createdAt),
  leaked: Object.values(report.allocations).flatMap((all) =>
    all
      .filter(({ inUse }) => !inUse)
      .map(({ ip, handle, sequenceNumber = 0 }) => ({ ip, handle: handle ?? null, sequenceNumber })),
  ),
  leakedHandles: (report.leakedHandles ?? []).map(({ ID, Revision }) => ({ id: ID, revision: Number(Revision) })),
  wrongCounts: report.wrongCounts,
  affinitiesWithoutNode: report.affinitiesWithoutNode,
  blocksWithoutAffinity: report.blocksWithoutAffinity,
});
