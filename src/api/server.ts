import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type Hapi from '@hapi/hapi';
import { InvalidValueError } from '../model/invalid.ts';
import type { Logger } from '../runtime/logger.ts';
import { startWakingServer } from './waking-server.ts';

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
  const server = await startWakingServer({ path: settings.socketPath }, (hapi) => {
    hapi.route([...routes]);
    hapi.ext('onPreResponse', (request, h) => {
      const { response } = request;
      if (response instanceof Error && response.isServer)
        log.error({ error: response, path: request.path }, 'request failed');
      return h.continue;
    });
  });
  chmodSync(settings.socketPath, settings.socketMode);
  return server;
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
