/** What becomes of one node's BGP peers, and of its speaker as a whole. Pure. */
import { matchPeers, peerChange } from '../../bird/index.ts';
import type { PeerSettings, RouteFilter } from '../../bird/index.ts';
import type { BgpNode } from '../agent/bgp-nodes.ts';
import { formatIpAddress } from '../model/ip.ts';
import { isSame } from '../model/same.ts';
import type { PeerRow } from './report.ts';

export interface PeerChangeOf {
  readonly change: PeerRow['change'];
  readonly peer: PeerSettings;
  readonly fields: readonly string[];
}

/** As the speaker itself compares them: an established session is taken, the one that a change would disturb. */
export function peerChanges(before: readonly PeerSettings[], after: readonly PeerSettings[]): readonly PeerChangeOf[] {
  const kept = matchPeers(
    before.map((settings) => ({ settings })),
    after,
  ).map((found) => found?.settings);
  const stays = new Set(kept);
  const gone = before
    .filter((peer) => !stays.has(peer))
    .map((peer): PeerChangeOf => ({ change: 'goes', peer, fields: [] }));
  const others = after.flatMap((peer, i): readonly PeerChangeOf[] => {
    const former = kept[i];
    if (former === undefined) return [{ change: 'comes', peer, fields: [] }];
    const change = peerChange(former, peer, true);
    if (change === 'none') return [];
    const fields = changedFields(former, peer);
    return [{ change: change === 'light' ? 'changes' : 'is reset', peer, fields }];
  });
  return [...gone, ...others];
}

/** Fields of PeerSettings in the resources' own words, where those have one. */
const WORDS: Readonly<Partial<Record<keyof PeerSettings, string>>> = {
  remoteAsn: 'AS',
  localAsn: 'local AS',
  kind: 'type',
  origin: 'from',
  localAddress: 'source address',
  gracefulRestartSeconds: 'restart time',
  keepaliveSeconds: 'keepalive',
  ttlSecurityHops: 'ttlSecurity',
  nextHop: 'next hop',
  routeReflectorClient: 'route reflector client',
  allowOwnAsn: 'allowed local AS numbers',
  importFilters: 'import filters',
  exportFilters: 'export filters',
};

function changedFields(before: PeerSettings, after: PeerSettings): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as ReadonlySet<keyof PeerSettings>;
  return [...names]
    .filter((name) => !isSame(before[name], after[name]))
    .map((name) => {
      const [from, to] = [valueText(before[name]), valueText(after[name])];
      // Filters may have the same names and other rules.
      const what = from === to ? 'have other rules' : `${from} → ${to}`;
      return `${WORDS[name] ?? name} ${what}`;
    });
}

function valueText(value: PeerSettings[keyof PeerSettings]): string {
  if (value === undefined) return 'none';
  if (typeof value !== 'object') return String(value);
  if ('family' in value) return formatIpAddress(value);
  if (isFilters(value)) return value.map(({ name }) => name).join(', ');
  return JSON.stringify(value);
}

const isFilters = (value: object): value is readonly RouteFilter[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'object');

/** What is of the node and not of one peer. */
export function speakerChanges(before: BgpNode, after: BgpNode): readonly string[] {
  const rows: readonly (readonly [string, string, string])[] = [
    ['AS', String(before.asn), String(after.asn)],
    ['port', String(before.port), String(after.port)],
    ['addresses', addressTexts(before), addressTexts(after)],
    ['route reflector cluster id', before.clusterId ?? 'none', after.clusterId ?? 'none'],
  ];
  return rows.filter(([, from, to]) => from !== to).map(([what, from, to]) => `${what} ${from} → ${to}${costOf(what)}`);
}

const addressTexts = ({ addresses }: BgpNode): string => addresses.map(formatIpAddress).join(', ') || 'none';

/** A new speaker takes over as after a restart: src/speaker/speaker-keeper.ts. */
const costOf = (what: string): string =>
  what === 'route reflector cluster id' ? '' : ': all of its sessions are opened anew, no route is withdrawn';
