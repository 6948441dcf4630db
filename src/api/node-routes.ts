/** The half of the API that needs a datastore and a kernel: routes as programmed, and pods. */
import Boom from '@hapi/boom';
import type { ServerRoute } from '@hapi/hapi';
import * as z from 'zod';
import type { PodRequest, PodResult, RouteReport, SettingReport } from './contract.ts';
import { parseBody, said } from './request-body.ts';

export interface NodeApi {
  routes(): readonly RouteReport[];
  settings(): readonly SettingReport[];
  addPod(request: PodRequest): Promise<PodResult>;
  removePod(containerId: string): Promise<void>;
}

const podRequest = z.strictObject({
  containerId: z.string().regex(/^[a-zA-Z0-9][\w.-]*$/),
  netns: z.string().startsWith('/'),
  interfaceName: z.string().regex(/^[^\s/]{1,15}$/),
  podNamespace: z.string().min(1),
  podName: z.string().min(1),
});

const ROUTES = { method: 'GET', path: '/v1/routes' } as const;
const SETTINGS = { method: 'GET', path: '/v1/settings' } as const;
const ADD_POD = { method: 'POST', path: '/v1/pods' } as const;
const REMOVE_POD = { method: 'DELETE', path: '/v1/pods/{containerId}' } as const;

export const nodeRoutes = (api: NodeApi): readonly ServerRoute[] => [
  { ...ROUTES, handler: () => [...api.routes()] },
  { ...SETTINGS, handler: () => [...api.settings()] },
  { ...ADD_POD, handler: (request) => said(() => api.addPod(parseBody(podRequest, request.payload))) },
  {
    ...REMOVE_POD,
    handler: async (request, h) => {
      await said(() => api.removePod(String(request.params['containerId'])));
      return h.response().code(204);
    },
  },
];

/** In their place where there is no node around the speaker: each says `sentence`. */
export const noNodeRoutes = (sentence: string): readonly ServerRoute[] =>
  [ROUTES, SETTINGS, ADD_POD, REMOVE_POD].map((at) => ({
    ...at,
    handler: () => {
      throw Boom.notFound(sentence);
    },
  }));
