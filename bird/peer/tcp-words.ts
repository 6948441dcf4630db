/** Error numbers of TCP in words that name the cause. Pure. */
import { errnoText } from '../../src/linux/errno.ts';
import type { SystemError } from '../../src/linux/libc.ts';
import type { SocketOption } from './tcp-options.ts';
import type { CloseReason } from './transport.ts';

/** Why a connection that was made, or was being made, is not. */
export function closeReason(error: NodeJS.ErrnoException): CloseReason {
  const { code, errno } = error;
  if (code === undefined) return { text: error.message };
  return {
    text: CONNECTION_WORDS.get(code) ?? (errno === undefined ? error.message : errnoText(Math.abs(errno))),
    errno: code,
  };
}

const CONNECTION_WORDS = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['EHOSTUNREACH', 'no route to the peer (host unreachable)'],
  ['ENETUNREACH', 'no route to the peer (network unreachable)'],
  ['ECONNRESET', 'the peer reset the connection'],
  ['EPIPE', 'the peer reset the connection'],
  ['EADDRNOTAVAIL', 'the source address is not an address of this machine'],
  ['EACCES', 'a rule of this machine refuses the connection (EACCES)'],
  ['EPERM', 'a rule of this machine refuses the connection (EPERM)'],
]);

/** The kernel does not take an option. Nothing is done without it, and whoever reads this learns which. */
export function optionRefusal({ what }: SocketOption, { code, errno }: SystemError): CloseReason {
  return { text: optionWords(what, code) ?? `the kernel refuses ${what}: ${errnoText(errno)}`, errno: code };
}

function optionWords(what: string, code: string): string | undefined {
  if (what.startsWith('interface ')) return code === 'ENODEV' ? `there is no ${what}` : undefined;
  if (code === 'ENOPROTOOPT') return `this kernel has no ${what}`;
  if (code === 'ENOMEM' && what.startsWith('TCP-MD5')) {
    return `the kernel has no room for another key of ${what}: sysctl net.core.optmem_max is too small`;
  }
  return undefined;
}

export function listenWords(code: string | undefined, address: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use by another process`;
    case 'EACCES':
      return `port ${port} on ${address} may not be opened without root or CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine, so BGP cannot listen on its port ${port}`;
    default:
      return undefined;
  }
}
