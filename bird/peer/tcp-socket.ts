/** Sockets that Node cannot make: with options before they connect or listen. Every fd is closed where a step fails. */
import { SYS, SystemError } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { isIpv6LinkLocal, parseIpAddress } from '../../src/model/ip.ts';
import {
  deviceOption,
  interfaceFault,
  IPV6_ONLY,
  LATE_PORT,
  linkFault,
  linkOptions,
  listenerTtl,
  plainOptions,
  REUSE_ADDRESS,
  SAVED_SYN,
  socketAddress,
} from './tcp-options.ts';
import type { SocketOption } from './tcp-options.ts';
import { closeReason, listenWords, optionRefusal } from './tcp-words.ts';
import type { CloseReason, ListenAt, Target } from './transport.ts';

/** The reason why a socket cannot be had as it must be. */
export class SocketRefused extends Error {
  override readonly name = 'SocketRefused';
  readonly reason: CloseReason;

  constructor(reason: CloseReason, options?: ErrorOptions) {
    super(reason.text, options);
    this.reason = reason;
  }
}

/** A socket for `target`, bound and protected, not connected yet. Throws SocketRefused. */
export function openTarget(libc: Libc, target: Target): number {
  const { address, localAddress } = target;
  const fault = targetFault(target);
  if (fault !== undefined) throw new SocketRefused({ text: fault });
  return opened(libc, address.family, (fd) => {
    setOptions(libc, fd, [
      ...plainOptions(address.family),
      ...(target.interface === undefined ? [] : [deviceOption(target.interface)]),
      ...linkOptions(address, target),
    ]);
    if (localAddress === undefined) return;
    setOptions(libc, fd, [LATE_PORT]);
    named(() => libc.bind(fd, socketAddress(localAddress, 0)), closeReason);
  });
}

function targetFault(target: Target): string | undefined {
  const { address, localAddress } = target;
  if (isIpv6LinkLocal(address) && target.interface === undefined) return 'a link-local address needs an interface';
  if (localAddress !== undefined && localAddress.family !== address.family) {
    return `the source address is IPv${localAddress.family}, and the peer is IPv${address.family}`;
  }
  return interfaceFault(target.interface) ?? linkFault(target);
}

/** A bound socket that is not listening yet, so that keys can be set before anybody is let in. Throws SocketRefused. */
export function openListening(libc: Libc, at: ListenAt): number {
  const address = parseIpAddress(at.address, 'listen');
  const { family } = address;
  const fault = interfaceFault(at.interface);
  if (fault !== undefined) throw new SocketRefused({ text: fault });
  return opened(libc, family, (fd) => {
    setOptions(libc, fd, [
      REUSE_ADDRESS,
      ...(family === 6 ? [IPV6_ONLY] : []),
      ...plainOptions(family),
      listenerTtl(family),
      ...(at.interface === undefined ? [] : [deviceOption(at.interface)]),
    ]);
    named(
      () => libc.bind(fd, socketAddress(address, at.port)),
      (error) => listenReason(error, at),
    );
  });
}

export function listenReason(error: NodeJS.ErrnoException, { address, port }: ListenAt): CloseReason {
  const text =
    listenWords(error.code, address, port) ?? `port ${port} on ${address} cannot be opened: ${error.message}`;
  return { text, ...(error.code !== undefined && { errno: error.code }) };
}

/** In this order, until the kernel refuses one: throws SocketRefused. */
export function setOptions(libc: Libc, fd: number, options: readonly SocketOption[]): void {
  for (const option of options) {
    named(
      () => libc.setSocketOption(fd, option),
      (error) => optionRefusal(option, error),
    );
  }
}

/** The header of the SYN that made a connection; empty where the kernel has none (SYN cookies, or one before Linux 4.2). */
export function savedSyn(libc: Libc, fd: number): Uint8Array {
  try {
    return libc.getSocketOption(fd, { ...SAVED_SYN, octets: SYN_OCTETS });
  } catch (error) {
    if (error instanceof SystemError) return new Uint8Array();
    throw error;
  }
}

/** IP and TCP with all their options are shorter, but for IPv6 extension headers, which nobody sends with a SYN. */
const SYN_OCTETS = 512;

function opened(libc: Libc, family: IpFamily, prepare: (fd: number) => void): number {
  const type = SYS.socketStream | SYS.socketCloseOnExec | SYS.socketNonBlocking;
  const domain = family === 4 ? SYS.familyIpv4 : SYS.familyIpv6;
  const fd = named(() => libc.socket(domain, type, 0), closeReason);
  try {
    prepare(fd);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return fd;
}

function named<T>(call: () => T, reasonOf: (error: SystemError) => CloseReason): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) throw new SocketRefused(reasonOf(error), { cause: error });
    throw error;
  }
}
