/** `/liveness` and `/readiness` over TCP, for a kubelet or a load balancer. */
import Hapi from '@hapi/hapi';
import { InvalidValueError } from '../model/invalid.ts';
import type { HealthReport } from './contract.ts';
import { formatHealth } from './health-table.ts';
import type { ApiServer } from './server.ts';

export interface HealthServerSettings {
  /** An address or a name of this host; `localhost` is 127.0.0.1. */
  readonly host: string;
  readonly port: number;
}

/** 200 or 503, and in the body who is well and who is not, and why. Throws one sentence where it cannot listen. */
export async function startHealthServer(
  { host, port }: HealthServerSettings,
  report: () => HealthReport,
): Promise<ApiServer & { readonly port: number }> {
  // A name may stand for ::1 first, where a kubelet that asks 127.0.0.1 would find nobody.
  const server = Hapi.server({ port, host: host === 'localhost' ? '127.0.0.1' : host });
  for (const [path, verdict] of [
    ['/liveness', 'live'],
    ['/readiness', 'ready'],
  ] as const) {
    server.route({
      method: 'GET',
      path,
      handler: (_request, h) => {
        const health = report();
        return h
          .response(formatHealth(health))
          .type('text/plain')
          .code(health[verdict] ? 200 : 503);
      },
    });
  }
  await server.start().catch((error: unknown) => {
    throw refused({ host, port }, error as NodeJS.ErrnoException);
  });
  return { port: Number(server.info.port), close: () => server.stop({ timeout: 1000 }) };
}

function refused({ host, port }: HealthServerSettings, { code, message }: NodeJS.ErrnoException): Error {
  if (code === 'EADDRINUSE') {
    return new InvalidValueError(
      'FELIX_HEALTHPORT',
      String(port),
      `is taken at ${host}: another program listens there`,
    );
  }
  if (code === 'EACCES') {
    return new InvalidValueError('FELIX_HEALTHPORT', String(port), 'may be listened on by root only');
  }
  return new InvalidValueError('FELIX_HEALTHHOST', host, `cannot be listened on: ${message}`);
}
