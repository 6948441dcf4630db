/** `/metrics` over TCP, for Prometheus. */
import type { ServerRoute } from '@hapi/hapi';
import type { ApiServer } from './server.ts';
import { startTcpServer } from './tcp-listener.ts';
import type { TcpPlace } from './tcp-listener.ts';

/** What one scrape gets. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Who asks while an answer is being made gets the same one: what takes longer than the time between two questions does not pile up. */
export function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  return () => {
    current ??= make().finally(() => {
      current = undefined;
    });
    return current;
  };
}

/** Throws one sentence where it cannot listen. */
export function startMetricsServer(
  place: TcpPlace,
  scrape: () => Promise<Exposition>,
): Promise<ApiServer & { readonly port: number }> {
  const answer = shared(scrape);
  const route: ServerRoute = {
    method: 'GET',
    path: '/metrics',
    handler: async (_request, h) => {
      const { contentType, text } = await answer();
      return h.response(text).header('content-type', contentType);
    },
  };
  return startTcpServer(place, [route], {
    host: 'FELIX_PROMETHEUSMETRICSHOST',
    port: 'FELIX_PROMETHEUSMETRICSPORT',
  });
}
