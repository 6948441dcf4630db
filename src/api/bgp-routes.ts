/** The half of the API that a speaker alone serves too: sessions and paths. */
import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { PathReport, SpeakerStatus } from './contract.ts';
import { parseBody, said } from './request-body.ts';

export interface BgpApi {
  status(): SpeakerStatus;
  paths(): readonly PathReport[];
  /** Leaves the routing for good: peers withdraw at once; the process ends after the answer. */
  stop(message: string): Promise<void>;
}

const stopRequest = z.strictObject({ message: z.string().max(255) });

export const bgpRoutes = (api: BgpApi): readonly ServerRoute[] => [
  { method: 'GET', path: '/v1/status', handler: () => api.status() },
  { method: 'GET', path: '/v1/bgp/routes', handler: () => [...api.paths()] },
  {
    method: 'POST',
    path: '/v1/stop',
    handler: async (request, h) => {
      await said(() => api.stop(parseBody(stopRequest, request.payload).message));
      return h.response().code(202);
    },
  },
];
