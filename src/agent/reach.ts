import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { parseIpAddress } from '../model/ip.ts';
import type { SpeakerSettings } from '../../bird/index.ts';
import type { IpAddress, IpFamily } from '../model/ip.ts';

/** The source address the kernel would use towards `destination` (name or address): a UDP connect, no packet is sent. */
export function sourceTowards(destination: string, family: IpFamily): Promise<IpAddress | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    const done = (address: IpAddress | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => done(undefined));
    // Of a link-local address the system tells the interface, too: `fe80::1%eth0`.
    socket.once('connect', () => done(parseIpAddress(socket.address().address.split('%')[0]!)));
    // No callback: one would be called for a failure, too, and the error not be emitted.
    socket.connect(80, destination);
  });
}

/** False where the kernel was started without it (ipv6.disable=1). */
export const hostHasIpv6 = (): boolean => existsSync('/proc/net/if_inet6');

/** In the network namespace that we run in. */
export const hasInterface = (name: string): boolean => existsSync(`/sys/class/net/${name}`);

/** Throws one sentence where nobody can listen at one of these places now; asked before anything is written anywhere. */
export async function checkPortsAreFree(places: SpeakerSettings['listen']): Promise<void> {
  for (const { address, port } of places) await listenOnce({ port, host: address, ipv6Only: true });
}

function listenOnce(place: { readonly port: number; readonly host: string; readonly ipv6Only: true }): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // The node's address as it was stored; what it has now is not known yet.
      if (error.code === 'EADDRNOTAVAIL') resolve();
      else reject(new Error(sentence(place.port, error)));
    });
    server.listen(place, () => server.close(() => resolve()));
  });
}

function sentence(port: number, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE')
    return `port ${port} is in use by another process on this host (BGPConfiguration.spec.listenPort)`;
  if (code === 'EACCES') return `port ${port} needs root or CAP_NET_BIND_SERVICE`;
  return `cannot listen on port ${port}: ${message}`;
}
