/** Worlds for plans: nodes n1, n2 … in one subnet unless said otherwise, each with one block. */
import { affinityKey } from '../../../src/datastore/keys.ts';
import type { Entry } from '../../../src/datastore/store.ts';
import { parsePrefix } from '../../../src/model/ip.ts';
import { planChange, worldOf } from '../../../src/plan/plan.ts';
import type { PlanReport } from '../../../src/plan/plan.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { entryOf, resource } from '../../support/resources.ts';

export interface NodeFields {
  readonly labels?: Readonly<Record<string, string>>;
  readonly bgp?: object;
}

/** n1 is 172.16.0.1/24 and has 10.244.1.0/26. */
export const node = (i: number, { labels = {}, bgp = {} }: NodeFields = {}): AnyResource =>
  resource('Node', { name: `n${i}`, labels }, { bgp: { ipv4Address: `172.16.0.${i}/24`, ...bgp } });

export const blockOf = (i: number, cidr = `10.244.${i}.0/26`): Entry => ({
  key: affinityKey(`n${i}`, parsePrefix(cidr)),
  value: { state: 'confirmed', deleted: false },
  revision: 1,
});

export const pool = (spec: object = {}, name = 'pods'): AnyResource =>
  resource('IPPool', name, { cidr: '10.244.0.0/16', ...spec });

export type Part = AnyResource | Entry;

export const world = (...parts: readonly Part[]) =>
  worldOf(parts.map((part) => ('kind' in part ? entryOf(part) : part)));

export const plan = (before: readonly Part[], after: readonly Part[]): PlanReport =>
  planChange(world(...before), world(...after));

/** `n1: is lost 10.244.2.0/26 tunl0 →`, every single route. */
export const routeLines = ({ groups }: PlanReport): readonly string[] =>
  groups.flatMap(({ nodes, routes }) =>
    routes.flatMap(({ change, from = '', to = '', examples }) =>
      examples.map(({ prefix, via }) => `${nodes.join()}: ${change} ${prefix} via ${via}: ${from} → ${to}`),
    ),
  );

/** `n1: goes 172.16.0.2 (n2) node-to-node mesh` */
export const peerLines = ({ groups }: PlanReport): readonly string[] =>
  groups.flatMap(({ nodes, peers }) =>
    peers.flatMap(({ change, peers: named, type }) =>
      named.map((peer) => `${nodes.join()}: ${change} ${peer} ${type}`),
    ),
  );
