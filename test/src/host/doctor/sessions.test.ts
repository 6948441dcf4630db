/** What the agent says of itself and of its peers, and whether TCP gets to those that are down. */
import { describe, expect, test } from 'vitest';
import { checkAgent } from '../../../../src/host/doctor/agent.ts';
import { calleesOf, judgeSessions } from '../../../../src/host/doctor/bgp-sessions.ts';
import type { ClusterFacts, HostFacts } from '../../../../src/host/doctor/host-facts.ts';
import type { DialOutcome } from '../../../../src/host/probe/dial.ts';
import { formatIpAddress } from '../../../../src/model/ip.ts';
import { node } from '../../../support/dataplane-inputs.ts';
import * as build from '../../../support/doctor-facts.ts';
import {
  ABSENT,
  agentStatus as agent,
  peerStatus as peer,
  speakerStatus as speaker,
} from '../../../support/doctor-facts.ts';
import { verdicts as words } from '../../../support/doctor-facts.ts';

const CLUSTER = {
  self: node('node-a', '172.30.7.11/24', { ipv6: 'fd30::11/64' }),
  others: [node('node-b', '172.30.7.12/24', { ipv6: 'fd30::12/64' }), node('node-c', '172.30.7.13/24')],
};
const facts = (some: Partial<HostFacts>, bgp: Partial<ClusterFacts['bgp']> = {}): HostFacts => {
  const portOf = (name: string | undefined): number => (name === 'node-c' ? 1790 : 179);
  return build.hostFacts({ cluster: build.clusterFacts(CLUSTER, { portOf, ...bgp }), ...some });
};

describe('the agent', () => {
  const told = (status: HostFacts['agent']): readonly string[] => words(checkAgent({ agent: status }));

  test('is there or not, alone or with a dataplane', () => {
    expect(told(agent())).toEqual(['ok: runs, and is well (process 71)']);
    expect(told(speaker())).toEqual(['ok: a speaker alone runs (process 71)']);
    expect(checkAgent({ agent: ABSENT })).toMatchObject([
      { verdict: 'warning', what: 'none answers', evidence: ['nobody listens'] },
    ]);
    expect(checkAgent({ agent: { absent: 'permission denied: be root', mayBeThere: true } })).toEqual([
      { check: 'agent', verdict: 'unknown', what: 'could not be asked', todo: 'permission denied: be root' },
    ]);
  });

  test('its parts that are not well, refused routes, fights, NAT that is not there', () => {
    const reporter = (name: string, live: boolean, ready: boolean) => ({ name, live, ready, detail: 'why' });
    const reporters = [
      reporter('bgp', true, true),
      reporter('datastore', true, false),
      reporter('netlink', false, false),
    ];
    const nat = [
      { subject: 'ippool a (10.48.0.0/16)', state: 'failed', reason: 'natOutgoing', error: 'install libnftables' },
      { subject: 'vxlan.calico', state: 'in force', reason: 'x' },
    ];
    const fights = ['route 10.48.1.0/26: 7 repairs, deleted by process 812 (bird)'];
    const dataplane = { routes: 9, pending: 0, failed: 2, fights };
    const status = agent({ health: { live: false, ready: false, reporters }, dataplane, nat });
    expect(told(status)).toEqual([
      'warning: its datastore is not ready: why',
      'problem: its netlink is not live: why',
      'problem: the kernel refuses 2 of its routes',
      `warning: somebody undoes what it does, again and again: ${fights[0]!}`,
      'problem: no NAT for ippool a (10.48.0.0/16)',
    ]);
    expect(checkAgent({ agent: status }).at(-1)!.todo).toMatch(/^install libnftables/);
  });
});

