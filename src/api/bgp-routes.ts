/** The half of the API that a speaker alone serves too: sessions and paths. */
import type { ServerRoute } from '@hapi/hapi';
import * as z from 'zod';
import { MAX_DRAIN_SECONDS } from './contract.ts';
import type {
  AdvertisementReport,
  PeerExplainReport,
  PeerReport,
  RouteChoice,
  RouteExplainReport,
  TableReport,
} from './bgp-contract.ts';
import type { DrainRequest, PathReport, SpeakerStatus } from './contract.ts';
import { parseBody, said } from './request-body.ts';

/** What is asked of sessions and tables. Texts are as they came; a wrong one is an InvalidValueError. */
export interface BgpQuestions {
  peers(): readonly PeerReport[];
  peer(address: string): PeerReport;
  explainPeer(address: string): PeerExplainReport;
  tables(): readonly TableReport[];
  paths(which: RouteChoice, peer: string | undefined): readonly PathReport[];
  advertised(peer: string | undefined): readonly AdvertisementReport[];
  explainRoute(prefix: string): RouteExplainReport;
  /** Ends the session with Cease/Administrative Reset; it comes back at once. */
  resetPeer(address: string, message: string): void;
  /** Asks for everything again, in the families that it returns. RFC 2918. */
  refreshPeer(address: string): readonly string[];
}

export interface BgpApi {
  status(): SpeakerStatus;
  readonly bgp: BgpQuestions;
  /** Leaves the routing for good: peers withdraw at once; the process ends after the answer. */
  stop(message: string): Promise<void>;
  /** The same after `waitSeconds` in which the peers take other ways; resolves when it is over. */
  drain(request: DrainRequest): Promise<void>;
}

/** Of RFC 9003. */
const message = z.string().max(255, 'is longer than 255 characters');
const stopRequest = z.strictObject({ message });
const drainRequest = z.strictObject({ message, waitSeconds: z.number().min(0).max(MAX_DRAIN_SECONDS) });

export const bgpRoutes = (api: BgpApi): readonly ServerRoute[] => [
  { method: 'GET', path: '/v1/status', handler: () => api.status() },
  ...questions(api.bgp),
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

const routesQuery = z.strictObject({
  which: z.enum(['all', 'received', 'accepted', 'best']).default('all'),
  peer: z.string().optional(),
});
const peerQuery = z.strictObject({ peer: z.string().optional() });
const prefixQuery = z.strictObject({ prefix: z.string() });

const questions = (bgp: BgpQuestions): readonly ServerRoute[] => [
  {
    method: 'GET',
    path: '/v1/bgp/routes',
    handler: ({ query }) =>
      said(() => {
        const { which, peer } = parseBody(routesQuery, query);
        return [...bgp.paths(which, peer)];
      }),
  },
  {
    method: 'GET',
    path: '/v1/bgp/advertised',
    handler: ({ query }) => said(() => [...bgp.advertised(parseBody(peerQuery, query).peer)]),
  },
  {
    method: 'GET',
    path: '/v1/bgp/explain',
    handler: ({ query }) => said(() => bgp.explainRoute(parseBody(prefixQuery, query).prefix)),
  },
  { method: 'GET', path: '/v1/bgp/tables', handler: () => [...bgp.tables()] },
  { method: 'GET', path: '/v1/bgp/peers', handler: () => [...bgp.peers()] },
  { method: 'GET', path: '/v1/bgp/peers/{address}', handler: ({ params }) => said(() => bgp.peer(addressIn(params))) },
  {
    method: 'GET',
    path: '/v1/bgp/peers/{address}/explain',
    handler: ({ params }) => said(() => bgp.explainPeer(addressIn(params))),
  },
  {
    method: 'POST',
    path: '/v1/bgp/peers/{address}/reset',
    handler: async ({ params, payload }, h) => {
      await said(() => bgp.resetPeer(addressIn(params), parseBody(stopRequest, payload).message));
      return h.response().code(202);
    },
  },
  {
    method: 'POST',
    path: '/v1/bgp/peers/{address}/refresh',
    handler: ({ params }) => said(() => ({ families: bgp.refreshPeer(addressIn(params)) })),
  },
];

const addressIn = (params: Readonly<Record<string, unknown>>): string => String(params['address']);
