import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type Hapi from '@hapi/hapi';
import { systemClock } from '../runtime/clock.ts';
import { http } from './node-http.ts';

/** A unix socket, or TCP; without a host, every address. */
export type ListenPlace = { readonly path: string } | { readonly port: number; readonly host?: string };

export interface ListeningServer {
  /** Of TCP; 0 on a unix socket. */
  readonly port: number;
  /** Whoever waits for an answer gets it, for a second. */
  close(): Promise<void>;
}

const STOP_MS = 1000;

/**
 * Listens at once, and has hapi only from the first request on: loading it takes 70 ms and 15 MB, and on most nodes nobody
 * asks for hours. `prepare` gives it its routes. Rejects with Node's error where it cannot listen.
 */
export async function startWakingServer(
  place: ListenPlace,
  prepare: (hapi: Hapi.Server) => void,
): Promise<ListeningServer> {
  const listener = http.createServer();
  let hapi: Promise<Hapi.Server> | undefined;
  const early: [IncomingMessage, ServerResponse][] = [];
  const onEarly = (request: IncomingMessage, response: ServerResponse): void => {
    early.push([request, response]);
    hapi ??= wake(listener, prepare).then((awake) => {
      listener.off('request', onEarly);
      // hapi listens to the same event, and takes these for new ones.
      for (const [one, answer] of early.splice(0)) listener.emit('request', one, answer);
      return awake;
    });
    // Without hapi nobody can be answered.
    hapi.catch((error: unknown) => void response.destroy(error as Error));
  };
  listener.on('request', onEarly);
  await listening(listener, place);
  const address = listener.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    close: () => close(listener, hapi),
  };
}

async function wake(listener: Server, prepare: (hapi: Hapi.Server) => void): Promise<Hapi.Server> {
  const { default: hapi } = await import('@hapi/hapi');
  const server = hapi.server({ listener, autoListen: false });
  prepare(server);
  await server.start();
  // hapi waits for this, and keeps account of connections from then on; for Node it is nothing new.
  listener.emit('listening');
  return server;
}

async function close(listener: Server, hapi: Promise<Hapi.Server> | undefined): Promise<void> {
  // hapi does not know the connections from before it was there.
  const cancel = systemClock.after(STOP_MS, () => listener.closeAllConnections());
  const server = await hapi?.catch(() => undefined);
  await (server === undefined
    ? new Promise<void>((resolve) => void listener.close(() => resolve()))
    : server.stop({ timeout: STOP_MS }));
  cancel();
}

function listening(listener: Server, place: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(place, () => {
      listener.off('error', reject);
      resolve();
    });
  });
}
