/** What a session leaves behind for those who ask why. */
import { beforeEach, describe, expect, test } from 'vitest';
import { hardReset, shutdownFault } from '../../../bird/peer/fault.ts';
import type { Capability } from '../../../bird/wire.ts';
import { encodeShutdownText, encodeUpdateFrame } from '../../../bird/wire.ts';
import type { PeerIncident } from '../../../bird/view.ts';
import { localSettings } from '../../support/bgp.ts';
import { KEEPALIVE, SessionBench } from '../../support/session-bench.ts';

const local = localSettings({ holdSeconds: 9 });

let bench: SessionBench;

beforeEach(() => {
  bench = new SessionBench(local);
  bench.session.start();
});

const lastIncident = (): PeerIncident | undefined => bench.session.incidents.at(-1);

describe('an incident', () => {
  test('of a connection that is refused has the errno of the kernel', () => {
    bench.last.hangUp('connection refused', 'ECONNREFUSED');
    expect(bench.session.incidents).toEqual([
      { at: 0, kind: 'connection failed', text: 'connection refused', errno: 'ECONNREFUSED', isFlap: false },
    ]);
  });

  test('of a host that is silent comes within three seconds, and the attempt goes on', async () => {
    await bench.clock.advance(2999);
    expect(bench.session.incidents).toEqual([]);
    await bench.clock.advance(1);
    expect(lastIncident()).toMatchObject({
      kind: 'silence',
      text: 'no answer to our connection attempt within 3 s',
      isFlap: false,
    });
    expect([bench.session.state, bench.last.isOpen]).toEqual(['Connect', true]);
    await bench.clock.advance(2000);
    expect(lastIncident()).toMatchObject({ kind: 'silence', text: 'the connection timed out' });
  });

  test('of TCP without OPEN comes within three seconds, once for a connection, and the hold time goes on', async () => {
    bench.last.open();
    await bench.clock.advance(3000);
    expect(lastIncident()).toMatchObject({ kind: 'no OPEN', text: 'TCP stands, but no OPEN came within 3 s' });
    await bench.clock.advance(200_000);
    expect(bench.session.incidents).toHaveLength(1);
    expect(lastIncident()).not.toHaveProperty('count');
    expect(bench.session.state).toBe('OpenSent');
    await bench.clock.advance(40_000);
    expect(lastIncident()).toMatchObject({
      kind: 'notification sent',
      text: 'hold timer expired: no OPEN within 240 s',
      notification: { code: 4, subcode: 0, name: 'Hold Timer Expired' },
    });
  });

  test('none where the peer answers in time', async () => {
    bench.establish();
    for (let i = 0; i < 5; i++) {
      await bench.clock.advance(3000);
      bench.last.say(KEEPALIVE);
    }
    expect([bench.session.incidents, bench.lastError]).toEqual([[], undefined]);
  });

  test('of a half-closed connection after the OPEN: lost, and the peer is tried again', async () => {
    const connection = bench.last.open();
    connection.say(bench.open);
    connection.hangUp();
    expect(lastIncident()).toMatchObject({ kind: 'connection lost', isFlap: false });
    expect([bench.session.state, connection.isOpen]).toEqual(['Active', false]);
    await bench.clock.advance(5000);
    expect(bench.session.state).toBe('Connect');
  });

  test('of a NOTIFICATION that came tells code, names, data and the operator’s words, made harmless', () => {
    bench.establish().notify(6, 2, encodeShutdownText('bye\u001b[2J\u202e\nforged line'));
    const said = 'bye?[2J??forged line';
    expect(lastIncident()).toMatchObject({
      kind: 'notification received',
      isFlap: true,
      text: `NOTIFICATION received: Cease / Administrative Shutdown: "${said}"`,
      notification: { code: 6, subcode: 2, name: 'Cease / Administrative Shutdown', shutdownText: said },
    });
    expect(lastIncident()?.notification?.data).toMatch(/^166279651b/);
  });

  test('of a Hard Reset tells what it is about', () => {
    const inside = encodeShutdownText('moving');
    bench.establish().notify(6, 9, Uint8Array.of(6, 4, ...inside));
    expect(lastIncident()).toMatchObject({
      text: 'NOTIFICATION received: Cease / Administrative Reset: "moving" (Hard Reset)',
      notification: { name: 'Cease / Hard Reset', shutdownText: 'moving' },
    });
  });

  test('shows no more than 128 octets of data', () => {
    bench.last.open().notify(2, 4, new Uint8Array(300).fill(0xab));
    expect(lastIncident()?.notification?.data).toBe('ab'.repeat(128));
  });

  test('of an OPEN that we refuse tells both values, and what we sent', () => {
    bench.last.open().say({ ...bench.open, capabilities: [], asn: 65009 });
    expect(lastIncident()).toMatchObject({
      kind: 'notification sent',
      text: 'AS mismatch: the peer says AS 65009, AS 64512 is configured',
      notification: { code: 2, subcode: 2, name: 'OPEN Message Error / Bad Peer AS', data: 'fdf1' },
    });
  });

  test('that recurs counts and does not push others out', async () => {
    bench.establish().notify(6, 2);
    for (let i = 0; i < 100; i++) {
      await bench.clock.advance(5000);
      bench.last.hangUp('connection refused', 'ECONNREFUSED');
    }
    expect(bench.session.incidents.map(({ kind, count }) => [kind, count])).toEqual([
      ['notification received', undefined],
      ['connection failed', 100],
    ]);
    expect(lastIncident()).toMatchObject({ firstAt: 5000, at: 500_000 });
  });

  test('that ended a session stands for itself, and there are 32 at most', async () => {
    for (let i = 0; i < 40; i++) {
      bench.establish().hangUp();
      await bench.clock.advance(1000);
    }
    expect(bench.session.incidents).toHaveLength(32);
    expect([bench.session.incidents[0]?.at, lastIncident()?.at]).toEqual([8000, 39_000]);
    expect(bench.session.flaps).toBe(40);
  });
});

