/** Everything that metrics are read off, as it was at one moment. */
import type { PeerView, TableCounts } from '../../bird/index.ts';
import type { DataplaneHealth, DataplaneTally, NatStatus, RepairStatus } from '../../felix/index.ts';
import type { HealthReport } from '../api/contract.ts';
import type { SyncCounts, SyncView } from '../datastore/syncer.ts';
import type { PoolUsage } from './pool-usage.ts';

export interface Moment {
  readonly node: string;
  readonly version: string;
  /** The clock's milliseconds, and those since 1970 at the same moment. */
  readonly now: number;
  readonly wallTime: number;
  readonly health: HealthReport;
  /** How late the event loop came to its timer at worst, in the last 30 s. */
  readonly worstLagMs: number;
  readonly dataplane: DataplaneMoment;
  /** Absent while the agent waits for its datastore. */
  readonly agent?: AgentMoment;
  /** Absent where the settings say so. */
  readonly process?: ProcessMoment;
  readonly runtime?: RuntimeMoment;
}

export interface DataplaneMoment {
  readonly tally: DataplaneTally;
  readonly health: DataplaneHealth;
  readonly repairs: RepairStatus;
  readonly nat: readonly NatStatus[];
}

export interface AgentMoment {
  readonly datastore: DatastoreMoment;
  /** Absent until the speaker listens. */
  readonly bgp?: BgpMoment;
  readonly cluster: ClusterMoment;
  readonly pools: readonly PoolUsage[];
  /** Addresses of this node's blocks that others borrowed. */
  readonly lentAddresses: number;
  /** What resources ask of this node and do not get; what settings say and is not in force. */
  readonly unmet: number;
  readonly settingProblems: number;
}

export interface DatastoreMoment {
  /** Absent before it is followed. */
  readonly view?: SyncView;
  readonly counts: SyncCounts;
  readonly isLocked: boolean;
}

export interface BgpMoment {
  readonly isConverged: boolean;
  readonly peers: readonly PeerMoment[];
  readonly tables: readonly TableCounts[];
}

export interface PeerMoment {
  /** `10.0.0.2`, `fe80::1%eth0` */
  readonly peer: string;
  readonly view: PeerView;
  /** Of a session that should be up and is not: one of the speaker's words for it. */
  readonly cause?: string;
}

export interface ClusterMoment {
  readonly nodes: number;
  readonly workloadEndpoints: number;
  readonly hostEndpoints: number;
  /** Of either kind, on this node. */
  readonly localEndpoints: number;
}

/** As the client libraries of Prometheus tell it of every process. */
export interface ProcessMoment {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Absent where /proc does not tell. */
  readonly virtualBytes?: number;
  readonly openFiles?: number;
  readonly maxFiles?: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

export interface RuntimeMoment {
  readonly nodeVersion: string;
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  /** Since the start: how long the event loop worked. */
  readonly busySeconds: number;
}

/** The wall clock's seconds at a time of the monotonic one, to a tenth: the two clocks do not run alike to the millisecond. */
export const wallSeconds = ({ now, wallTime }: Pick<Moment, 'now' | 'wallTime'>, at: number): number =>
  Math.round((wallTime - (now - at)) / 100) / 10;
