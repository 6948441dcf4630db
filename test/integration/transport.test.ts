import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TcpCounters } from '../../bird/peer/tcp-counters.ts';
import type { LinkOptions, Listener, PeerPassword, Target } from '../../bird/peer/transport.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { hostPrefix, parseIpAddress, parsePrefix, prefixOf } from '../../src/model/ip.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import { HeardEnd, TcpLab } from '../support/tcp-lab.ts';
import type { TcpHost } from '../support/tcp-lab.ts';

const missing = missingForLab('/usr/bin/tcpdump');
const PORT = 179;
/** What earlier tests left half-closed is still sent again on the other one. */
const QUIET_PORT = 1179;
const tooFar = (ttl: number): string =>
  `it comes from farther away than TTL security lets in: TTL ${ttl} of at least 255`;
const FAMILIES: readonly (readonly [string, IpFamily])[] = [
  ['IPv4', 4],
  ['IPv6', 6],
];

describe.skipIf(missing !== undefined)(`TCP between two hosts and a router ${missing ?? ''}`, () => {
  let lab: TcpLab;
  let a: TcpHost;
  let b: TcpHost;
  const listeners: Listener[] = [];
  const ends: HeardEnd[] = [];
  const accepted: HeardEnd[] = [];

  beforeAll(() => {
    lab = new TcpLab('tcp');
    ({ a, b } = lab);
  });
  afterAll(() => lab.close());

  afterEach(async () => {
    for (const { connection } of [...ends.splice(0), ...accepted.splice(0)]) connection.destroy();
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  });

  const listen = async (
    address: string,
    {
      passwords = [],
      port = PORT,
      ...secure
    }: LinkOptions & { readonly passwords?: readonly PeerPassword[]; readonly port?: number } = {},
  ): Promise<Listener> => {
    const listener = await b.transport.listen({ address, port, passwords }, (connection) => {
      connection.secure(secure);
      accepted.push(new HeardEnd(connection));
    });
    listeners.push(listener);
    return listener;
  };

  const call = (address: string, options: Partial<Target> = {}): HeardEnd => {
    const end = new HeardEnd(a.transport.connect({ address: parseIpAddress(address), port: PORT, ...options }));
    ends.push(end);
    return end;
  };

  /** TCP stands, and what one says the other hears. */
  const expectHeard = async (end: HeardEnd): Promise<void> => {
    const before = accepted.length;
    await eventually(() => expect([end.opened, accepted.length]).toEqual([true, Math.max(1, before)]), 5000);
    end.connection.write(Buffer.from('hello'));
    await eventually(() => expect(accepted.at(-1)?.text).toBe('hello'), 5000);
    accepted.at(-1)!.connection.write(Buffer.from('welcome'));
    await eventually(() => expect(end.text).toBe('welcome'), 5000);
  };

  /** The host threw away something of the kind, and the caller got nothing for it. */
  const expectDropped = async (
    end: HeardEnd,
    { at, what, before }: { readonly at: TcpHost; readonly what: keyof TcpCounters; readonly before: TcpCounters },
  ): Promise<void> => {
    await eventually(() => expect(at.counters()[what]).toBeGreaterThan(before[what]), 5000);
    expect(end.text).toBe('');
    end.connection.destroy();
  };

  describe.each(FAMILIES)('TCP-MD5 over %s', (_, family) => {
    const keyOf = (host: TcpHost, password: string): PeerPassword => ({
      prefix: hostPrefix(parseIpAddress(host.near[family])),
      password,
    });

    test('with the same key both ends talk', async () => {
      await listen(b.near[family], { passwords: [keyOf(a, 'secret')], password: 'secret' });
      await expectHeard(call(b.near[family], { password: 'secret' }));
    });

    test('a key of 80 octets is one', async () => {
      const password = 'k'.repeat(80);
      await listen(b.near[family], { passwords: [keyOf(a, password)], password });
      await expectHeard(call(b.near[family], { password }));
    });

    test.each<[string, string | undefined, string | undefined, keyof TcpCounters]>([
      ['another key', 'secret', 'other', 'md5Failure'],
      ['no signature', 'secret', undefined, 'md5NotFound'],
      ['a signature that nobody asked for', undefined, 'secret', 'md5Unexpected'],
    ])('%s: nobody hears anything, and the kernel counts it', async (...[, ours, theirs, what]) => {
      await listen(b.near[family], ours === undefined ? {} : { passwords: [keyOf(a, ours)] });
      const before = b.counters();
      const end = call(b.near[family], theirs === undefined ? {} : { password: theirs });
      await expectDropped(end, { at: b, what, before });
      expect([end.opened, accepted.length]).toEqual([false, 0]);
    });

    test('by prefix, and a key of the caller’s own comes before it', async () => {
      const around = {
        ...keyOf(a, 'of all'),
        prefix: prefixOf(parseIpAddress(a.near[family]), family === 4 ? 24 : 64),
      };
      const listener = await listen(b.near[family], { passwords: [around] });
      const end = call(b.near[family], { password: 'of all' });
      await eventually(() => expect(end.opened).toBe(true), 5000);
      listener.setPasswords([around, keyOf(a, 'its own')]);
      const before = b.counters();
      await expectDropped(call(b.near[family], { password: 'of all' }), { at: b, what: 'md5Failure', before });
      const other = call(b.near[family], { password: 'its own' });
      await eventually(() => expect(other.opened).toBe(true), 5000);
      listener.setPasswords([]);
      const plain = call(b.near[family]);
      await eventually(() => expect(plain.opened).toBe(true), 5000);
    });

    test('a key that is changed counts for new connections, and leaves alone the one that stands', async () => {
      const listener = await listen(b.near[family], { passwords: [keyOf(a, 'first')] });
      const end = call(b.near[family], { password: 'first' });
      await expectHeard(end);
      listener.setPasswords([keyOf(a, 'second')]);
      end.connection.write(Buffer.from(', again'));
      await eventually(() => expect(accepted[0]?.text).toBe('hello, again'), 5000);
      const before = b.counters();
      await expectDropped(call(b.near[family], { password: 'first' }), { at: b, what: 'md5Failure', before });
      const next = call(b.near[family], { password: 'second' });
      await eventually(() => expect(next.opened).toBe(true), 5000);
    });

    test('a caller whose key the listener could not have is protected all the same, once it is known', async () => {
      await listen(b.near[family], { password: 'secret' });
      const before = b.counters();
      const end = call(b.near[family]);
      await eventually(() => expect(accepted).toHaveLength(1), 5000);
      end.connection.write(Buffer.from('unsigned'));
      await eventually(() => expect(b.counters().md5NotFound).toBeGreaterThan(before.md5NotFound), 5000);
      expect(accepted[0]?.text).toBe('');
    });

    test('a signed connection that ends delivers its last words', async () => {
      await listen(b.near[family], { passwords: [keyOf(a, 'secret')] });
      const end = call(b.near[family], { password: 'secret' });
      await expectHeard(end);
      end.connection.write(Buffer.from(', goodbye'));
      await end.connection.end();
      await eventually(() => expect(accepted[0]?.reason?.text).toBe('the peer closed the connection'), 5000);
      expect(accepted[0]?.text).toBe('hello, goodbye');
    });
  });

  describe.each(FAMILIES)('GTSM over %s', (_, family) => {
    test('a neighbor on the wire is one hop away', async () => {
      await listen(b.near[family], { ttlSecurityHops: 1 });
      await expectHeard(call(b.near[family], { ttlSecurityHops: 1 }));
    });

    test('a peer behind a router is not, and is told off', async () => {
      await listen(b.far[family], { ttlSecurityHops: 1 });
      const end = call(b.far[family], { ttlSecurityHops: 2 });
      await eventually(() => expect(accepted[0]?.reason?.text).toBe(tooFar(254)), 5000);
      await eventually(() => expect(end.reason).toBeDefined(), 5000);
    });

    test('nor what it says before anybody looks at it', async () => {
      const port = PORT + family;
      await listen(b.far[family], { ttlSecurityHops: 1, port });
      // Nothing of ours runs until this has ended.
      a.netns.run('bash', '-c', `exec 3<>/dev/tcp/${b.far[family]}/${port}; echo hello >&3; sleep 0.1`);
      await eventually(() => expect(accepted[0]?.reason).toBeDefined(), 5000);
      expect(accepted[0]).toMatchObject({ text: '', reason: { text: tooFar(63) } });
    });

    test('nor when we dial it', async () => {
      await listen(b.far[family]);
      const before = a.counters();
      const end = call(b.far[family], { ttlSecurityHops: 1 });
      await expectDropped(end, { at: a, what: 'minTtlDrop', before });
      expect(end.opened).toBe(false);
    });

    test('two hops let it in', async () => {
      await listen(b.far[family], { ttlSecurityHops: 2 });
      await expectHeard(call(b.far[family], { ttlSecurityHops: 2 }));
    });

    test('a peer without it is not heard', async () => {
      await listen(b.near[family], { ttlSecurityHops: 1 });
      call(b.near[family]);
      await eventually(() => expect(accepted[0]?.reason?.text).toBe(tooFar(64)), 5000);
    });

    test('without it a peer behind a router is heard as any other', async () => {
      await listen(b.far[family]);
      await expectHeard(call(b.far[family]));
    });
  });

  test.each([
    ['IPv4', 4, { hops: undefined, sent: 'tos 0xc0, ttl 64,' }],
    ['IPv6', 6, { hops: undefined, sent: 'class 0xc0,' }],
    ['IPv4 with TTL security', 4, { hops: 1, sent: 'tos 0xc0, ttl 255,' }],
    ['IPv6 with TTL security', 6, { hops: 1, sent: 'hlim 255,' }],
  ] as const)('what is on the wire over %s: network control, and the TTL', async (...[, family, { hops, sent }]) => {
    const secure = hops === undefined ? {} : { ttlSecurityHops: hops };
    const child = b.netns.name;
    const dump = spawn('ip', [
      'netns',
      'exec',
      child,
      'tcpdump',
      '-i',
      'near',
      '-nnvl',
      '--immediate-mode',
      'tcp',
      'port',
      `${QUIET_PORT}`,
    ]);
    const lines: string[] = [];
    createInterface({ input: dump.stdout }).on('line', (line) => lines.push(line));
    await once(dump.stderr, 'data');
    try {
      await listen(b.near[family], { ...secure, port: QUIET_PORT });
      const end = call(b.near[family], { ...secure, port: QUIET_PORT });
      await expectHeard(end);
      await end.connection.end();
      const headers = (): readonly string[] => lines.filter((line) => /^\d\d:.* IP6? \(/.test(line));
      await eventually(() => expect(headers().length).toBeGreaterThan(7), 5000);
      // The second packet, a listener's SYN-ACK, goes with TTL 255 to please everybody.
      const wrong = headers().filter((line, i) => i !== 1 && !line.replace(/, id \d+.*/, ',').includes(sent));
      expect(wrong).toEqual([]);
      expect(headers().filter((line) => !line.includes('0xc0'))).toEqual([]);
    } finally {
      dump.kill();
      await once(dump, 'exit');
    }
  });

  test.each(FAMILIES)('the source address is the one that was asked for, over %s', async (_, family) => {
    const source = family === 4 ? '10.77.0.11' : a.far[6];
    await listen(b.near[family]);
    const end = call(b.near[family], { localAddress: parseIpAddress(source) });
    await eventually(() => expect(accepted[0]?.connection.remoteAddress).toEqual(parseIpAddress(source)), 5000);
    expect(end.connection.localAddress).toEqual(parseIpAddress(source));
    expect(end.connection.localPort).toBe(accepted[0]?.connection.remotePort);
  });

  test('a connection by interface goes out there and nowhere else', async () => {
    await listen(b.near[4]);
    const end = call(b.near[4], { interface: 'near' });
    await eventually(() => expect(end.opened).toBe(true), 5000);
    const lost = call(b.near[4], { interface: 'far' });
    await eventually(() => expect(lost.reason?.errno).toBe('EHOSTUNREACH'), 10_000);
  });

  describe('how the kernel says no', () => {
    test.each<[string, Partial<Target> & { readonly to: string }, string]>([
      ['nobody listens', { to: '10.77.0.2' }, 'ECONNREFUSED'],
      ['nobody listens', { to: '2001:db8:77::2' }, 'ECONNREFUSED'],
      ['no route', { to: '192.0.2.1' }, 'ENETUNREACH'],
      ['a route that says unreachable', { to: '198.51.100.1' }, 'EHOSTUNREACH'],
      ['a route that says prohibited', { to: '203.0.113.1' }, 'EACCES'],
      ['a source that is not ours', { to: '10.77.0.2', localAddress: parseIpAddress('192.0.2.7') }, 'EADDRNOTAVAIL'],
      ['no such interface', { to: '10.77.0.2', interface: 'none7' }, 'ENODEV'],
    ])('%s', async (...[, { to, ...options }, errno]) => {
      a.netns.run('ip', 'route', 'replace', 'unreachable', '198.51.100.0/24');
      a.netns.run('ip', 'route', 'replace', 'prohibit', '203.0.113.0/24');
      const end = call(to, options);
      await eventually(() => expect(end.reason?.errno).toBe(errno), 5000);
      expect(end.reason?.text).not.toMatch(/^connect /);
    });

    test('nobody there at all', async () => {
      const end = call('10.77.0.99');
      await eventually(() => expect(end.reason).toMatchObject({ errno: 'EHOSTUNREACH' }), 10_000);
    });

    test('no answer', async () => {
      a.netns.run('sysctl', '-qw', 'net.ipv4.tcp_syn_retries=1');
      await listen(b.near[4], {
        passwords: [{ prefix: parsePrefix('10.77.0.1/32'), password: 'secret' }],
      });
      const end = call(b.near[4]);
      await eventually(
        () => expect(end.reason).toEqual({ text: 'the connection timed out', errno: 'ETIMEDOUT' }),
        20_000,
      );
    });

    test('an address that is not ours cannot be listened on', async () => {
      await expect(listen('10.77.0.99')).rejects.toThrow(
        '10.77.0.99 is not an address of this machine, so BGP cannot listen on its port 179',
      );
    });
  });

  test('ten thousand connects that never speak cost nothing once they are refused', async () => {
    let count = 0;
    const listener = await b.transport.listen({ address: b.near[4], port: PORT }, (connection) => {
      count++;
      connection.destroy();
    });
    listeners.push(listener);
    for (let i = 0; i < 10_000; i += 250) {
      const some = Array.from({ length: 250 }, () => call(b.near[4]));
      await eventually(() => expect(some.every(({ reason }) => reason !== undefined)).toBe(true), 10_000);
    }
    expect(count).toBe(10_000);
    await wait(0);
  });
});