describe('reach', () => {
  test('counts what each side did', async () => {
    await bench.clock.advance(1000);
    bench.last.hangUp('connection refused', 'ECONNREFUSED');
    await bench.clock.advance(5000);
    bench.last.open();
    await bench.clock.advance(10);
    bench.incoming();
    expect(bench.session.reach).toEqual({
      dialled: 2,
      lastDialledAt: 6000,
      connected: 2,
      incoming: 1,
      lastIncomingAt: 6010,
      localAddress: bench.last.localAddress,
      hasSeenOpen: false,
    });
    bench.last.say(bench.open);
    expect(bench.session.reach.hasSeenOpen).toBe(true);
  });
});

test('messages are counted by type and direction, over all connections', () => {
  const connection = bench.establish();
  const update = encodeUpdateFrame({});
  connection.sayOctets(update);
  connection.say({ type: 'route-refresh', family: { afi: 1, safi: 1 }, subtype: 'request' }, KEEPALIVE);
  bench.session.write(update);
  bench.session.write(Uint8Array.of(...update, ...update));
  connection.notify(6, 2);
  expect(bench.session.messages).toEqual({
    sent: { open: 1, update: 3, notification: 0, keepalive: 1, routeRefresh: 0 },
    received: { open: 1, update: 1, notification: 1, keepalive: 2, routeRefresh: 1 },
  });
});

test('the connection tells both ends while it stands', () => {
  expect(bench.establish()).toBeDefined();
  expect(bench.session.connection).toMatchObject({ localPort: 179, remotePort: 34567 });
  bench.last.hangUp();
  expect(bench.session.connection).toBeUndefined();
});

test('capabilities are told in words, also those that we do not know and after the end', () => {
  const ipv4 = { afi: 1, safi: 1 };
  const capabilities: readonly Capability[] = [
    { name: 'multiprotocol', family: ipv4 },
    { name: 'route-refresh' },
    { name: 'four-octet-as', asn: 64512 },
    {
      name: 'graceful-restart',
      restarting: true,
      notification: true,
      restartSeconds: 90,
      families: [{ family: ipv4, forwardingPreserved: true }],
    },
    { name: 'add-path', entries: [{ family: ipv4, mode: 'both' }] },
    { name: 'extended-next-hop', entries: [{ family: ipv4, nextHopAfi: 2 }] },
    {
      name: 'long-lived-graceful-restart',
      families: [{ family: ipv4, forwardingPreserved: false, staleSeconds: 3600 }],
    },
    { name: 'role', role: 3 },
    { name: 'fqdn', hostname: 'tor\u0007a', domain: 'rack1' },
    { name: 'unknown', code: 222, value: new Uint8Array(2) },
  ];
  bench.last.open().say({ ...bench.open, capabilities });
  bench.last.hangUp();
  expect(bench.session.capabilities).toEqual({
    sent: [
      'IPv4 unicast',
      'route refresh',
      'enhanced route refresh',
      'graceful restart 120 s with IPv4 unicast (F)',
      '4-octet AS 64512',
    ],
    received: [
      'IPv4 unicast',
      'route refresh',
      '4-octet AS 64512',
      'graceful restart 90 s (R) (N) with IPv4 unicast (F)',
      'ADD-PATH IPv4 unicast send and receive',
      'extended next hop IPv4 unicast by AFI 2',
      'long-lived graceful restart IPv4 unicast 3600 s',
      'role customer',
      'host name tor?a.rack1',
      'unknown capability 222',
    ],
  });
});

