import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import Hapi from '@hapi/hapi';
import { InvalidValueError } from '../model/invalid.ts';
import type { Logger } from '../runtime/logger.ts';

export interface ApiServer {
  close(): Promise<void>;
}

export interface ApiSettings {
  readonly socketPath: string;
  readonly socketMode: number;
  /** The setting that says where the socket is, for the sentence where it cannot be there. */
  readonly setBy: string;
}

/** Listens on the unix socket; throws one sentence where another agent already answers there. */
export async function startApi(
  settings: ApiSettings,
  routes: readonly Hapi.ServerRoute[],
  log: Logger,
): Promise<ApiServer> {
  makeDirectory(dirname(settings.socketPath), settings.setBy);
  if (await answers(settings.socketPath)) {
    throw new Error(`another calico-node-ts already runs here: it answers on ${settings.socketPath}`);
  }
  rmSync(settings.socketPath, { force: true });
  const server = Hapi.server({ port: settings.socketPath });
  server.route([...routes]);
  server.ext('onPreResponse', (request, h) => {
    if (request.response instanceof Error && !request.response.isServer) return h.continue;
    if (request.response instanceof Error) log.error({ error: request.response, path: request.path }, 'request failed');
    return h.continue;
  });
  await server.start();
  chmodSync(settings.socketPath, settings.socketMode);
  return { close: () => server.stop({ timeout: 1000 }) };
}

function makeDirectory(path: string, setBy: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new InvalidValueError(setBy, path, `cannot be made: ${(error as Error).message}`);
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
