/** HTTP over TCP, for who is not on the agent's socket. */
import type { ServerRoute } from '@hapi/hapi';
import { InvalidValueError } from '../model/invalid.ts';
import { startWakingServer } from './waking-server.ts';
import type { ListeningServer } from './waking-server.ts';

export interface TcpPlace {
  /** An address or a name of this host; `localhost` is 127.0.0.1. Absent: every address. */
  readonly host?: string;
  readonly port: number;
}

/** The settings that say where, for the sentence about what is wrong with them. */
export interface TcpSettingNames {
  readonly host: string;
  readonly port: string;
}

/** Throws one sentence, with the setting in it, where it cannot listen. */
export async function startTcpServer(
  place: TcpPlace,
  routes: readonly ServerRoute[],
  names: TcpSettingNames,
): Promise<ListeningServer> {
  const { host, port } = place;
  // A name may stand for ::1 first, where whoever asks 127.0.0.1 would find nobody.
  const address = host === 'localhost' ? '127.0.0.1' : host;
  return startWakingServer({ port, ...(address !== undefined && { host: address }) }, (hapi) => {
    hapi.route([...routes]);
  }).catch((error: unknown) => {
    throw refused(place, error as NodeJS.ErrnoException, names);
  });
}

function refused(
  { host = 'every address', port }: TcpPlace,
  { code, message }: NodeJS.ErrnoException,
  names: TcpSettingNames,
): Error {
  if (code === 'EADDRINUSE') {
    return new InvalidValueError(names.port, String(port), `is taken at ${host}: another program listens there`);
  }
  if (code === 'EACCES') {
    return new InvalidValueError(names.port, String(port), 'may be listened on by root only');
  }
  return new InvalidValueError(names.host, host, `cannot be listened on: ${message}`);
}