describe('who is dialled', () => {
  const dialled = (some: Partial<HostFacts>, names?: readonly string[], bgp?: Partial<ClusterFacts['bgp']>) =>
    calleesOf(facts(some, bgp), names).map(({ address, port, name }) => [formatIpAddress(address), port, name]);

  test('the peers of the agent that are down, nodes by their names', () => {
    const peers = [
      ...[peer('172.30.7.12'), peer('fd30::12', 'Active'), peer('10.0.0.1', 'Connect', { port: 1179 })],
      peer('fe80::1%eth0', 'Active'),
    ];
    expect(dialled({ agent: speaker(...peers) })).toEqual([
      ['fd30::12', 179, 'node-b (fd30::12)'],
      ['10.0.0.1', 1179, '10.0.0.1'],
    ]);
    expect(dialled({ agent: speaker(...peers) }, ['node-b'])).toEqual([['fd30::12', 179, 'node-b (fd30::12)']]);
    expect(dialled({ agent: speaker(...peers) }, ['node-c'])).toEqual([]);
  });

  test('without an agent the nodes of the mesh, in each family that both have; without a mesh nobody', () => {
    const mesh = [
      ['172.30.7.12', 179, 'node-b (172.30.7.12)'],
      ['fd30::12', 179, 'node-b (fd30::12)'],
      ['172.30.7.13', 1790, 'node-c (172.30.7.13)'],
    ];
    expect(dialled({})).toEqual(mesh);
    const single = { ...CLUSTER, self: node('node-a', '172.30.7.11/24') };
    expect(dialled({ cluster: build.clusterFacts(single) }).map(([address]) => address)).toEqual([
      ...['172.30.7.12', '172.30.7.13'],
    ]);
    expect(dialled({}, ['node-c'])).toEqual([mesh[2]]);
    expect(dialled({}, undefined, { hasMesh: false })).toEqual([]);
    expect(dialled({ cluster: { unknown: 'no datastore' } })).toEqual([]);
  });
});

describe('what it means', () => {
  const CONNECTED: DialOutcome = { kind: 'connected' };
  const SILENT: DialOutcome = { kind: 'silent' };
  const failed = (code: string): DialOutcome => ({ kind: 'failed', code });
  const judge = (some: Partial<HostFacts>, outcomes: readonly DialOutcome[], bgp?: Partial<ClusterFacts['bgp']>) => {
    const known = facts(some, bgp);
    return judgeSessions(
      known,
      calleesOf(known).map((callee, i) => ({ callee, outcome: outcomes[i]! })),
    );
  };
  const down = speaker(peer('172.30.7.12', 'Active', { lastError: 'Hold Timer Expired' }), peer('172.30.7.13'));

  test.each([
    [CONNECTED, 'TCP port 179 there answers from here, so it is not the way there'],
    [SILENT, 'TCP from here to port 179 there gets no answer'],
    [failed('ECONNREFUSED'), 'nobody listens on TCP port 179 there'],
    [failed('EPERM'), 'this host lets no TCP to port 179 out'],
    [failed('EHOSTUNREACH'), 'it cannot be reached (EHOSTUNREACH)'],
    [failed('EADDRNOTAVAIL'), 'TCP port 179 there cannot be dialled (EADDRNOTAVAIL)'],
  ])('a session that is down and %j', (outcome, reason) => {
    const findings = judge({ agent: down }, [outcome]);
    expect(words(findings)).toEqual([
      'ok: 1 of 2 peers are Established',
      `problem: no session with node-b (172.30.7.12): ${reason}`,
    ]);
    expect(findings[1]!.todo).toMatch(/calicoctl-ts peer explain 172\.30\.7\.12 says more$/);
    expect(findings[1]!.evidence![0]).toBe('the agent: Active, Hold Timer Expired');
  });

  test('none up is no line of its own; no peers at all is well', () => {
    expect(words(judge({ agent: speaker(peer('172.30.7.12', 'Active')) }, [SILENT]))).toHaveLength(1);
    expect(words(judge({ agent: speaker() }, []))).toEqual(['ok: this node has no peers']);
  });

  test('without an agent and without a mesh nobody knows', () => {
    expect(words(judge({}, [], { hasMesh: false }))).toEqual([
      'unknown: there is no mesh, and only an agent knows the peers of this node',
    ]);
  });

  test('without an agent a silent port is a problem, but none where passwords are in use', () => {
    const outcomes = [CONNECTED, CONNECTED, SILENT];
    const well = 'ok: the BGP port of 2 of 3 addresses of nodes answers from here';
    expect(words(judge({}, outcomes))).toEqual([
      well,
      'problem: node-c (172.30.7.13): TCP from here to port 1790 there gets no answer',
    ]);
    expect(words(judge({}, outcomes, { hasPasswords: true }))).toEqual([
      well,
      'unknown: node-c (172.30.7.13): TCP from here to port 1790 there gets no answer, or it answers only who has its password',
    ]);
  });
});