describe('the log', () => {
  const adjacency = () => bench.lines.filter(({ level }) => level === 'info');

  test('has one line for up and one for down, as engineers search for them', async () => {
    bench.description = 'tor-a';
    const connection = bench.establish();
    bench.clock.after(6000, () => connection.say(KEEPALIVE));
    await bench.clock.advance(8000);
    connection.notify(6, 2);
    expect(adjacency()).toEqual([
      {
        level: 'info',
        message: '%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Up',
        fields: {
          peer: '10.0.0.2',
          name: 'tor-a',
          old: 'OpenConfirm',
          new: 'Established',
          holdSeconds: 9,
          families: [4],
        },
      },
      {
        level: 'info',
        message: '%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down - NOTIFICATION received: Cease / Administrative Shutdown',
        fields: {
          peer: '10.0.0.2',
          name: 'tor-a',
          old: 'Established',
          new: 'Active',
          reason: 'notification',
          code: 6,
          subcode: 2,
          uptimeSeconds: 8,
        },
      },
    ]);
  });

  const downs: readonly (readonly [string, string, () => unknown])[] = [
    ['remote', 'the peer closed the connection', () => bench.last.hangUp()],
    ['socket', 'the peer reset the connection', () => bench.last.hangUp('the peer reset the connection', 'ECONNRESET')],
    [
      'hold',
      'NOTIFICATION sent: Hold Timer Expired (hold timer expired: nothing heard for 9 s)',
      () => bench.clock.advance(9001),
    ],
    [
      'notification',
      'NOTIFICATION sent: Message Header Error / Connection Not Synchronized (marker octet 0 is 0, not 255)',
      () => bench.last.sayOctets(new Uint8Array(19)),
    ],
    [
      'limit',
      'NOTIFICATION sent: Cease / Maximum Number of Prefixes Reached (too many)',
      () => bench.session.reset({ text: 'too many', code: [6, 1], data: new Uint8Array() }, 60),
    ],
    [
      'limit',
      'NOTIFICATION sent: Cease / Maximum Number of Prefixes Reached, Hard Reset (too many)',
      () => bench.session.reset(hardReset({ text: 'too many', code: [6, 1], data: new Uint8Array() }), 60),
    ],
    ['bfd', 'NOTIFICATION sent: Cease / BFD Down (no echo)', () => bench.session.bfdDown('no echo')],
    ['config', 'the settings of the peer changed', () => bench.session.restart('the settings of the peer changed')],
    [
      'local',
      'NOTIFICATION sent: Cease / Administrative Shutdown (administratively shut down: kernel update)',
      () => bench.session.stop(shutdownFault('kernel update')),
    ],
    ['local', 'we hung up without a NOTIFICATION', () => bench.session.stop()],
  ];
  test.each(downs)('%s: Down - %s', async (reason, text, happens) => {
    bench.establish();
    await happens();
    expect(adjacency().map(({ message }) => message)).toEqual([
      '%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Up',
      `%BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down - ${text}`,
    ]);
    expect(adjacency()[1]?.fields['reason']).toBe(reason);
  });

  test('tells a reason for not being up once, however often it recurs and whatever comes between', async () => {
    for (let i = 0; i < 100; i++) {
      await bench.clock.advance(3000);
      bench.last.hangUp('no route to the peer (host unreachable)', 'EHOSTUNREACH');
      await bench.clock.advance(5000);
    }
    expect(bench.said('info')).toEqual([
      'session not up: no answer to our connection attempt within 3 s',
      'session not up: no route to the peer (host unreachable)',
    ]);
    bench.last.hangUp('connection refused', 'ECONNREFUSED');
    expect(bench.said('info').at(-1)).toBe('session not up: connection refused');
  });

  test('tells it again after an hour, and after the session was up', async () => {
    bench.last.hangUp('connection refused');
    await bench.clock.advance(5000);
    bench.establish().hangUp();
    await bench.clock.advance(1000);
    bench.last.hangUp('connection refused');
    const told = (): number => bench.said('info').filter((text) => text.includes('refused')).length;
    expect(told()).toBe(2);
    await bench.clock.advance(5000);
    bench.last.hangUp('connection refused');
    expect(told()).toBe(2);
    await bench.clock.advance(3_600_000);
    bench.last.hangUp('connection refused');
    expect(told()).toBe(3);
  });

  test('is not flooded by a peer that makes up a new reason each time', async () => {
    for (let asn = 1; asn < 100; asn++) {
      bench.last.open().say({ ...bench.open, capabilities: [], asn });
      await bench.clock.advance(35_000);
    }
    expect(bench.said('info').length).toBeLessThan(40);
  });
});
