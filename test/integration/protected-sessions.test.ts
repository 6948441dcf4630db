import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseNetstat } from '../../bird/peer/tcp-counters.ts';
import { tcpTransport } from '../../bird/peer/tcp.ts';
import { openNamespace } from '../../felix/netlink/namespace.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import {
  BgpLab,
  missingForLab,
  NODE_ADDRESS,
  NODE_ADDRESS6,
  SWITCH_ADDRESS,
  SWITCH_ADDRESS6,
} from '../support/bgp-lab.ts';
import type { SpeakerHandle } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import type { PeerText } from '../support/bgp.ts';
import { run } from '../support/netns.ts';
import { HeardEnd } from '../support/tcp-lab.ts';

const missing = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');

const ENDS = [
  ['IPv4', 4, SWITCH_ADDRESS, NODE_ADDRESS],
  ['IPv6', 6, SWITCH_ADDRESS6, NODE_ADDRESS6],
] as const;

/** A BIRD that has one neighbor, with these lines in its protocol. */
const birdConfig = (family: 4 | 6, ...lines: readonly string[]): string => `
router id ${SWITCH_ADDRESS};
protocol device {}
protocol static { ipv4; route 10.50.0.0/16 blackhole; }
protocol static { ipv6; route 2001:db8:50::/48 blackhole; }
protocol bgp node {
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv${family} { import all; export all; };
  ${lines.join('\n  ')}
}
`;

let lab: BgpLab;

beforeEach(() => {
  lab = new BgpLab('sec');
});
afterEach(() => lab.close());

const established = (speaker: SpeakerHandle, more: object = {}): Promise<void> =>
  eventually(async () => expect((await speaker.status()).peers).toMatchObject([{ state: 'Established', ...more }]));

/** Each has dialled the other again and again, and the kernels have thrown it away. */
const allInVain = (): Promise<void> =>
  eventually(() => {
    const drops = [lab.node, lab.switch].map((name) => {
      const counters = parseNetstat(run('ip', 'netns', 'exec', name, 'cat', '/proc/net/netstat'))!;
      return counters.md5NotFound + counters.md5Unexpected + counters.md5Failure + counters.minTtlDrop;
    });
    expect(drops[0]! + drops[1]!).toBeGreaterThan(5);
  });

