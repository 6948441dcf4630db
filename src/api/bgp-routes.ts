/** The half of the API that a speaker alone serves too: sessions and paths. */
import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { MAX_DRAIN_SECONDS } from './contract.ts';
import type { DrainRequest, PathReport, SpeakerStatus } from './contract.ts';
import { parseBody, said } from './request-body.ts';

export interface BgpApi {
  status(): SpeakerStatus;
  paths(): readonly PathReport[];
  /** Leaves the routing for good: peers withdraw at once; the process ends after the answer. */
  stop(message: string): Promise<void>;
  /** The same after `waitSeconds` in which the peers take other ways; resolves when it is over. */
  drain(request: DrainRequest): Promise<void>;
}

const message = z.string().max(255);
const stopRequest = z.strictObject({ message });
const drainRequest = z.strictObject({ message, waitSeconds: z.number().min(0).max(MAX_DRAIN_SECONDS) });

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
  {
    method: 'POST',
    path: '/v1/drain',
    // The answer comes when the drain is over.
    options: { timeout: { socket: false } },
    handler: async (request, h) => {
      await said(() => api.drain(parseBody(drainRequest, request.payload)));
      return h.response().code(202);
    },
  },
];
