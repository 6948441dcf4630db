import type { PlannedRoute } from '../../felix/calc/planned-route.ts';
import type { DesiredRoute } from '../../felix/desired.ts';
import { formatIpAddress, formatPrefix } from '../../src/model/ip.ts';

/** As `ip route` would say it. */
export function routeText({ prefix, target }: DesiredRoute): string {
  if (target.kind === 'blackhole') return `blackhole ${formatPrefix(prefix)}`;
  if (target.kind === 'link') return `${formatPrefix(prefix)} dev ${target.interfaceName} scope link`;
  const hops = target.hops.map(
    ({ gateway, interfaceName, onlink }) =>
      `via ${formatIpAddress(gateway)} dev ${interfaceName}${onlink ? ' onlink' : ''}`,
  );
  return [formatPrefix(prefix), ...hops].join(' ');
}

/** What is for the kernel, sorted. */
export const programmable = (planned: readonly PlannedRoute[]): readonly string[] =>
  planned
    .filter(({ unresolved }) => unresolved === undefined)
    .map(({ route }) => routeText(route))
    .sort();
