import { createSocket } from 'node:dgram';
import { parseIpAddress } from '../model/ip.ts';
import type { IpAddress } from '../model/ip.ts';

/** The source address the kernel would use towards `destination` (name or address): a UDP connect, no packet is sent. */
export function sourceTowards(destination: string): Promise<IpAddress | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (address: IpAddress | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => done(undefined));
    socket.connect(80, destination, () => done(parseIpAddress(socket.address().address)));
  });
}
