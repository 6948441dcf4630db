/** `/liveness` and `/readiness` over TCP, for a kubelet or a load balancer. */
import type { ServerRoute } from '@hapi/hapi';
import type { HealthReport } from './contract.ts';
import { formatHealth } from './health-table.ts';
import type { ApiServer } from './server.ts';
import { startTcpServer } from './tcp-listener.ts';
import type { TcpPlace } from './tcp-listener.ts';

const PATHS = [
  ['/liveness', 'live'],
  ['/readiness', 'ready'],
] as const;

/** 200 or 503, and in the body who is well and who is not, and why. Throws one sentence where it cannot listen. */
export function startHealthServer(
  place: TcpPlace,
  report: () => HealthReport,
): Promise<ApiServer & { readonly port: number }> {
  const routes = PATHS.map(([path, verdict]): ServerRoute => ({
    method: 'GET',
    path,
    handler: (_request, h) => {
      const health = report();
      return h
        .response(formatHealth(health))
        .type('text/plain')
        .code(health[verdict] ? 200 : 503);
    },
  }));
  return startTcpServer(place, routes, { host: 'FELIX_HEALTHHOST', port: 'FELIX_HEALTHPORT' });
}
