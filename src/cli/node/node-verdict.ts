import type { HealthReport, NodeStatus, PeerStatus, SpeakerStatus } from '../../api/contract.ts';

/** An agent's, or that of a speaker alone, which has neither datastore nor kernel. */
export type AnyStatus = SpeakerStatus & Partial<Omit<NodeStatus, keyof SpeakerStatus>>;

/** Exit codes of `node status`, as monitoring systems have them: the worse the higher. */
export const EXIT_CODE = { ok: 0, degraded: 1, unreachable: 2 } as const;
export type NodeState = keyof typeof EXIT_CODE;

export interface Verdict {
  readonly state: NodeState;
  /** One sentence; empty where all is well. */
  readonly why: string;
}

/** A node is degraded where anything is not as it should be; the weightiest reason is told, and how many more there are. */
export function verdictOf(status: AnyStatus): Verdict {
  const [first, ...more] = reasons(status);
  if (first === undefined) return { state: 'ok', why: '' };
  return { state: 'degraded', why: more.length === 0 ? first : `${first} (and ${more.length} more)` };
}

const MAX_NAMED = 3;

export const isUp = ({ state }: PeerStatus): boolean => state === 'Established';

/** Those that are not held down on purpose. */
export const wantedPeers = ({ bgp }: AnyStatus): readonly PeerStatus[] =>
  bgp.peers.filter(({ shutdown }) => shutdown === undefined);

function reasons(status: AnyStatus): readonly string[] {
  const { bgp, configuration, datastore, dataplane, nat = [], health, settingProblems = [] } = status;
  const down = wantedPeers(status).filter((peer) => !isUp(peer));
  const failed = nat.filter(({ state }) => state === 'failed');
  return [
    ...unwell(health),
    ...(datastore?.stale === undefined ? [] : [`the datastore is away: ${datastore.stale}`]),
    ...(down.length === 0 ? [] : [peersDown(down)]),
    ...(bgp.converged ? [] : ["waiting for the peers' End-of-RIB after a restart"]),
    ...((dataplane?.failed ?? 0) === 0 ? [] : [`${dataplane?.failed} routes were refused by the kernel`]),
    ...failed.slice(0, 1).map(({ subject, error }) => `no NAT for ${subject}: ${error ?? 'no reason given'}`),
    ...(dataplane?.fights ?? []).slice(0, 1).map((fight) => `somebody keeps undoing what is programmed: ${fight}`),
    ...settingProblems.slice(0, 1).map((problem) => `not in force: ${problem}`),
    ...(configuration?.refused ?? []).slice(0, 1).map((problem) => `${configuration?.file} is wrong: ${problem}`),
  ];
}

/** Of peers that are down more is told below. */
const unwell = (health: HealthReport | undefined): readonly string[] =>
  (health?.reporters ?? [])
    .filter(({ live, ready }) => !live || !ready)
    .map(({ name, live, detail }) => `${name} is not ${live ? 'ready' : 'live'}: ${detail}`);

function peersDown(down: readonly PeerStatus[]): string {
  const named = down.slice(0, MAX_NAMED).map(({ address, state, lastError }) => `${address} ${lastError ?? state}`);
  const more = down.length > MAX_NAMED ? `, ${down.length - MAX_NAMED} more` : '';
  return `${down.length === 1 ? 'a peer is' : `${down.length} peers are`} down: ${named.join(', ')}${more}`;
}

export const readiness = (health: HealthReport | undefined): string =>
  health === undefined ? '-' : health.ready ? 'ready' : health.live ? 'not ready' : 'not live';
