import type { Libc } from '../../src/linux/libc.ts';

/** System calls of a test's own; one that it did not give is not for it. */
export function fakeLibc(some: Partial<Libc>): Libc {
  const unused = (): never => {
    throw new Error('a system call that is not for this test');
  };
  return {
    ...{ socket: unused, bind: unused, send: unused, sendTo: unused, receive: unused, receiveFrom: unused },
    ...{ setSocketOption: unused, getSocketOption: unused, socketName: unused, attachFilter: unused },
    ...{
      open: unused,
      close: unused,
      interfaceRequest: unused,
      readClock: unused,
      trimHeap: unused,
      dropPages: unused,
      setNetns: unused,
    },
    ...{ sendApart: unused, receiveApart: unused },
    ...{ waitToRead: unused, eventFd: unused, wake: unused, calm: unused },
    ...some,
  };
}
