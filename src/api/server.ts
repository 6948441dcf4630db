import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import Boom from '@hapi/boom';
import Hapi from '@hapi/hapi';
import { z } from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import type { Logger } from '../runtime/logger.ts';
import { MAX_DRAIN_SECONDS } from './contract.ts';
import type { DrainRequest, NodeStatus, PathReport, PodRequest, PodResult, RouteReport } from './contract.ts';

/** What the agent lets the world ask of it. */
export interface AgentApi {
  status(): NodeStatus;
  routes(): readonly RouteReport[];
  paths(): readonly PathReport[];
  addPod(request: PodRequest): Promise<PodResult>;
  removePod(containerId: string): Promise<void>;
  /** Leaves the cluster's routing: peers withdraw at once; the process ends after the answer. */
  stop(message: string): Promise<void>;
  /** The same after `waitSeconds` in which the peers take other ways; resolves when it is over. */
  drain(request: DrainRequest): Promise<void>;
}

export interface ApiServer {
  close(): Promise<void>;
}

const podRequest = z.strictObject({
  containerId: z.string().regex(/^[a-zA-Z0-9][\w.-]*$/),
  netns: z.string().startsWith('/'),
  interfaceName: z.string().regex(/^[^\s/]{1,15}$/),
  podNamespace: z.string().min(1),
  podName: z.string().min(1),
});

const message = z.string().max(255);
const stopRequest = z.strictObject({ message });
const drainRequest = z.strictObject({ message, waitSeconds: z.number().min(0).max(MAX_DRAIN_SECONDS) });

export interface ApiSettings {
  readonly socketPath: string;
  readonly socketMode: number;
}

/** Listens on the unix socket; throws one sentence where another agent already answers there. */
export async function startApi(settings: ApiSettings, api: AgentApi, log: Logger): Promise<ApiServer> {
  makeDirectory(dirname(settings.socketPath));
  if (await answers(settings.socketPath)) {
    throw new Error(`another calico-node-ts already runs here: it answers on ${settings.socketPath}`);
  }
  rmSync(settings.socketPath, { force: true });
  const server = Hapi.server({ port: settings.socketPath });
  server.route(routes(api));
  server.ext('onPreResponse', (request, h) => {
    if (request.response instanceof Error && !request.response.isServer) return h.continue;
    if (request.response instanceof Error) log.error({ error: request.response, path: request.path }, 'request failed');
    return h.continue;
  });
  await server.start();
  chmodSync(settings.socketPath, settings.socketMode);
  return { close: () => server.stop({ timeout: 1000 }) };
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new InvalidValueError('CALICO_RUN_DIR', path, `cannot be made: ${(error as Error).message}`);
  }
}

function routes(api: AgentApi): Hapi.ServerRoute[] {
  return [
    { method: 'GET', path: '/v1/status', handler: () => api.status() },
    { method: 'GET', path: '/v1/routes', handler: () => [...api.routes()] },
    { method: 'GET', path: '/v1/bgp/routes', handler: () => [...api.paths()] },
    {
      method: 'POST',
      path: '/v1/pods',
      handler: (request) => said(() => api.addPod(parse(podRequest, request.payload))),
    },
    {
      method: 'DELETE',
      path: '/v1/pods/{containerId}',
      handler: async (request, h) => {
        await said(() => api.removePod(String(request.params['containerId'])));
        return h.response().code(204);
      },
    },
    {
      method: 'POST',
      path: '/v1/stop',
      handler: async (request, h) => {
        await said(() => api.stop(parse(stopRequest, request.payload).message));
        return h.response().code(202);
      },
    },
    {
      method: 'POST',
      path: '/v1/drain',
      // The answer comes when the drain is over.
      options: { timeout: { socket: false } },
      handler: async (request, h) => {
        await said(() => api.drain(parse(drainRequest, request.payload)));
        return h.response().code(202);
      },
    },
  ];
}

/** The body as `schema` has it, or a 400 that names the field and the value. */
function parse<T>(schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.path.length === 0 && issue.code !== 'unrecognized_keys') {
    if (payload === null || payload === undefined) throw Boom.badRequest('the body is missing');
    throw new InvalidValueError('body', payload, 'is not an object');
  }
  const field = issue.code === 'unrecognized_keys' ? issue.keys[0]! : issue.path.join('.');
  const value = (payload as Readonly<Record<string, unknown>>)[field];
  if (value === undefined || value === null) throw Boom.badRequest(`${field} is missing`);
  throw new InvalidValueError(
    field,
    value,
    issue.code === 'unrecognized_keys' ? 'is not a field of the body' : issue.message,
  );
}

/** Failures of the work itself are told as they are: a sentence is of no use to anyone if it becomes "internal error". */
async function said<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidValueError) throw Boom.badRequest(error.message);
    if (Boom.isBoom(error)) throw error;
    const boom = Boom.boomify(error instanceof Error ? error : new Error(String(error)), { statusCode: 500 });
    boom.output.payload.message = boom.message;
    throw boom;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
