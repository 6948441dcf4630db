/** BFD's datagrams through the kernel: RFC 5881 §4 and §5, RFC 5883 §5. Errors come up as sentences. */
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { Libc, Received } from './libc.ts';
import { SystemError } from '../../src/linux/libc.ts';
import type { Datagram, Hops, Network, Path, PathTarget } from './network.ts';

const PORT: Readonly<Record<Hops, number>> = { 'single hop': 3784, multihop: 4784 };
const TTL = 255;
/** CS6, network control: as other routing protocols. */
const TRAFFIC_CLASS = 0xc0;
/** RFC 5881 §4. */
const SOURCE_PORTS = { first: 49152, count: 16384 };
const SOURCE_PORT_ATTEMPTS = 16;
/** A flood must not keep the timers from being looked at for ever. */
const DATAGRAMS_PER_TURN = 4096;
/** A halt of some hundred milliseconds shall lose nothing. */
const RECEIVE_BUFFER_OCTETS = 1 << 20;

const SOL_SOCKET = 1;
const SO = { receiveBuffer: 8, bindToDevice: 25 };
const IP = { level: 0, tos: 1, ttl: 2, packetInfo: 8, receiveTtl: 12 };
const IPV6 = { level: 41, unicastHops: 16, only: 26, receivePacketInfo: 49, receiveHopLimit: 51, trafficClass: 67 };
/** What recvmsg brings along: type, and the offset of the interface index in struct in_pktinfo and in6_pktinfo. */
const CONTROL = {
  4: { ttl: 2, packetInfo: 8, interfaceIndexAt: 0 },
  6: { ttl: 52, packetInfo: 50, interfaceIndexAt: 16 },
};

interface Listener {
  readonly fd: number;
  readonly family: IpFamily;
  readonly hops: Hops;
  users: number;
}

export class UdpNetwork implements Network {
  readonly #libc: Libc;
  readonly #random: Random;
  readonly #receive: (datagram: Datagram) => void;
  readonly #listeners = new Map<string, Listener>();
  readonly #sockets = new Set<number>();

  constructor(libc: Libc, random: Random, receive: (datagram: Datagram) => void) {
    this.#libc = libc;
    this.#random = random;
    this.#receive = receive;
  }

  open(target: PathTarget): Path {
    const listener = this.#listener(target.peer.family, target.hops);
    listener.users++;
    try {
      const path = this.#path(target);
      return { ...path, close: () => this.#closePath(path, listener) };
    } catch (error) {
      this.#release(listener);
      throw error;
    }
  }

  /** Where datagrams come in. */
  get descriptors(): readonly number[] {
    return [...this.#listeners.values()].map(({ fd }) => fd);
  }

  readWaiting(): void {
    for (const listener of [...this.#listeners.values()]) this.#drain(listener);
  }

  /** Where the thread ends by a fault of ours: its descriptors are the process's and would keep the ports. */
  closeAll(): void {
    for (const fd of [...this.#sockets]) this.#close(fd);
  }

  #closePath(path: Path, listener: Listener): void {
    path.close();
    this.#release(listener);
  }

  #drain(listener: Listener): void {
    for (let read = 0; read < DATAGRAMS_PER_TURN && listener.users > 0; read++) {
      const received = this.#libc.receive(listener.fd);
      if (received === undefined) return;
      const datagram = datagramOf(received, listener);
      if (datagram !== undefined) this.#receive(datagram);
    }
  }

  /** One socket for all sessions of a family and a kind. */
  #listener(family: IpFamily, hops: Hops): Listener {
    const key = `${family} ${hops}`;
    const present = this.#listeners.get(key);
    if (present !== undefined) return present;
    const fd = this.#udpSocket(family, (socket) => {
      const set = this.#optionsOf(socket);
      set(SOL_SOCKET, SO.receiveBuffer, RECEIVE_BUFFER_OCTETS);
      if (family === 4) {
        set(IP.level, IP.receiveTtl, 1);
        set(IP.level, IP.packetInfo, 1);
      } else {
        set(IPV6.level, IPV6.only, 1);
        set(IPV6.level, IPV6.receiveHopLimit, 1);
        set(IPV6.level, IPV6.receivePacketInfo, 1);
      }
      inWords(() => this.#libc.bind(socket, socketAddress(anyAddress(family), PORT[hops], 0)), {
        EADDRINUSE: `UDP port ${PORT[hops]} is in use by another process`,
        EACCES: `UDP port ${PORT[hops]} may not be opened by this user`,
      });
    });
    const listener: Listener = { fd, family, hops, users: 0 };
    this.#listeners.set(key, listener);
    return listener;
  }