describe.skipIf(missing !== undefined)(`sessions with a real BIRD 2 ${missing ?? ''}`, () => {
  describe.each(ENDS)('over %s', (...[, family, theirs, ours]) => {
    const ends = `local ${theirs} as 65001; neighbor ${ours} as 64512;`;
    const peer = (more: Partial<PeerText> = {}): PeerText => ({
      address: theirs,
      remoteAsn: 65001,
      localAddress: ours,
      families: [family],
      ...more,
    });

    const start = async (more: Partial<PeerText>, ...lines: readonly string[]): Promise<SpeakerHandle> => {
      lab.startBird(birdConfig(family, ends, ...lines));
      const speaker = await lab.speaker();
      await speaker.tell({ do: 'setOriginated', prefixes: [family === 4 ? '192.168.5.0/26' : 'fd00:5::/122'] });
      await speaker.tell({ do: 'setPeers', peers: [peer(more)] });
      return speaker;
    };

    test.each<[string, Partial<PeerText>, string]>([
      ['we dial', {}, 'passive on;'],
      ['it dials', { passive: true }, ''],
    ])('MD5 and TTL security: %s, and routes come', async (...[, more, line]) => {
      const protection = { password: 'secret', ttlSecurityHops: 1 };
      const speaker = await start({ ...protection, ...more }, 'password "secret"; ttl security on;', line);
      await established(speaker, { flaps: 0 });
      await eventually(async () => expect((await speaker.status()).learned).toHaveLength(1));
    });

    test.each<[string, Partial<PeerText>, string]>([
      ['another password', { password: 'other' }, 'password "secret";'],
      ['a password on our side alone', { password: 'secret' }, ''],
      ['a password on its side alone', {}, 'password "secret";'],
      ['TTL security on our side alone', { ttlSecurityHops: 1 }, ''],
    ])('%s: no session, whoever dials, until both agree', async (...[, more, line]) => {
      const speaker = await start(more, line);
      await allInVain();
      expect((await speaker.status()).peers[0]?.state).not.toBe('Established');
      const agreed = line === '' ? {} : { password: 'secret' };
      await speaker.tell({ do: 'setPeers', peers: [peer(agreed)] });
      // Where it heard our OPEN and we nothing, it holds on to that connection for its hold time.
      lab.birdc('restart', 'node');
      await established(speaker);
    });

    test('a password that is changed on the running peer resets its session, and counts from then on', async () => {
      const speaker = await start({ password: 'secret' }, 'password "secret";');
      await established(speaker);
      await speaker.tell({ do: 'setPeers', peers: [peer({ password: 'next' })] });
      await allInVain();
      expect((await speaker.status()).peers).toMatchObject([{ flaps: 1 }]);
      expect((await speaker.status()).peers[0]?.state).not.toBe('Established');
      lab.file('bird.conf', birdConfig(family, ends, 'password "next";'));
      lab.birdc('configure');
      await established(speaker);
    });

    test('a dynamic peer signs with the password of its range', async () => {
      lab.startBird(birdConfig(family, ends, 'password "of the rack"; ttl security on;'));
      const speaker = await lab.speaker();
      const template = { remoteAsn: 65001, families: [family], password: 'of the rack', ttlSecurityHops: 1 };
      const prefix = family === 4 ? '10.99.0.0/24' : '2001:db8:99::/64';
      await speaker.tell({ do: 'setDynamicPeers', ranges: [{ prefix, limit: 2, template }] });
      await established(speaker, { address: theirs, isDynamic: true });
    });
  });

  test.each<[string, Partial<PeerText>, string]>([
    ['we dial', {}, 'passive on;'],
    ['it dials', { passive: true }, ''],
  ])('link-local addresses, signed: %s', async (...[, more, line]) => {
    for (const [namespace, address] of [
      [lab.node, 'fe80::1'],
      [lab.switch, 'fe80::2'],
    ] as const) {
      execFileSync('ip', ['-n', namespace, 'address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    }
    const ends = 'local fe80::2 as 65001; neighbor fe80::1 as 64512; interface "eth0";';
    lab.startBird(birdConfig(6, ends, 'password "secret"; ttl security on;', line));
    const speaker = await lab.speaker({ listen: [{ address: '::', port: 179 }] });
    const link = { interface: 'eth0', password: 'secret', ttlSecurityHops: 1, localAddress: 'fe80::1' };
    const peer = { address: 'fe80::2', remoteAsn: 65001, families: [6] as const, ...link, ...more };
    await speaker.tell({ do: 'setPeers', peers: [peer] });
    await established(speaker, { address: 'fe80::2' });
  });

  describe('callers that never speak', () => {
    const STRANGER = '10.99.0.77';

    /** One connection from each of these addresses, all at once. */
    const flood = (sources: readonly string[]): readonly HeardEnd[] => {
      const namespace = openNamespace(loadLibc(), `/var/run/netns/${lab.switch}`);
      const target = { address: parseIpAddress(NODE_ADDRESS), port: 179 };
      const call = (source: string): HeardEnd =>
        new HeardEnd(tcpTransport.connect({ ...target, localAddress: parseIpAddress(source) }));
      try {
        return namespace.visit(() => sources.map(call));
      } finally {
        namespace.close();
      }
    };

    const addSources = (...addresses: readonly string[]): void => {
      for (const address of addresses) {
        execFileSync('ip', ['-n', lab.switch, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
      }
    };

    const startWithBird = async (...wrapper: readonly string[]): Promise<SpeakerHandle> => {
      lab.startBird(birdConfig(4, `local ${SWITCH_ADDRESS} as 65001; neighbor ${NODE_ADDRESS} as 64512;`));
      const speaker = await lab.speaker({}, ...wrapper);
      await speaker.tell({ do: 'setPeers', peers: [{ address: SWITCH_ADDRESS, remoteAsn: 65001 }] });
      await established(speaker);
      return speaker;
    };

    test('ten thousand of them cost nothing that stays, and the session that is up notices nothing', async () => {
      addSources(STRANGER);
      const speaker = await startWithBird();
      const before = await speaker.status();
      for (let i = 0; i < 10_000; i += 500) {
        const ends = flood(Array<string>(500).fill(STRANGER));
        await eventually(() => expect(ends.every(({ reason }) => reason !== undefined)).toBe(true));
      }
      const after = await speaker.status();
      expect(after.peers).toMatchObject([{ state: 'Established', flaps: 0 }]);
      expect(after.refused).toMatchObject([{ address: STRANGER, count: 10_000 }]);
      await eventually(async () =>
        expect((await speaker.status()).openDescriptors).toBeLessThanOrEqual(before.openDescriptors),
      );
      expect(after.residentMb - before.residentMb).toBeLessThan(60);
    });

    test('no descriptor left for them: the process lives, the session stands, and later callers are let in', async () => {
      const sources = Array.from({ length: 62 }, (_, i) => `10.99.0.${i + 65}`);
      addSources(...sources);
      const speaker = await startWithBird('prlimit', '--nofile=48');
      const ranges = [{ prefix: '10.99.0.64/26', limit: 64, template: { remoteAsn: 65001 } }];
      await speaker.tell({ do: 'setDynamicPeers', ranges });
      const ends = flood(sources);
      // It has none left to count them with.
      await eventually(async () => expect((await speaker.status()).openDescriptors).toBe(-1));
      expect((await speaker.status()).peers[0]).toMatchObject({ state: 'Established', flaps: 0 });
      for (const { connection } of ends) connection.destroy();
      await eventually(async () => expect((await speaker.status()).openDescriptors).toBeGreaterThan(0));
      const [late] = flood(sources);
      await eventually(() => expect(late?.text).not.toBe(''));
      late?.connection.destroy();
      expect((await speaker.status()).peers[0]).toMatchObject({ state: 'Established', flaps: 0 });
    });
  });
});
