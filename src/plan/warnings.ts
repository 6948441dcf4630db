/** What an operator should see before applying. Pure. */
import { felixPool } from '../agent/cluster-view.ts';
import { formatPrefix, parsePrefix, prefixContains } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';
import { lostPaths } from './route-changes.ts';
import type { Worlds } from './route-changes.ts';
import { FAMILIES } from './sessions.ts';
import type { Sessions } from './sessions.ts';
import type { World } from './world.ts';

/** So many of one sort are told; the rest is counted. */
const MAX_ALIKE = 10;

export interface PeerCounts {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** Of what resources ask and do not get, what is new. */
  readonly unmet: readonly string[];
}

export function planWarnings(
  worlds: Pick<Worlds, 'before' | 'after'>,
  counts: readonly PeerCounts[],
): readonly string[] {
  const { before, after } = worlds;
  const lonely = counts.filter((each) => each.before > 0 && each.after === 0).map(({ name }) => name);
  const known = new Set(sessionFaults(before.sessions));
  const faults = sessionFaults(after.sessions).filter((fault) => !known.has(fault));
  const lost = lostPaths(worlds);
  return [
    ...(lonely.length === 0 ? [] : [`no BGP peer is left to ${listed(lonely)}`]),
    ...(lost.length === 0 ? [] : [`no BGP path is left between ${listed(lost)}: their pods cannot reach each other`]),
    ...shortened(faults.map((fault) => `a session does not come up: ${fault}`)),
    ...poolWarnings(before.world, after.world),
    ...nodeWarnings(before.world, after.world),
    ...unmetWarnings(counts),
  ];
}

const listed = (names: readonly string[]): string =>
  names.length <= MAX_ALIKE
    ? names.join(', ')
    : `${names.slice(0, MAX_ALIKE).join(', ')} and ${names.length - MAX_ALIKE} more`;

const shortened = (lines: readonly string[]): readonly string[] =>
  lines.length <= MAX_ALIKE
    ? lines
    : [...lines.slice(0, MAX_ALIKE), `… and ${lines.length - MAX_ALIKE} more such sessions`];

/** In the order of the nodes; a session in two families that has one fault is told once. */
export function sessionFaults(sessions: Sessions): readonly string[] {
  const faults = new Set<string>();
  for (let a = 0; a < sessions.names.length; a++) {
    for (let b = a + 1; b < sessions.names.length; b++) {
      for (const family of FAMILIES) {
        const fault = sessions.fault(family, a, b);
        if (fault !== undefined) faults.add(fault);
      }
    }
  }
  return [...faults];
}

function poolWarnings(before: World, after: World): readonly string[] {
  const blocks = [...after.blocks.values()].flat();
  return [...before.resources.IPPool.values()].flatMap((pool) => {
    const { name } = pool.metadata;
    const cidr = parsePrefix(pool.spec.cidr);
    const used = blocks.filter((block) => prefixContains(cidr, block)).length;
    const now = after.resources.IPPool.get(name);
    if (used === 0) return [];
    const what = `IPPool(${name}) has ${used} block${used === 1 ? '' : 's'} in use`;
    if (now === undefined) return [`${what} and is deleted: pods keep their addresses, ${insteadOf(cidr, after)}`];
    const isClosed = now.spec.disabled && !pool.spec.disabled;
    const isHidden = now.spec.disableBGPExport && !pool.spec.disableBGPExport;
    return [
      ...(isClosed ? [`${what} and is disabled: pods keep their addresses, new ones get none from it`] : []),
      ...(isHidden
        ? [`${what} and is not announced any more (disableBGPExport): other nodes lose the way to its pods`]
        : []),
    ];
  });
}

function insteadOf(cidr: Prefix, { resources }: World): string {
  const around = [...resources.IPPool.values()].map(felixPool).find((pool) => prefixContains(pool.cidr, cidr));
  return around === undefined
    ? 'and their routes go without encapsulation and without NAT'
    : `and their routes go as ippool ${around.name} (${formatPrefix(around.cidr)}) says`;
}

function nodeWarnings(before: World, after: World): readonly string[] {
  return [...before.nodes.keys()]
    .filter((name) => !after.nodes.has(name))
    .map((name) => {
      const blocks = after.blocks.get(name)?.length ?? 0;
      const pods = after.endpoints.get(name)?.size ?? 0;
      const left = blocks + pods === 0 ? '' : `; its ${blocks} blocks and ${pods} pods stay in the datastore`;
      return `Node(${name}) is deleted: its agent keeps its sessions and routes as they are, the others end theirs with it${left}`;
    });
}

/** One line for each wish, with those that have it. */
function unmetWarnings(counts: readonly PeerCounts[]): readonly string[] {
  const wishes = new Map<string, string[]>();
  for (const { name, unmet } of counts) {
    for (const wish of unmet) wishes.set(wish, [...(wishes.get(wish) ?? []), name]);
  }
  const lines = [...wishes].map(([wish, names]) => `not done on ${listed(names)}: ${wish}`);
  return lines.length <= MAX_ALIKE
    ? lines
    : [...lines.slice(0, MAX_ALIKE), `… and ${lines.length - MAX_ALIKE} more of what is not done`];
}