  #release(listener: Listener): void {
    listener.users--;
    if (listener.users > 0) return;
    this.#listeners.delete(`${listener.family} ${listener.hops}`);
    this.#close(listener.fd);
  }

  #path(target: PathTarget): Path {
    const { peer, hops, interface: link } = target;
    const interfaceIndex = link === undefined ? undefined : this.#interfaceIndex(link);
    const to = socketAddress(peer, PORT[hops], interfaceIndex ?? 0);
    let sourcePort = 0;
    const fd = this.#udpSocket(peer.family, (socket) => {
      const set = this.#optionsOf(socket);
      // Nobody speaks to this port, and whoever does is not heard.
      set(SOL_SOCKET, SO.receiveBuffer, 0);
      const { level, ttl, trafficClass } =
        peer.family === 4
          ? { level: IP.level, ttl: IP.ttl, trafficClass: IP.tos }
          : { level: IPV6.level, ttl: IPV6.unicastHops, trafficClass: IPV6.trafficClass };
      set(level, ttl, TTL);
      set(level, trafficClass, TRAFFIC_CLASS);
      if (link !== undefined) set(SOL_SOCKET, SO.bindToDevice, link);
      sourcePort = this.#bindSource(socket, target, interfaceIndex ?? 0);
    });
    return {
      interfaceIndex,
      sourcePort,
      send: (octets) => inWords(() => this.#libc.send(fd, octets, to), SEND_WORDS),
      close: () => this.#close(fd),
    };
  }

  /** RFC 5881 §4: a source port of the session's own, the same for all its packets. */
  #bindSource(fd: number, { peer, localAddress, sourcePort }: PathTarget, interfaceIndex: number): number {
    const address = localAddress ?? anyAddress(peer.family);
    const words = { EADDRNOTAVAIL: `${formatIpAddress(address)} is not an address of this machine` };
    for (let attempt = 1; ; attempt++) {
      const port =
        attempt === 1 && sourcePort !== undefined
          ? sourcePort
          : SOURCE_PORTS.first + Math.floor(this.#random() * SOURCE_PORTS.count);
      try {
        inWords(() => this.#libc.bind(fd, socketAddress(address, port, interfaceIndex)), words);
        return port;
      } catch (error) {
        const isTaken = error instanceof SystemError && error.code === 'EADDRINUSE';
        if (!isTaken || attempt === SOURCE_PORT_ATTEMPTS) throw error;
      }
    }
  }

  #interfaceIndex(name: string): number {
    const index = this.#libc.interfaceIndex(name);
    if (index === 0) throw new Error(`there is no interface ${name}`);
    return index;
  }

  #optionsOf(fd: number): (level: number, name: number, value: number | string) => void {
    return (level, name, value) => this.#libc.setOption(fd, { level, name, value });
  }

  #udpSocket(family: IpFamily, prepare: (fd: number) => void): number {
    const fd = this.#libc.udpSocket(family);
    this.#sockets.add(fd);
    try {
      prepare(fd);
      return fd;
    } catch (error) {
      this.#close(fd);
      throw error;
    }
  }

  #close(fd: number): void {
    if (this.#sockets.delete(fd)) this.#libc.close(fd);
  }
}

const SEND_WORDS: Readonly<Record<string, string>> = {
  ENETUNREACH: 'no route to the peer (network unreachable)',
  EHOSTUNREACH: 'no route to the peer (host unreachable)',
  ENETDOWN: 'the interface is down',
  ENODEV: 'the interface is gone',
  EPERM: 'a firewall rule of this machine refuses our packets',
};

/** The kernel's error as a sentence where we have one; else as it is. */
function inWords<T>(call: () => T, words: Readonly<Record<string, string>>): T {
  try {
    return call();
  } catch (error) {
    const text = error instanceof SystemError ? words[error.code] : undefined;
    throw text === undefined ? error : new Error(text, { cause: error });
  }
}

const anyAddress = (family: IpFamily): IpAddress => ({ family, words: family === 4 ? [0] : [0, 0, 0, 0] });

/** struct sockaddr_in or sockaddr_in6. The scope counts for link-local addresses alone. */
function socketAddress({ family, words }: IpAddress, port: number, scope: number): Uint8Array {
  const octets = new Uint8Array(family === 4 ? 16 : 28);
  const view = new DataView(octets.buffer);
  view.setUint16(0, family === 4 ? 2 : 10, true);
  view.setUint16(2, port);
  const at = family === 4 ? 4 : 8;
  for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word);
  if (family === 6 && (words[0]! & 0xffc0_0000) >>> 0 === 0xfe80_0000) view.setUint32(24, scope, true);
  return octets;
}

/** Undefined where the kernel did not say what was asked for. */
function datagramOf({ octets, source, control }: Received, { family, hops }: Listener): Datagram | undefined {
  let ttl: number | undefined;
  let interfaceIndex = 0;
  for (const { type, at } of controlMessages(control)) {
    if (type === CONTROL[family].ttl) ttl = control.getInt32(at, true);
    if (type === CONTROL[family].packetInfo) {
      interfaceIndex = control.getInt32(at + CONTROL[family].interfaceIndexAt, true);
    }
  }
  if (ttl === undefined || source.byteLength < (family === 4 ? 16 : 28)) return undefined;
  return { octets, source: addressOf(source, family), interfaceIndex, ttl, hops };
}

/** struct cmsghdr: length, level, type, and what `at` points to. */
function* controlMessages(control: DataView): Generator<{ readonly type: number; readonly at: number }> {
  const header = 16;
  for (let at = 0; at + header <= control.byteLength;) {
    const length = Number(control.getBigUint64(at, true));
    if (length < header) return;
    yield { type: control.getInt32(at + 12, true), at: at + header };
    at += (length + 7) & ~7;
  }
}

function addressOf(source: DataView, family: IpFamily): IpAddress {
  if (family === 4) return { family, words: [source.getUint32(4)] };
  return { family, words: [8, 12, 16, 20].map((at) => source.getUint32(at)) };
}
