/** The system calls that Node lacks, by koffi, for bird and felix. Every failure of a call is a SystemError. */
import { createRequire } from 'node:module';
import type koffi from 'koffi';
import { errnoName, errnoText } from './errno.ts';

/** Numbers of Linux on x86-64 and arm64 (asm-generic). */
export const SYS = {
  familyIpv4: 2,
  familyIpv6: 10,
  socketStream: 1,
  socketDatagram: 2,
  socketRaw: 3,
  socketCloseOnExec: 0o2000000,
  socketNonBlocking: 0o4000,
  openReadOnly: 0,
  openCloseOnExec: 0o2000000,
  cloneNewNet: 0x40000000,
  solSocket: 1,
  soReuseAddress: 2,
  soSendBuffer: 7,
  soReceiveBuffer: 8,
  soReceiveTimeout: 20,
  soBindToDevice: 25,
  soReceiveBufferForce: 33,
  soAttachFilter: 26,
  messageTruncated: 0x20,
  eventFdCloseOnExec: 0o2000000,
  eventFdNonBlocking: 0o4000,
  pollIn: 1,
  adviceDontNeed: 4,
} as const;

/** A system call failed. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly call: string;
  readonly errno: number;
  /** `EINTR`, `ENOENT` */
  readonly code: string;

  constructor(call: string, errno: number) {
    super(`${call}: ${errnoText(errno)}`);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): void;
  /** To one destination, of a socket that is not connected. */
  sendTo(fd: number, data: Uint8Array, address: Uint8Array): void;
  /** Octets sent. */
  send(fd: number, data: Uint8Array): number;
  /** Octets that the datagram had, which are more than the buffer's where it was cut. */
  receive(fd: number, buffer: Uint8Array): number;
  /**
   * Both by a thread of libuv's pool, where the kernel may take its time. Of a failure only that there was one is known: it is
   * EIO.
   */
  sendApart(fd: number, data: Uint8Array): Promise<number>;
  receiveApart(fd: number, buffer: Uint8Array): Promise<number>;
  /** The same, with the sender's address (struct sockaddr_in or sockaddr_in6) in `from`. */
  receiveFrom(fd: number, buffer: Uint8Array, from: Uint8Array): number;
  setSocketOption(
    fd: number,
    option: { readonly level: number; readonly name: number; readonly value: Uint8Array },
  ): void;
  /** The first `octets` of its value, or all of a shorter one. */
  getSocketOption(
    fd: number,
    option: { readonly level: number; readonly name: number; readonly octets: number },
  ): Uint8Array;
  /** SIOC* of one interface whose struct ifreq points at `data`, which the kernel reads and may write. */
  interfaceRequest(
    fd: number,
    request: number,
    { name, data }: { readonly name: string; readonly data: Uint8Array },
  ): void;
  /** The address that the socket was bound to, `octets` of it at most. */
  socketName(fd: number, octets: number): Uint8Array;
  /** Only what a classic BPF program (struct sock_filter, one after the other) accepts reaches the socket. */
  attachFilter(fd: number, program: Uint8Array): void;
  /** For reading. */
  open(path: string): number;
  close(fd: number): void;
  /** adjtimex(2): fills the struct, changes nothing where `modes` in it is 0; gives the clock's state, TIME_ERROR is 5. */
  readClock(timex: Uint8Array): number;
  /** malloc_trim(3): gives free memory of malloc's back to the kernel. Nothing on musl, which has no such call. */
  trimHeap(): void;
  /**
   * madvise(2) with MADV_DONTNEED: what is mapped there is read anew when it is needed. Only for pages of a file that nobody wrote to, else what was
   * written is lost.
   */
  dropPages(address: number, octets: number): void;
  /** Moves the calling thread into another network namespace. */
  setNetns(fd: number): void;
  /** Sleeps until one of the descriptors has something to read; gives those that have, none where a signal came first. */
  waitToRead(fds: readonly number[]): readonly number[];
  /** A descriptor by which one thread wakes another from waitToRead. */
  eventFd(): number;
  wake(eventFd: number): void;
  /** Until the next `wake` there is nothing to read again. */
  calm(eventFd: number): void;
}

const EIO = 5;

type KoffiModule = typeof koffi;
type Value = number | string | Uint8Array;
type Call = (...values: readonly Value[]) => number;
type Apart = (...given: readonly (Value | ((error: Error | null, result: number) => void))[]) => void;

/** What koffi has bound stays in memory as long as the thread lives, some ten kilobytes for each time: once is enough. */
const loaded: { libc?: Libc } = {};

/**
 * The C library that this process runs on already: glibc or musl. koffi is a native module and is loaded only here, so
 * that a host where it cannot be has a speaker or a felix that says so, and not a process that does not start.
 * Throws one sentence then.
 */
