/** What is known of each node of a cluster: its own answer, or what its Node resource and the other nodes say. */
import type { NodeStatus } from '../../api/contract.ts';
import { decodeStatus, FULL_STATUS } from '../../api/status-question.ts';
import type { CalicoNodeStatus, Node } from '../../resources/index.ts';
import type { NodeState } from './node-verdict.ts';
import { EXIT_CODE, isUp, readiness, verdictOf, wantedPeers } from './node-verdict.ts';

export interface NodeRow {
  readonly node: string;
  readonly state: NodeState;
  /** Established, and how many there should be; absent where the node does not say. */
  readonly sessions?: { readonly established: number; readonly expected: number };
  /** `ready`, `not ready`, `not live`, `-` */
  readonly ready: string;
  /** As the node sees it: `in sync`, `away`, `locked`, `not read`, `-` */
  readonly datastore: string;
  /** Since when its agent runs, ISO 8601. */
  readonly since?: string;
  /** Empty where all is well. */
  readonly why: string;
  /** Of the Node resource, `172.30.1.11/24`. */
  readonly address?: string;
  readonly version?: string;
  /** In full, where an agent of ours answered. */
  readonly status?: NodeStatus;
}

export interface Evidence {
  /** By name; a node that has none was never registered, or was taken away. */
  readonly nodes: ReadonlyMap<string, Node>;
  readonly answers: ReadonlyMap<string, CalicoNodeStatus>;
  readonly timeoutMs: number;
}

/** The rows of these nodes, the worst first, then by name. */
export function nodeRows(names: readonly string[], evidence: Evidence): readonly NodeRow[] {
  const answered = names.map((name) => answeredRow(name, evidence));
  const others = answered.flatMap((row) => row?.status ?? []);
  return names
    .map((name, i) => answered[i] ?? silentRow(name, evidence, others))
    .toSorted((a, b) => EXIT_CODE[b.state] - EXIT_CODE[a.state] || (a.node < b.node ? -1 : 1));
}

function answeredRow(name: string, { nodes, answers }: Evidence): NodeRow | undefined {
  const answer = answers.get(name);
  if (answer === undefined) return undefined;
  const known = { node: name, ...addressOf(nodes.get(name)) };
  const full = answer.metadata.annotations?.[FULL_STATUS];
  if (full === undefined) return { ...known, ...calicosRow(answer) };
  const status = decodeStatus(full);
  const peers = wantedPeers(status);
  const { inSync, stale, locked } = status.datastore;
  return {
    ...known,
    ...verdictOf(status),
    sessions: { established: peers.filter(isUp).length, expected: peers.length },
    ready: readiness(status.health),
    datastore: locked === true ? 'locked' : stale !== undefined ? 'away' : inSync ? 'in sync' : 'not read',
    ...{ since: status.startedAt, version: status.version, status },
  };
}

/** A node of Calico's own answers without our annotation. */
function calicosRow({ status }: CalicoNodeStatus): Omit<NodeRow, 'node'> {
  const { bgp = {}, agent = {} } = status ?? {};
  const established = (bgp.numberEstablishedV4 ?? 0) + (bgp.numberEstablishedV6 ?? 0);
  const down = (bgp.numberNotEstablishedV4 ?? 0) + (bgp.numberNotEstablishedV6 ?? 0);
  const { state, version, lastBootTime } = agent.birdV4 ?? {};
  const isReady = state === 'Ready';
  const why = [...(isReady ? [] : ['its BIRD is not ready']), ...(down > 0 ? [`${down} peers are down`] : [])];
  return {
    state: why.length === 0 ? 'ok' : 'degraded',
    sessions: { established, expected: established + down },
    ...{ ready: isReady ? 'ready' : 'not ready', datastore: '-' },
    ...(lastBootTime !== undefined && { since: lastBootTime }),
    ...(version !== undefined && { version }),
    why: [...why, 'answered by Calico'].join('; '),
  };
}

function silentRow(name: string, { nodes, timeoutMs }: Evidence, others: readonly NodeStatus[]): NodeRow {
  const resource = nodes.get(name);
  const why =
    resource === undefined
      ? 'there is no Node resource of that name: no agent has registered it'
      : `its agent did not answer within ${timeoutMs / 1000} s${seenByOthers(resource, others)}`;
  return { node: name, state: 'unreachable', ready: '-', datastore: '-', why, ...addressOf(resource) };
}

/** Whether the node is gone or only its agent does not reach the datastore. */
function seenByOthers({ spec }: Node, others: readonly NodeStatus[]): string {
  const own = [spec.bgp?.ipv4Address, spec.bgp?.ipv6Address].map((text) => text?.split('/')[0]);
  const sessions = others.flatMap((status) => wantedPeers(status).filter(({ address }) => own.includes(address)));
  const up = sessions.filter(isUp).length;
  if (sessions.length === 0) return '';
  return up === 0
    ? ', and none of those that answered has a session with it'
    : `, but ${up} of ${sessions.length} nodes have a session with it: does it reach the datastore?`;
}

function addressOf(node: Node | undefined): { readonly address?: string } {
  const address = node?.spec.bgp?.ipv4Address ?? node?.spec.bgp?.ipv6Address;
  return address === undefined ? {} : { address };
}

const HEADINGS = ['NODE', 'STATE', 'SESSIONS', 'READY', 'DATASTORE', 'SINCE', 'WHY'];
const WIDE = ['ADDRESS', 'VERSION', 'ROUTES'];

/** With its headings, for `formatTabs`. */
export function nodeTable(rows: readonly NodeRow[], isWide: boolean): readonly (readonly string[])[] {
  const cells = ({ node, state, sessions, ready, datastore, since, why, address, version, status }: NodeRow) => [
    ...[node, state, sessions === undefined ? '-' : `${sessions.established}/${sessions.expected}`, ready, datastore],
    since?.replace(/\.\d+Z$/, 'Z') ?? '-',
    ...(isWide ? [address ?? '-', version ?? '-', String(status?.dataplane.routes ?? '-')] : []),
    why === '' ? '-' : why,
  ];
  return [isWide ? [...HEADINGS.slice(0, -1), ...WIDE, 'WHY'] : HEADINGS, ...rows.map(cells)];
}

/** `3 nodes: 2 ok, 1 degraded, 0 unreachable` */
export function summary(rows: readonly NodeRow[]): string {
  const counts = (Object.keys(EXIT_CODE) as NodeState[]).map(
    (state) => `${rows.filter((row) => row.state === state).length} ${state}`,
  );
  return `${rows.length} ${rows.length === 1 ? 'node' : 'nodes'}: ${counts.join(', ')}`;
}
