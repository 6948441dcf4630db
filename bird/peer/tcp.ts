/** TCP on Linux: sockets made by system calls, with every option set before they connect; then node:net has them. */
import { Socket } from 'node:net';
import { loadLibc } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import { FailedConnection, TcpConnection } from './tcp-connection.ts';
import { openListener } from './tcp-listener.ts';
import { openTarget, SocketRefused } from './tcp-socket.ts';
import type { Connection, Target, Transport } from './transport.ts';

/** `load` gives the system calls, and is asked when the first is due; where it throws, no connection is made. */
export function createTcpTransport(load: () => Libc): Transport {
  let loaded: Libc | undefined;
  const libc = (): Libc => (loaded ??= load());
  return {
    connect: (target) => connect(libc, target),
    listen: async (at, accept) => openListener(libc(), at, accept),
  };
}

export const tcpTransport: Transport = createTcpTransport(loadLibc);

function connect(load: () => Libc, target: Target): Connection {
  try {
    const libc = load();
    return dial(libc, openTarget(libc, target), target);
  } catch (error) {
    const { message } = error as Error;
    return new FailedConnection(target, error instanceof SocketRefused ? error.reason : { text: message });
  }
}

/**
 * libuv connects the socket that it is given, so success, failure and a destroy meanwhile are Node's as everywhere. The
 * address goes without its interface, which the socket is bound to: Node takes `fe80::1%eth_0` for a host name.
 */
function dial(libc: Libc, fd: number, target: Target): Connection {
  const socket = wrapped(libc, fd);
  const { address, port } = target;
  const connection = new TcpConnection(libc, socket, { address, interface: target.interface });
  socket.connect({ host: formatIpAddress(address), port });
  return connection;
}

function wrapped(libc: Libc, fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true });
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
