/**
 * The system calls of BFD that Node lacks, by koffi: a received TTL is in no message of node:dgram, and Linux has IP_MINTTL
 * for TCP alone (tried: UDP takes the option and lets TTL 254 through). Linux on x86-64 and arm64, little endian.
 */
import koffi from 'koffi';
import { errnoName } from '../../src/linux/errno.ts';
import { SystemError } from '../../src/linux/libc.ts';

const SYS = {
  familyIpv4: 2,
  familyIpv6: 10,
  socketDatagram: 2,
  socketCloseOnExec: 0o2000000,
  socketNonBlocking: 0o4000,
  messageDontWait: 0x40,
  priorityProcess: 0,
  eventFdCloseOnExec: 0o2000000,
  eventFdNonBlocking: 0o4000,
  pollIn: 1,
} as const;

/** What poll(2) takes. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
/** Of recvmsg: we have done something wrong. Whatever else it says (out of memory, news of an earlier packet) passes. */
const OUR_FAULTS = new Set(['EBADF', 'ENOTSOCK', 'EFAULT', 'EINVAL']);

/** Level and name of a socket option, and its value. */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
  readonly value: number | string;
}

/** One datagram as recvmsg(2) tells it. */
export interface Received {
  readonly octets: Uint8Array;
  /** struct sockaddr_in or sockaddr_in6. */
  readonly source: DataView;
  readonly control: DataView;
}

export interface Libc {
  /** A non-blocking UDP socket. */
  udpSocket(family: 4 | 6): number;
  setOption(fd: number, option: SocketOption): void;
  bind(fd: number, address: Uint8Array): void;
  send(fd: number, octets: Uint8Array, to: Uint8Array): void;
  /** Undefined where nothing waits; what it returns is good until the next call. */
  receive(fd: number): Received | undefined;
  close(fd: number): void;
  /** Returns when one of them has something to read, or after `ms` (Infinity: never), or sooner. */
  wait(fds: readonly number[], ms: number): void;
  /** A descriptor for `wait`, for one thread to wake another by. */
  eventFd(): number;
  wake(eventFd: number): void;
  /** Until the next `wake` there is nothing to read again. */
  calm(eventFd: number): void;
  /** 0 where there is no such interface. */
  interfaceIndex(name: string): number;
  /** Of the calling thread alone; -20 is the highest. */
  setPriority(nice: number): void;
}

type Call = (...values: readonly (number | string | bigint | Uint8Array)[]) => number;

export function loadLibc(): Libc {
  const library = koffi.load(null);
  const bound = (prototype: string): Call => {
    const call = library.func(prototype) as Call;
    const name = /(\w+)\(/.exec(prototype)![1]!;
    return (...values) => {
      const result = call(...values);
      if (result < 0) throw new SystemError(name, koffi.errno());
      return result;
    };
  };
  const socket = bound('int socket(int domain, int type, int protocol)');
  const setsockopt = bound('int setsockopt(int fd, int level, int name, const void *value, unsigned int size)');
  const bind = bound('int bind(int fd, const void *address, unsigned int size)');
  const sendto = bound(
    'long sendto(int fd, const void *data, unsigned long size, int flags, const void *to, unsigned int toSize)',
  );
  const close = bound('int close(int fd)');
  const eventfd = bound('int eventfd(unsigned int count, int flags)');
  const write = library.func('long write(int fd, const void *data, unsigned long size)') as Call;
  const read = library.func('long read(int fd, void *buffer, unsigned long size)') as Call;
  const poll = library.func('int poll(void *places, unsigned long count, int timeout)') as Call;
  const nametoindex = library.func('unsigned int if_nametoindex(const char *name)') as (name: string) => number;
  const setpriority = bound('int setpriority(int which, unsigned int who, int nice)');
  return {
    udpSocket: (family) =>
      socket(
        family === 4 ? SYS.familyIpv4 : SYS.familyIpv6,
        SYS.socketDatagram | SYS.socketCloseOnExec | SYS.socketNonBlocking,
        0,
      ),
    setOption: (fd, { level, name, value }) => {
      const octets = typeof value === 'string' ? Buffer.from(`${value}\0`) : Buffer.from(Int32Array.of(value).buffer);
      setsockopt(fd, level, name, octets, octets.length);
    },
    bind: (fd, address) => void bind(fd, address, address.length),
    send: (fd, octets, to) => void sendto(fd, octets, octets.length, SYS.messageDontWait, to, to.length),
    receive: receiver(library.func('long recvmsg(int fd, void *message, int flags)') as Call),
    close: (fd) => void close(fd),
    wait: (fds, ms) => {
      const places = pollPlaces(fds);
      const timeout = ms === Infinity ? -1 : Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(ms)));
      if (poll(places, fds.length, timeout) >= 0) return;
      const errno = koffi.errno();
      if (errnoName(errno) !== 'EINTR') throw new SystemError('poll', errno);
    },
    eventFd: () => eventfd(0, SYS.eventFdCloseOnExec | SYS.eventFdNonBlocking),
    wake: (fd) => void write(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8),
    calm: (fd) => void read(fd, new Uint8Array(8), 8),
    interfaceIndex: (name) => nametoindex(name),
    setPriority: (nice) => void setpriority(SYS.priorityProcess, 0, nice),
  };
}

/** struct pollfd, one after the other. */
function pollPlaces(fds: readonly number[]): Uint8Array {
  const octets = new Uint8Array(8 * fds.length);
  const view = new DataView(octets.buffer);
  for (const [i, fd] of fds.entries()) {
    view.setInt32(8 * i, fd, true);
    view.setInt16(8 * i + 4, SYS.pollIn, true);
  }
  return octets;
}

/** Where the parts of one message lie in memory that the kernel writes to. */
const PLACE = { header: 0, vector: 56, address: 72, control: 104, octets: 360, end: 872 } as const;
const HEADER = { addressLength: 8, controlLength: 40 } as const;

/** struct msghdr and all that it points to, laid out once. */
function receiver(recvmsg: Call): Libc['receive'] {
  const base = koffi.address(koffi.alloc('uint8_t', PLACE.end));
  const memory = koffi.view(base, PLACE.end);
  const header = new DataView(memory, PLACE.header, PLACE.vector);
  const vector = new DataView(memory, PLACE.vector, PLACE.address - PLACE.vector);
  const pointer = (place: number): bigint => base + BigInt(place);
  header.setBigUint64(0, pointer(PLACE.address), true);
  header.setBigUint64(16, pointer(PLACE.vector), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, pointer(PLACE.control), true);
  vector.setBigUint64(0, pointer(PLACE.octets), true);
  vector.setBigUint64(8, BigInt(PLACE.end - PLACE.octets), true);
  return (fd) => {
    header.setUint32(HEADER.addressLength, PLACE.control - PLACE.address, true);
    header.setBigUint64(HEADER.controlLength, BigInt(PLACE.octets - PLACE.control), true);
    const length = recvmsg(fd, base, SYS.messageDontWait);
    if (length < 0) {
      const errno = koffi.errno();
      if (OUR_FAULTS.has(errnoName(errno))) throw new SystemError('recvmsg', errno);
      return undefined;
    }
    return {
      octets: new Uint8Array(memory, PLACE.octets, length),
      source: new DataView(memory, PLACE.address, header.getUint32(HEADER.addressLength, true)),
      control: new DataView(memory, PLACE.control, Number(header.getBigUint64(HEADER.controlLength, true))),
    };
  };
}