export const loadLibc = (): Libc => (loaded.libc ??= bindLibc(loadKoffi()));

/** Undefined where this C library has no such function. */
function optional(bind: () => Call): Call | undefined {
  try {
    return bind();
  } catch {
    return undefined;
  }
}

function bindLibc(koffi: KoffiModule): Libc {
  const library = koffi.load(null);
  const checked = (result: number, call: string): number => {
    if (result < 0) throw new SystemError(call, koffi.errno());
    return result;
  };
  const bound = (name: string, prototype: string): Call => {
    const call = library.func(prototype) as Call;
    return (...values) => checked(call(...values), name);
  };
  const socket = bound('socket', 'int socket(int domain, int type, int protocol)');
  const bind = bound('bind', 'int bind(int fd, const void *address, unsigned int size)');
  const send = bound('send', 'long send(int fd, const void *data, unsigned long size, int flags)');
  const sendTo = bound(
    'sendto',
    'long sendto(int fd, const void *data, unsigned long size, int flags, const void *address, unsigned int length)',
  );
  const adjtimex = bound('adjtimex', 'int adjtimex(void *timex)');
  const receive = bound('recv', 'long recv(int fd, void *buffer, unsigned long size, int flags)');
  const option = bound(
    'setsockopt',
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int size)',
  );
  const readOption = bound('getsockopt', 'int getsockopt(int fd, int level, int name, void *value, void *size)');
  const name = bound('getsockname', 'int getsockname(int fd, void *address, void *size)');
  const attach = filterAttacher(library, koffi);
  const requestOf = interfaceRequester(library, koffi);
  const open = library.func('int open(const char *path, int flags, int mode)') as Call;
  const close = bound('close', 'int close(int fd)');
  const setns = bound('setns', 'int setns(int fd, int type)');
  const eventfd = bound('eventfd', 'int eventfd(unsigned int count, int flags)');
  const write = library.func('long write(int fd, const void *data, unsigned long size)') as Call;
  const read = library.func('long read(int fd, void *buffer, unsigned long size)') as Call;
  const waitToRead = poller(library, koffi);
  return {
    socket: (domain, type, protocol) => socket(domain, type, protocol),
    bind: (fd, address) => void bind(fd, address, address.length),
    sendTo: (fd, data, address) => void sendTo(fd, data, data.length, 0, address, address.length),
    readClock: (timex) => adjtimex(timex),
    ...memoryCalls(bound),
    send: (fd, data) => send(fd, data, data.length, 0),
    ...slowCalls(library),
    receive: (fd, buffer) => receive(fd, buffer, buffer.length, SYS.messageTruncated),
    receiveFrom: receiverFrom(bound),
    setSocketOption: (fd, { level, name, value }) => void option(fd, level, name, value, value.length),
    getSocketOption: (fd, { level, name, octets }) => {
      const value = new Uint8Array(octets);
      const size = Uint32Array.of(octets);
      readOption(fd, level, name, value, new Uint8Array(size.buffer));
      return value.subarray(0, size[0]);
    },
    interfaceRequest: (fd, request, parameters) => void checked(requestOf(fd, request, parameters), 'ioctl'),
    socketName: (fd, octets) => {
      const address = new Uint8Array(octets);
      const size = Uint32Array.of(octets);
      name(fd, address, new Uint8Array(size.buffer));
      return address.subarray(0, size[0]);
    },
    attachFilter: (fd, program) => void checked(attach(fd, program), 'setsockopt'),
    open: (path) => checked(open(path, SYS.openReadOnly | SYS.openCloseOnExec, 0), `open ${path}`),
    close: (fd) => void close(fd),
    setNetns: (fd) => void setns(fd, SYS.cloneNewNet),
    waitToRead,
    eventFd: () => eventfd(0, SYS.eventFdCloseOnExec | SYS.eventFdNonBlocking),
    wake: (fd) => void write(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8),
    calm: (fd) => void read(fd, new Uint8Array(8), 8),
  };
}

function memoryCalls(bound: (name: string, prototype: string) => Call): Pick<Libc, 'trimHeap' | 'dropPages'> {
  const trim = optional(() => bound('malloc_trim', 'int malloc_trim(unsigned long pad)'));
  const madvise = bound('madvise', 'int madvise(uintptr_t address, unsigned long octets, int advice)');
  return {
    trimHeap: () => void trim?.(0),
    dropPages: (address, octets) => void madvise(address, octets, SYS.adviceDontNeed),
  };
}

