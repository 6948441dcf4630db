/** What changes for every node alike: resources, tunnels, the MTU. Pure. */
import { tunnelsOf } from '../../felix/index.ts';
import type { TunnelNeed } from '../../felix/index.ts';
import { felixPool } from '../agent/cluster-view.ts';
import { isSame } from '../model/same.ts';
import { KINDS, resourceId } from '../resources/index.ts';
import type { AnyResource } from '../resources/index.ts';
import type { World } from './world.ts';

/** One line for each resource that is another, or is there in one of the worlds alone. */
export function resourceLines(before: World, after: World): readonly string[] {
  return KINDS.flatMap((kind) => {
    const [then, now] = [before.resources[kind], after.resources[kind]] as ReadonlyMap<string, AnyResource>[];
    const names = [...new Set([...then!.keys(), ...now!.keys()])].sort();
    return names.flatMap((name) => {
      const [former, current] = [then!.get(name), now!.get(name)];
      if (former === current) return [];
      if (former === undefined) return [`${idOf(current!)} is created`];
      if (current === undefined) return [`${idOf(former)} is deleted`];
      const fields = [
        ...fieldLines(former.metadata.labels, current.metadata.labels, 'labels'),
        ...fieldLines(former.spec, current.spec, 'spec'),
      ];
      return fields.length === 0 ? [] : [`${idOf(current)}: ${fields.join(', ')}`];
    });
  });
}

const idOf = ({ kind, metadata }: AnyResource): string => resourceId(kind, metadata.name, metadata.namespace);

/** `spec.bgp.asNumber 64512 → 64513`; lists as a whole. */
function fieldLines(before: unknown, after: unknown, path: string): readonly string[] {
  if (isSame(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${path} ${valueText(before)} → ${valueText(after)}`];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => fieldLines(before[name], after[name], `${path}.${name}`));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_VALUE = 60;

function valueText(value: unknown): string {
  if (value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`;
}

const tunnels = ({ resources }: World): readonly TunnelNeed[] =>
  tunnelsOf([...resources.IPPool.values()].map(felixPool));

/** Which tunnel links come and go on every node, and what that does to the MTU of new pods. */
export function tunnelLines(before: World, after: World): readonly string[] {
  const [then, now] = [tunnels(before), tunnels(after)];
  const names = (needs: readonly TunnelNeed[]): readonly string[] => needs.map(({ name }) => name);
  const overhead = (needs: readonly TunnelNeed[]): number => Math.max(0, ...needs.map((need) => need.overhead));
  const [was, is] = [overhead(then), overhead(now)];
  return [
    ...names(now)
      .filter((name) => !names(then).includes(name))
      .map((name) => `${name} comes up`),
    ...names(then)
      .filter((name) => !names(now).includes(name))
      .map((name) => `${name} is taken down, ten seconds after the last packet came out of it`),
    ...(was === is
      ? []
      : [
          `new pods get the MTU of the node's interface less ${is} octets (before: less ${was}), unless FelixConfiguration sets it; pods that run keep theirs`,
        ]),
  ];
}
