import { natSubjectText } from '../../felix/index.ts';
import type { NatStatus, RouteStatus, RouteTarget } from '../../felix/index.ts';
import type { NatReport, RouteReport } from '../api/contract.ts';
import { formatIpAddress, formatPrefix } from '../model/ip.ts';

export function routeReport({ route, state, error }: RouteStatus): RouteReport {
  return {
    prefix: formatPrefix(route.prefix),
    class: route.class,
    target: formatTarget(route.target),
    state,
    reason: route.reason,
    ...(route.pool === undefined ? {} : { pool: route.pool }),
    ...(error === undefined ? {} : { error }),
  };
}

export const natReport = ({ subject, ...rest }: NatStatus): NatReport => ({
  subject: natSubjectText({ subject }),
  ...rest,
});

/** As `ip route` says it. */
function formatTarget(target: RouteTarget): string {
  switch (target.kind) {
    case 'blackhole':
      return 'blackhole';
    case 'link':
      return `dev ${target.interfaceName} scope link`;
    case 'via':
      return target.hops
        .map((hop) => `via ${formatIpAddress(hop.gateway)} dev ${hop.interfaceName}${hop.onlink ? ' onlink' : ''}`)
        .join(' ');
  }
}