function slowCalls(library: ReturnType<typeof koffi.load>): Pick<Libc, 'sendApart' | 'receiveApart'> {
  const apart = (name: string, prototype: string): ((...values: readonly Value[]) => Promise<number>) => {
    const call = library.func(prototype).async as Apart;
    return (...values) =>
      new Promise((resolve, reject) => {
        call(...values, (error, result) => {
          if (error !== null) reject(error);
          else if (result < 0) reject(new SystemError(name, EIO));
          else resolve(result);
        });
      });
  };
  const send = apart('send', 'long send(int fd, const void *data, unsigned long size, int flags)');
  const receive = apart('recv', 'long recv(int fd, void *buffer, unsigned long size, int flags)');
  return {
    sendApart: (fd, data) => send(fd, data, data.length, 0),
    receiveApart: (fd, buffer) => receive(fd, buffer, buffer.length, SYS.messageTruncated),
  };
}

function receiverFrom(bound: (name: string, prototype: string) => Call): Libc['receiveFrom'] {
  const call = bound(
    'recvfrom',
    'long recvfrom(int fd, void *buffer, unsigned long size, int flags, void *address, void *length)',
  );
  return (fd, buffer, from) => {
    const size = new Uint8Array(Uint32Array.of(from.length).buffer);
    return call(fd, buffer, buffer.length, SYS.messageTruncated, from, size);
  };
}

/** struct sock_filter: code, two jumps, a constant. */
const FILTER_OCTETS = 8;

function filterAttacher(
  library: ReturnType<typeof koffi.load>,
  types: typeof koffi,
): (fd: number, program: Uint8Array) => number {
  const program = types.struct({ length: 'uint16', filter: 'const void *' });
  const attach = library.func('setsockopt', 'int', ['int', 'int', 'int', types.pointer(program), 'unsigned int']) as (
    ...values: readonly unknown[]
  ) => number;
  return (fd, filter) =>
    attach(
      fd,
      SYS.solSocket,
      SYS.soAttachFilter,
      { length: filter.length / FILTER_OCTETS, filter },
      types.sizeof(program),
    );
}

/** struct ifreq, where its union is a pointer: 40 octets. */
const IFREQ_OCTETS = { name: 16, rest: 16 } as const;

function interfaceRequester(
  library: ReturnType<typeof koffi.load>,
  types: typeof koffi,
): (...values: Parameters<Libc['interfaceRequest']>) => number {
  const text = types.array('uint8_t', IFREQ_OCTETS.name);
  const ifreq = types.struct({ name: text, data: 'uint8_t *', rest: types.array('uint8_t', IFREQ_OCTETS.rest) });
  const ioctl = library.func('ioctl', 'int', ['int', 'unsigned long', types.pointer(ifreq)]);
  return (fd, request, { name, data }) => {
    const octets = new Uint8Array(IFREQ_OCTETS.name);
    octets.set(new TextEncoder().encode(name).subarray(0, IFREQ_OCTETS.name - 1));
    const memory = types.alloc('uint8_t', data.length) as unknown;
    try {
      types.encode(memory, types.array('uint8_t', data.length), data);
      const parameters = { name: octets, data: memory, rest: new Uint8Array(IFREQ_OCTETS.rest) };
      const result = ioctl(fd, request, parameters) as number;
      if (result >= 0) data.set(types.decode(memory, types.array('uint8_t', data.length)) as Uint8Array);
      return result;
    } finally {
      types.free(memory);
    }
  };
}

/** struct pollfd: descriptor, what to wait for, what has come. */
const POLL_OCTETS = 8;

function poller(library: ReturnType<typeof koffi.load>, types: typeof koffi): Libc['waitToRead'] {
  const poll = library.func('int poll(void *places, unsigned long count, int timeout)') as Call;
  return (fds) => {
    const places = pollPlaces(fds);
    if (poll(places, fds.length, -1) < 0) {
      const errno = types.errno();
      if (errnoName(errno) !== 'EINTR') throw new SystemError('poll', errno);
      return [];
    }
    // Whatever it says of a descriptor (an error, too) is to be read there.
    const view = new DataView(places.buffer);
    return fds.filter((_, i) => view.getInt16(POLL_OCTETS * i + 6, true) !== 0);
  };
}

function pollPlaces(fds: readonly number[]): Uint8Array {
  const octets = new Uint8Array(POLL_OCTETS * fds.length);
  const view = new DataView(octets.buffer);
  for (const [i, fd] of fds.entries()) {
    view.setInt32(POLL_OCTETS * i, fd, true);
    view.setInt16(POLL_OCTETS * i + 4, SYS.pollIn, true);
  }
  return octets;
}

function loadKoffi(): KoffiModule {
  try {
    return createRequire(import.meta.url)('koffi') as KoffiModule;
  } catch (error) {
    throw new Error('system calls cannot be made: the native module koffi cannot be loaded here', { cause: error });
  }
}

/** A signal may end a call that has a timeout. */
export function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'EINTR')) throw error;
    }
  }
}
