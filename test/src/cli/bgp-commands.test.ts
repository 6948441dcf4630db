/** `peer …`, `route explain` and `routes …`: what is asked of the agent, and what an operator reads. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeShell } from '../../support/cli.ts';
import { explainReport, pathReport, peerReport, routeReport } from '../../support/bgp-reports.ts';

let shell: FakeShell;
beforeEach(() => {
  shell = new FakeShell();
  shell.now = Date.parse('2026-11-25T03:05:00Z');
});

const lines = async (...args: readonly string[]): Promise<readonly string[]> => {
  const { exitCode, stdout, stderr } = await shell.run(...args);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout.split('\n').map((line) => line.trimEnd());
};
const sentence = async (code: number, args: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await shell.run(...args);
  expect([exitCode, stdout]).toEqual([code, '']);
  return stderr;
};
const failure = (...args: readonly string[]): Promise<string> => sentence(1, args);
const misuse = (...args: readonly string[]): Promise<string> => sentence(64, args);
const json = async (...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await shell.run(...args, '-o', 'json')).stdout);

const PEER = 'GET /v1/bgp/peers/10.0.0.2';

describe('peer explain', () => {
  test('is one screen: who, why, the evidence, what to check', async () => {
    shell.answers[`${PEER}/explain`] = explainReport({ description: 'rack 1' });
    expect(await lines('peer', 'explain', '10.0.0.2')).toEqual([
      'Peer 10.0.0.2 "rack 1" (node specific, BGPPeer(tor-a)): Active for 5 min, since 2026-11-25T03:00:00Z',
      'Why:  10.0.0.2 is there, but nobody listens on its port 179 (ECONNREFUSED) [nobody listens]',
      'Evidence:',
      '  we dialled once',
      '  1 s ago: connection refused',
      'Check next:',
      '  1. that the BGP daemon runs there',
      '  2. a firewall',
      '',
    ]);
  });

  test('of one that waits after an error says how not to wait', async () => {
    shell.answers[`${PEER}/explain`] = explainReport({ state: 'Idle', cause: 'wrong AS' });
    expect(await lines('peer', 'explain', '10.0.0.2')).toContain(
      '  3. when it is mended: calicoctl-ts peer reset 10.0.0.2, which tries again at once',
    );
    shell.answers[`${PEER}/explain`] = explainReport({ state: 'Idle', cause: 'shut down here' });
    expect((await lines('peer', 'explain', '10.0.0.2')).join()).not.toContain('peer reset');
  });

  test('of one that is up has nothing to check', async () => {
    const up = { state: 'Established', cause: 'established', verdict: 'the session is up', next: [], evidence: [] };
    shell.answers[`${PEER}/explain`] = explainReport(up);
    expect((await lines('peer', 'explain', '10.0.0.2')).slice(1)).toEqual([
      'Why:  the session is up [established]',
      '',
    ]);
  });

  test('of an address that is no peer says why it is none', async () => {
    const answer = {
      address: '10.0.0.7',
      isConfigured: false,
      cause: 'not configured here',
      verdict: 'BGPPeer(tor-b) names 10.0.0.7, but is for Node(n2) alone',
      evidence: ['it has not tried to connect to us'],
      next: ['the address'],
    };
    shell.answers['GET /v1/bgp/peers/10.0.0.7/explain'] = answer;
    expect((await lines('peer', 'explain', '10.0.0.7')).slice(0, 2)).toEqual([
      '10.0.0.7 is no peer of this node',
      'Why:  BGPPeer(tor-b) names 10.0.0.7, but is for Node(n2) alone [not configured here]',
    ]);
    expect(await json('peer', 'explain', '10.0.0.7')).toEqual(answer);
  });

  test('asks for a link-local peer with its link', async () => {
    shell.answers['GET /v1/bgp/peers/fe80%3A%3A1%25eth0/explain'] = explainReport();
    expect(await lines('peer', 'explain', 'fe80::1%eth0')).toContain('Evidence:');
  });

  test('without an address, or without an agent, is one sentence', async () => {
    expect(await misuse('peer', 'explain')).toBe("missing required argument 'address'\n");
    expect(await failure('peer', 'explain', '10.0.0.2', '--socket', '/x.sock')).toBe(
      `nobody answers ${PEER}/explain on /x.sock\n`,
    );
  });
});

describe('peer show', () => {
  test('without an address is a line for each peer', async () => {
    const down = { address: 'fe80::1%eth0', state: 'Active', flaps: 2, description: 'rack 2' } as const;
    const peers = [peerReport(), peerReport(down)];
    shell.answers['GET /v1/bgp/peers'] = peers;
    expect(await lines('peer', 'show')).toEqual([
      'PEER           AS      STATE         SINCE                  MSGRCVD   MSGSENT   RECEIVED   ACCEPTED   ADVERTISED   FLAPS   NAME',
      '10.0.0.2       65001   Established   2026-11-25T03:00:00Z   13        10        3          2          1            0       node specific',
      'fe80::1%eth0   65001   Active        2026-11-25T03:00:00Z   13        10        3          2          1            2       rack 2',
      '',
    ]);
    expect(await json('peer', 'show')).toEqual(peers);
  });

  test('of one has all that is known', async () => {
    const report = peerReport({
      bgpIdentifier: '10.0.0.2',
      holdSeconds: 90,
      connection: { local: '10.0.0.1 port 179', remote: '10.0.0.2 port 40000' },
      capabilities: { sent: ['IPv4 unicast', '4-octet AS 64512'], received: ['IPv4 unicast'] },
      lastError: 'connection refused',
      gracefulRestart: { negotiated: true, peerRestarting: true, staleRoutes: 3 },
      bfd: { state: 'Up', transmitMs: 300, flaps: 1 },
      incidents: [
        {
          at: '2026-11-25T02:59:59.5Z',
          kind: 'connection failed',
          text: 'connection refused',
          isFlap: false,
          count: 4,
        },
        { at: '2026-11-25T02:00:00Z', kind: 'connection lost', text: 'the peer reset the connection', isFlap: true },
      ],
    });
    shell.answers[PEER] = report;
    expect(await lines('peer', 'show', '10.0.0.2')).toEqual([
      'Peer 10.0.0.2: node specific, BGPPeer(tor-a)',
      '  State:          Established since 2026-11-25T03:00:00.123Z, 0 flaps',
      '  AS:             65001, ours 64512',
      '  BGP Identifier: 10.0.0.2',
      '  Hold time:      90 s',
      '  Connection:     10.0.0.1 port 179 to 10.0.0.2 port 40000',
      '  Reach:          dialled 1, TCP stood 1, dialled by the peer 0',
      '  IPv4 unicast:   3 prefixes received, 2 accepted, 1 advertised',
      '  Received:       1 OPEN, 4 UPDATE, 0 NOTIFICATION, 8 KEEPALIVE, 0 ROUTE-REFRESH',
      '  Sent:           1 OPEN, 2 UPDATE, 0 NOTIFICATION, 7 KEEPALIVE, 0 ROUTE-REFRESH',
      '  We offer:       IPv4 unicast; 4-octet AS 64512',
      '  Peer offers:    IPv4 unicast',
      '  Restarting:     3 stale routes',
      '  BFD:            Up, every 300 ms, 1 flaps',
      '  Last error:     connection refused',
      'History, the newest first:',
      '  2026-11-25T02:59:59Z  connection refused (4 times)',
      '  2026-11-25T02:00:00Z  flap: the peer reset the connection',
      '',
    ]);
    expect(await json('peer', 'show', '10.0.0.2')).toEqual(report);
  });
});

describe('peer reset and peer refresh', () => {
  test('a reset tells the peer why', async () => {
    shell.answers['POST /v1/bgp/peers/10.0.0.2/reset'] = undefined;
    expect(await lines('peer', 'reset', '10.0.0.2', '-m', 'new optics')).toEqual([
      'the session with 10.0.0.2 was reset',
      '',
    ]);
    await lines('peer', 'reset', '10.0.0.2');
    expect(shell.posted).toEqual([
      ['/v1/bgp/peers/10.0.0.2/reset', { message: 'new optics' }, 0],
      ['/v1/bgp/peers/10.0.0.2/reset', { message: 'reset by an operator' }, 0],
    ]);
  });

  test('a refresh says what was asked for, or that nothing could be', async () => {
    const request = 'POST /v1/bgp/peers/10.0.0.2/refresh';
    shell.answers[request] = { families: ['IPv4 unicast', 'IPv6 unicast'] };
    expect(await lines('peer', 'refresh', '10.0.0.2')).toEqual([
      '10.0.0.2 was asked for IPv4 unicast and IPv6 unicast',
      '',
    ]);
    shell.answers[request] = { families: [] };
    expect((await lines('peer', 'refresh', '10.0.0.2'))[0]).toMatch(/^10\.0\.0\.2 cannot be asked/);
  });
});

describe('route explain', () => {
  const asked = (prefix: string): string => `GET /v1/bgp/explain?prefix=${encodeURIComponent(prefix)}`;

  test('goes from the origin to those who are told', async () => {
    const attributes = { nextHop: '10.0.0.1', asPath: '64512 65001', origin: 'igp', communities: ['64512:7'], med: 5 };
    const to = (peer: string) => ({ prefix: '10.50.0.0/16', to: `${peer} (global)`, from: '10.0.0.2 (node specific)' });
    const report = routeReport({
      asked: '10.50.1.2',
      originator: 'AS 65001, by the AS_PATH 65001',
      own: 'does not tell 10.48.0.0/26: ippool p has disableBGPExport',
      paths: [
        { ...pathReport({ localPref: 50 }), changes: ['LOCAL_PREF none → 50'], rule: 'rule 1 of BGPFilter(f)' },
        {
          ...pathReport({ best: false, from: '10.0.0.3 (global)', pathId: 7, stale: true, asPath: '' }),
          reason: 'rejected on import by rule 2 of BGPFilter(f)',
          rule: 'rule 2 of BGPFilter(f)',
          changes: [],
        },
      ],
      advertised: [
        { ...to('10.0.0.4'), outcome: 'sent', attributes, reason: 'accepted by rule 1 of BGPFilter(out)' },
        { ...to('10.0.0.5'), outcome: 'sent', pathId: 3, attributes },
        { ...to('10.0.0.5'), from: '10.0.0.3 (global)', outcome: 'waiting', pathId: 4, attributes },
        { ...to('10.0.0.2'), outcome: 'kept back', reason: 'it came from this peer' },
      ],
      kernel: {
        prefix: '10.50.0.0/16',
        class: 'external',
        target: 'via 10.0.0.2 dev eth0',
        state: 'failed',
        reason: 'learned from 10.0.0.2',
        error: 'no such device',
      },
    });
    shell.answers[asked('10.50.1.2')] = report;
    const told = 'next hop 10.0.0.1, AS_PATH 64512 65001, origin igp, MED 5, communities 64512:7';
    expect(await lines('route', 'explain', '10.50.1.2')).toEqual([
      '10.50.0.0/16, which holds 10.50.1.2: the path from 10.0.0.2 (node specific) is best, the only path',
      'Originated by: AS 65001, by the AS_PATH 65001',
      'This node does not tell 10.48.0.0/26: ippool p has disableBGPExport',
      'Paths:',
      '  * 10.0.0.2 (node specific): best path',
      '      next hop 10.0.0.2, AS_PATH 65001, origin igp, LOCAL_PREF 50',
      '      decided by rule 1 of BGPFilter(f)',
      '      import changed: LOCAL_PREF none → 50',
      '    10.0.0.3 (global) path 7: rejected on import by rule 2 of BGPFilter(f); stale: its peer is restarting',
      '      next hop 10.0.0.2, AS_PATH empty, origin igp',
      'Peers are told:',
      `  10.0.0.4 (global): sent: accepted by rule 1 of BGPFilter(out) (${told})`,
      `  10.0.0.5 (global): sent path 3, from 10.0.0.2 (node specific) (${told})`,
      `  10.0.0.5 (global): waiting path 4, from 10.0.0.3 (global) (${told})`,
      '  10.0.0.2 (global): not told: it came from this peer',
      'Kernel: 10.50.0.0/16 via 10.0.0.2 dev eth0, failed: learned from 10.0.0.2; no such device',
      '',
    ]);
    expect(await json('route', 'explain', '10.50.1.2')).toEqual(report);
  });

  test('of what nobody told is one line, and a host prefix is the address that was asked for', async () => {
    const verdict = 'nobody has told this speaker of 192.0.2.1/32, nor of a prefix around it';
    shell.answers[asked('192.0.2.1')] = routeReport({ asked: '192.0.2.1', prefix: '192.0.2.1/32', verdict, paths: [] });
    expect(await lines('route', 'explain', '192.0.2.1')).toEqual([`192.0.2.1/32: ${verdict}`, '']);
  });

  test('without a prefix, or without an agent, is one sentence', async () => {
    expect(await misuse('route', 'explain')).toBe("missing required argument 'prefix'\n");
    expect(await failure('route', 'explain', '::/0')).toMatch(/^nobody answers GET \S+ on \/var\/run\/calico\/\S+\n$/);
  });
});

describe('routes', () => {
  test.each(['received', 'accepted', 'best'])('%s are the paths of BGP', async (table) => {
    const paths = [
      pathReport({ med: 5, localPref: 100 }),
      pathReport({ best: false, reason: 'lost by: b) lower ORIGIN', pathId: 7, stale: true, asPath: '' }),
    ];
    shell.answers[`GET /v1/bgp/routes?which=${table}`] = paths;
    expect(await lines('routes', table)).toEqual([
      'PREFIX                BEST   NEXTHOP    ASPATH   LOCPREF   MED   FROM                       REASON',
      '10.50.0.0/16          *      10.0.0.2   65001    100       5     10.0.0.2 (node specific)   best path',
      '10.50.0.0/16 path 7          10.0.0.2   -        -         -     10.0.0.2 (node specific)   lost by: b) lower ORIGIN; stale, its peer is restarting',
      '',
    ]);
    expect(await json('routes', table)).toEqual(paths);
  });

  test('of one peer, and all paths of BGP', async () => {
    shell.answers['GET /v1/bgp/routes?peer=fe80%3A%3A1%25eth0&which=best'] = [pathReport()];
    expect(await lines('routes', 'best', '--peer', 'fe80::1%eth0')).toHaveLength(3);
    shell.answers['GET /v1/bgp/routes?which=all'] = [];
    expect(await lines('routes', '--bgp')).toHaveLength(2);
  });

  test('advertised are what peers have, or are about to', async () => {
    const attributes = { nextHop: '10.0.0.1', asPath: '', origin: 'igp', communities: [], localPref: 100 };
    const told = { prefix: '10.1.0.0/16', to: '10.0.0.2 (global)', from: 'this node', outcome: 'sent', attributes };
    shell.answers['GET /v1/bgp/advertised?peer=10.0.0.2'] = [told, { ...told, pathId: 2, outcome: 'waiting' }];
    expect(await lines('routes', 'advertised', '--peer', '10.0.0.2')).toEqual([
      'PREFIX               TO                  STATE     NEXTHOP    ASPATH   LOCPREF   MED   FROM',
      '10.1.0.0/16          10.0.0.2 (global)   sent      10.0.0.1   -        100       -     this node',
      '10.1.0.0/16 path 2   10.0.0.2 (global)   waiting   10.0.0.1   -        100       -     this node',
      '',
    ]);
    expect(await json('routes', 'advertised', '--peer', '10.0.0.2')).toHaveLength(2);
  });

  test('alone are those that felix programs, and know no peer', async () => {
    shell.answers['GET /v1/routes'] = [
      { prefix: '10.1.0.0/16', class: 'external', target: 'via x', state: 'failed', reason: 'r', error: 'no device' },
    ];
    expect((await lines('routes'))[1]).toBe('10.1.0.0/16   via x    failed   r; no device');
    expect(await misuse('routes', '--peer', '10.0.0.2')).toBe(
      '--peer needs a table: received, accepted, best or advertised\n',
    );
  });

  test('of another name are none', async () => {
    expect(await misuse('routes', 'sent')).toMatch(/^command-argument value 'sent' is invalid .* received, accepted/);
  });
});
