import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createTcpTransport, tcpTransport } from '../../../bird/peer/tcp.ts';
import type { CloseReason, Connection, Listener, Target } from '../../../bird/peer/transport.ts';
import { loadLibc, SystemError } from '../../../src/linux/libc.ts';
import type { Libc } from '../../../src/linux/libc.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { eventually } from '../../support/eventually.ts';

/** Of this process alone: who runs the same tests at the same time has another. */
const HOST = `127.79.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const PORT = 20_180;
const ERRNO = { EPERM: 1, ENOMEM: 12, ENODEV: 19, EMFILE: 24, ENOPROTOOPT: 92, EADDRNOTAVAIL: 99 } as const;
const TCP_LEVEL = 6;
const TCP_MD5 = 14;
const IP_MIN_TTL = 21;

const target = (changes: Partial<Target> = {}): Target => ({ address: parseIpAddress(HOST), port: PORT, ...changes });

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** When what an earlier test closed is gone. */
async function settledDescriptors(): Promise<number> {
  const first = openDescriptors();
  await wait(50);
  return openDescriptors() === first ? first : settledDescriptors();
}

/** The kernel, but for one call that fails; and every descriptor that it still has open. */
function broken(call: 'socket' | 'bind' | { readonly level: number; readonly name: number }, errno: number) {
  const libc = loadLibc();
  const open = new Set<number>();
  const fails = (name: string): void => {
    if (call === name) throw new SystemError(name, errno);
  };
  const faulty: Libc = {
    ...libc,
    socket: (...args) => {
      fails('socket');
      const fd = libc.socket(...args);
      open.add(fd);
      return fd;
    },
    bind: (...args) => {
      fails('bind');
      libc.bind(...args);
    },
    setSocketOption: (fd, option) => {
      if (typeof call === 'object' && call.level === option.level && call.name === option.name) {
        throw new SystemError('setsockopt', errno);
      }
      libc.setSocketOption(fd, option);
    },
    close: (fd) => {
      open.delete(fd);
      libc.close(fd);
    },
  };
  return { transport: createTcpTransport(() => faulty), open };
}

const closed = (connection: Connection): Promise<CloseReason> =>
  new Promise((resolve, reject) => {
    connection.attach({
      opened: () => reject(new Error('it opened')),
      data: () => undefined,
      progress: () => undefined,
      closed: resolve,
    });
  });

const nothing = { opened: () => undefined, data: () => undefined, progress: () => undefined, closed: () => undefined };

const listeners: Listener[] = [];
const listen = async (accept: (connection: Connection) => void, transport = tcpTransport): Promise<Listener> => {
  const listener = await transport.listen({ address: HOST, port: PORT }, accept);
  listeners.push(listener);
  return listener;
};

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
});

describe('what cannot be as it must be is not at all, and says why', () => {
  const md5 = { level: TCP_LEVEL, name: TCP_MD5 };
  const minTtl = { level: 0, name: IP_MIN_TTL };

  test.each([
    ['no key in this kernel', md5, ERRNO.ENOPROTOOPT, { text: 'this kernel has no TCP-MD5', errno: 'ENOPROTOOPT' }],
    [
      'no permission',
      md5,
      ERRNO.EPERM,
      { text: 'the kernel refuses TCP-MD5: EPERM (operation not permitted)', errno: 'EPERM' },
    ],
    ['no TTL security', minTtl, ERRNO.ENOPROTOOPT, { text: 'this kernel has no TTL security', errno: 'ENOPROTOOPT' }],
    ['no descriptor', 'socket', ERRNO.EMFILE, { text: 'EMFILE (too many open files)', errno: 'EMFILE' }],
    [
      'no such source address',
      'bind',
      ERRNO.EADDRNOTAVAIL,
      { text: 'the source address is not an address of this machine', errno: 'EADDRNOTAVAIL' },
    ],
  ] as const)('%s', async (...[, call, errno, reason]) => {
    const { transport, open } = broken(call, errno);
    const wanted = { password: 'x', ttlSecurityHops: 1, localAddress: parseIpAddress('127.0.0.1') };
    expect(await closed(transport.connect(target(wanted)))).toEqual(reason);
    expect([...open]).toEqual([]);
  });

  test.each<[Partial<Target>, string]>([
    [{ password: 'k'.repeat(81) }, 'the password has 81 octets, and TCP-MD5 takes 80 at most'],
    [{ password: 'é'.repeat(41) }, 'the password has 82 octets, and TCP-MD5 takes 80 at most'],
    [{ password: '' }, 'the password is empty'],
    [{ ttlSecurityHops: 0 }, 'TTL security of 0 hops is not possible: 1 to 255 are'],
    [{ ttlSecurityHops: 256 }, 'TTL security of 256 hops is not possible: 1 to 255 are'],
    [{ address: parseIpAddress('fe80::1') }, 'a link-local address needs an interface'],
    [{ interface: 'eth0'.repeat(5) }, 'there is no interface "eth0eth0eth0eth0eth0"'],
    [{ interface: '' }, 'there is no interface ""'],
    [{ localAddress: parseIpAddress('::1') }, 'the source address is IPv6, and the peer is IPv4'],
  ])('%o', async (wanted, text) => {
    const before = openDescriptors();
    expect(await closed(tcpTransport.connect(target(wanted)))).toEqual({ text });
    expect(openDescriptors()).toBe(before);
  });

  test('an interface that does not exist', async () => {
    expect(await closed(tcpTransport.connect(target({ interface: 'none7' })))).toEqual({
      text: 'there is no interface none7',
      errno: 'ENODEV',
    });
  });

  test('no system calls at all: the peer hears it, and so does who listens', async () => {
    const transport = createTcpTransport(() => {
      throw new Error('koffi cannot be loaded here');
    });
    expect(await closed(transport.connect(target()))).toEqual({ text: 'koffi cannot be loaded here' });
    await expect(transport.listen({ address: HOST, port: PORT }, () => undefined)).rejects.toThrow('koffi');
  });

  test('a connection that came in and cannot be protected is closed', async () => {
    const reasons: CloseReason[] = [];
    const { transport } = broken(minTtl, ERRNO.ENOPROTOOPT);
    await listen((connection) => {
      connection.secure({ ttlSecurityHops: 1 });
      void closed(connection).then((reason) => reasons.push(reason));
    }, transport);
    const caller = tcpTransport.connect(target());
    caller.attach(nothing);
    await eventually(() => expect(reasons.map(({ errno }) => errno)).toEqual(['ENOPROTOOPT']), 3000);
    caller.destroy();
  });
});

describe('the keys of a listener', () => {
  const password = (cidr: string, text: string) => ({ prefix: parsePrefix(cidr), password: text });

  /** The prefix lengths and key lengths that the kernel was told, in order. */
  const watched = async () => {
    const libc = loadLibc();
    const told: string[] = [];
    let refuse = false;
    const transport = createTcpTransport(() => ({
      ...libc,
      setSocketOption: (fd, option) => {
        if (option.level === TCP_LEVEL && (option.name === TCP_MD5 || option.name === 32)) {
          if (refuse) throw new SystemError('setsockopt', ERRNO.ENOMEM);
          told.push(`${[...option.value.subarray(4, 8)].join('.')}/${option.value[129]} ${option.value[130]}`);
        }
        libc.setSocketOption(fd, option);
      },
    }));
    const listener = await listen(() => undefined, transport);
    return { listener, told, setRefuse: (value: boolean) => (refuse = value) };
  };

  test('only what is another is told to the kernel, and what is gone is taken from it', async () => {
    const { listener, told } = await watched();
    listener.setPasswords([password('10.0.0.1/32', 'abc'), password('10.1.0.0/16', 'abcd')]);
    expect(told.splice(0)).toEqual(['10.0.0.1/0 3', '10.1.0.0/16 4']);
    listener.setPasswords([password('10.0.0.1/32', 'abc'), password('10.1.0.0/16', 'other')]);
    expect(told.splice(0)).toEqual(['10.1.0.0/16 5']);
    listener.setPasswords([password('10.0.0.2/32', 'abc')]);
    expect(told.splice(0)).toEqual(['10.0.0.1/0 0', '10.1.0.0/16 0', '10.0.0.2/0 3']);
  });

  test('what the kernel refuses is named, and tried again the next time', async () => {
    const { listener, told, setRefuse } = await watched();
    setRefuse(true);
    const text = 'the kernel has no room for another key of TCP-MD5: sysctl net.core.optmem_max is too small';
    expect(listener.setPasswords([password('10.0.0.1/32', 'abc')])).toEqual([
      { prefix: parsePrefix('10.0.0.1/32'), text },
    ]);
    setRefuse(false);
    expect(listener.setPasswords([password('10.0.0.1/32', 'abc')])).toEqual([]);
    expect(told).toEqual(['10.0.0.1/0 3']);
  });

  test('two passwords for one address, or none that a key can be made of, are refused by name', async () => {
    const { listener } = await watched();
    const refused = listener.setPasswords([
      password('10.0.0.1/32', 'abc'),
      password('10.0.0.1/32', 'other'),
      password('10.0.0.2/32', ''),
      password('2001:db8::1/128', 'not of this family'),
    ]);
    expect(refused.map(({ text }) => text)).toEqual([
      'another peer has the same address, and the kernel keeps one key for it',
      'the password is empty',
    ]);
  });

  test('a listener that is closed touches no descriptor any more', async () => {
    const { listener, told } = await watched();
    await listener.close();
    expect(listener.setPasswords([password('10.0.0.1/32', 'abc')])).toEqual([]);
    expect(told).toEqual([]);
  });
});

test('what one turn writes leaves in one system call', async () => {
  let received = 0;
  await listen((connection) => connection.attach({ ...nothing, data: ({ length }) => void (received += length) }));
  const connection = tcpTransport.connect(target());
  await new Promise<void>((resolve) => connection.attach({ ...nothing, opened: resolve }));
  const single = vi.spyOn(Socket.prototype, '_write');
  const together = vi.spyOn(Socket.prototype as unknown as { _writev: () => void }, '_writev');
  for (let i = 0; i < 100; i++) connection.write(new Uint8Array(19));
  await eventually(() => expect(received).toBe(1900), 3000);
  expect([single.mock.calls.length, together.mock.calls.length]).toEqual([0, 1]);
  connection.write(new Uint8Array(19));
  await eventually(() => expect(received).toBe(1919), 3000);
  connection.destroy();
});

test.each([
  ['one address', HOST],
  ['every address', '0.0.0.0'],
])('a caller of a listener on %s is told by the address that it called', async (_, address) => {
  const accepted: Connection[] = [];
  const listener = await tcpTransport.listen({ address, port: 0 }, (connection) => {
    accepted.push(connection);
    connection.attach(nothing);
  });
  const caller = tcpTransport.connect(target({ port: listener.port }));
  caller.attach(nothing);
  await eventually(() => expect(accepted[0]?.localAddress).toEqual(parseIpAddress(HOST)), 3000);
  caller.destroy();
  accepted[0]?.destroy();
  await listener.close();
});

test('what one turn says arrives in order, small or large', async () => {
  const heard: Buffer[] = [];
  await listen((connection) =>
    connection.attach({ ...nothing, data: (octets) => void heard.push(Buffer.from(octets)) }),
  );
  const connection = tcpTransport.connect(target());
  const parts = [1, 64, 65, 19].map((length, i) => new Uint8Array(length).fill(i + 1));
  connection.attach({ ...nothing, opened: () => parts.forEach((part) => connection.write(part)) });
  await eventually(() => expect(Buffer.concat(heard)).toEqual(Buffer.concat(parts)), 3000);
  connection.destroy();
});

test('a peer that stops sending and never reads does not hold the descriptor', async () => {
  const before = await settledDescriptors();
  const accepted: Connection[] = [];
  await listen((connection) => {
    accepted.push(connection);
    connection.attach(nothing);
    connection.write(new Uint8Array(32 << 20));
  });
  const peer = new Socket({ allowHalfOpen: true });
  peer.on('error', () => undefined);
  peer.connect(PORT, HOST, () => peer.end());
  await eventually(() => expect(accepted).toHaveLength(1), 3000);
  // The listener's and the peer's own.
  await eventually(() => expect(openDescriptors()).toBe(before + 2), 3000);
  peer.destroy();
});

test('a thousand connections leave no descriptor behind, however they end', async () => {
  let accepted = 0;
  const listener = await listen((connection) => {
    accepted++;
    if (accepted % 3 === 0) {
      connection.destroy();
      return;
    }
    if (accepted % 3 === 1) connection.secure({ ttlSecurityHops: 0 });
    connection.attach({ ...nothing, opened: () => connection.destroy(), data: () => connection.destroy() });
    void connection.end();
  });
  const before = await settledDescriptors();
  const refused = { port: PORT + 1 };
  const cycle = async (i: number): Promise<void> => {
    const connection = tcpTransport.connect(target(i % 4 === 0 ? refused : {}));
    if (i % 4 === 1) {
      connection.destroy();
      return;
    }
    await new Promise<void>((resolve) =>
      connection.attach({ ...nothing, opened: () => void connection.end().then(resolve), closed: () => resolve() }),
    );
  };
  for (let i = 0; i < 1000; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => cycle(i + j)));
  await eventually(() => expect(openDescriptors()).toBe(before), 5000);
  expect(accepted).toBeGreaterThan(400);
  await listener.close();
  await wait(0);
  expect(openDescriptors()).toBe(before - 1);
});

describe('what the kernel sends again', () => {
  const standing = async (libc: Libc): Promise<Connection> => {
    await listen((connection) => connection.attach(nothing));
    const caller = createTcpTransport(() => libc).connect(target());
    await new Promise<void>((resolve) => caller.attach({ ...nothing, opened: resolve }));
    return caller;
  };

  test('is nothing where the peer acknowledges, and unknown without a connection', async () => {
    const caller = await standing(loadLibc());
    expect(caller.retransmits).toBe(0);
    caller.destroy();
    expect(caller.retransmits).toBeUndefined();
  });

  test('is unknown where the kernel does not tell, and that is no failure', async () => {
    const getSocketOption = (): never => {
      throw new SystemError('getsockopt', ERRNO.ENOPROTOOPT);
    };
    const caller = await standing({ ...loadLibc(), getSocketOption });
    expect(caller.retransmits).toBeUndefined();
    caller.destroy();
  });
});

test('a thousand callers of one moment find room', async () => {
  const libc = loadLibc();
  const opened: number[] = [];
  const socket: Libc['socket'] = (...args) => {
    const fd = libc.socket(...args);
    opened.push(fd);
    return fd;
  };
  const listener = await createTcpTransport(() => ({ ...libc, socket })).listen(
    { address: HOST, port: PORT },
    () => undefined,
  );
  // Of a listening socket tcpi_sacked is the length of its queue.
  const info = libc.getSocketOption(opened[0]!, { level: TCP_LEVEL, name: 11, octets: 32 });
  const limit = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  expect(new Uint32Array(info.slice(28, 32).buffer)[0]).toBe(Math.min(limit, 4096));
  await listener.close();
});
