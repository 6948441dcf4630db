/**
 * We are in the middle: a daemon of another AS on one side, one of ours on the other, IPv4 and IPv6 sessions with each. The
 * trials that only look at routes share it, and each withdraws what it has announced.
 */
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { LabSpeakerFile } from '../support/lab-speaker.ts';
import type { LabSpeaker, SpeakerLab } from '../support/speaker-lab.ts';
import { FAMILIES } from './families.ts';
import type { Family } from './families.ts';
import type { Labs } from './labs.ts';
import { pathOf, prefixesFrom } from './live-daemon.ts';
import type { LiveDaemon, LiveKind } from './live-daemon.ts';
import { pathsFrom, refreshes, report, toldUs } from './ours.ts';

/** Both above 65535. */
const OURS = 4200000001;
const EXTERNAL = 4200000065;

const ORIGINATED = [
  {
    prefix: '203.0.113.0/24',
    communities: ['64512:1', 'NO_PEER'],
    largeCommunities: ['64512:1:2', '4200000001:4294967295:0'],
    med: 5,
  },
  '203.0.114.0/24',
  '2001:db8:113::/48',
  '2001:db8:114::/48',
];

const KNOWN = {
  ipv4: { theirs: ['10.50.0.0/16', '10.51.0.0/16'], own: ['203.0.113.0/24', '203.0.114.0/24'] },
  ipv6: { theirs: ['2001:db8:50::/48', '2001:db8:51::/48'], own: ['2001:db8:113::/48', '2001:db8:114::/48'] },
} as const;

interface Middle<D extends LiveDaemon = LiveDaemon> {
  readonly lab: SpeakerLab;
  readonly file: LabSpeakerFile;
  readonly speaker: LabSpeaker;
  readonly external: D;
  readonly internal: D;
}

async function startMiddle<D extends LiveDaemon>(kind: LiveKind<D>, lab: SpeakerLab): Promise<Middle<D>> {
  const neighbors = FAMILIES.map((family) => ({ address: lab.host('us')[family], asn: OURS }));
  const [external, internal] = await Promise.all([
    kind.start(lab, 'ext', { asn: EXTERNAL, neighbors }),
    kind.start(lab, 'int', { asn: OURS, neighbors }),
  ]);
  const file: LabSpeakerFile = {
    asn: OURS,
    originate: ORIGINATED,
    peers: [
      ...FAMILIES.map((family) => ({ address: lab.host('ext')[family], asn: EXTERNAL })),
      ...FAMILIES.map((family) => ({ address: lab.host('int')[family], asn: OURS })),
    ],
  };
  const speaker = await lab.startSpeaker('us', file);
  for (const { address } of file.peers ?? []) await speaker.established(address);
  return { lab, file, speaker, external, internal };
}

async function session({ lab, speaker, external, internal }: Middle): Promise<void> {
  for (const family of FAMILIES) {
    const us = lab.host('us')[family];
    await eventually(() => expect([external.isEstablished(us), internal.isEstablished(us)]).toEqual([true, true]));
  }
  const { capabilities, messages } = await report(speaker, lab.host('ext').ipv4);
  expect(capabilities?.received).toEqual(expect.arrayContaining(['IPv4 unicast', `4-octet AS ${EXTERNAL}`]));
  expect(messages.received.notification).toBe(0);
  const { bgp } = await speaker.status();
  expect(bgp.peers.map(({ type, state, flaps }) => [type, state, flaps])).toEqual([
    ...[1, 2].map(() => ['eBGP', 'Established', 0]),
    ...[1, 2].map(() => ['iBGP', 'Established', 0]),
  ]);
}

async function bothWays({ lab, speaker, external, internal }: Middle, family: Family): Promise<void> {
  const [us, ext] = [lab.host('us')[family], lab.host('ext')[family]];
  const { theirs, own } = KNOWN[family];
  const routes = theirs.map((prefix) => ({ prefix, nextHop: ext }));
  external.announce(...routes);
  await toldUs(speaker, ext, theirs);
  const path = { best: true, nextHop: ext, asPath: String(EXTERNAL), stale: false };
  expect(await pathsFrom(speaker, ext)).toMatchObject([path, path]);
  await eventually(() => {
    expect(prefixesFrom(external, us)).toEqual(expect.arrayContaining([...own]));
    expect(prefixesFrom(internal, us)).toEqual([...theirs, ...own].sort());
  });
  expect(pathOf(external, own[0])).toMatchObject({ from: us, nextHop: us, asPath: [OURS] });
  // eBGP's next hop is kept in iBGP.
  expect(pathOf(internal, theirs[0])).toMatchObject({ from: us, nextHop: ext, asPath: [EXTERNAL] });
  expect(pathOf(internal, own[0])).toMatchObject({ from: us, nextHop: us, asPath: [], localPref: 100 });
  external.withdraw(...routes);
  await toldUs(speaker, ext, []);
}

async function withdraw({ lab, file, speaker, external, internal }: Middle): Promise<void> {
  const [us, ext] = [lab.host('us'), lab.host('ext')];
  const routes = [
    { prefix: '10.52.0.0/16', nextHop: ext.ipv4 },
    { prefix: '2001:db8:52::/48', nextHop: ext.ipv6 },
  ];
  external.announce(...routes);
  await eventually(() => {
    for (const { prefix } of routes) expect(pathOf(internal, prefix)).toBeDefined();
  });
  external.withdraw(...routes);
  for (const family of FAMILIES) await toldUs(speaker, ext[family], []);
  const left = ORIGINATED.filter((one) => typeof one !== 'string' || !one.includes('114'));
  expect(await speaker.reload({ ...file, originate: left })).toEqual([]);
  await eventually(() => {
    for (const there of [external, internal]) {
      expect(prefixesFrom(there, us.ipv4)).toEqual(['203.0.113.0/24']);
      expect(prefixesFrom(there, us.ipv6)).toEqual(['2001:db8:113::/48']);
    }
  });
  await speaker.reload(file);
}

/** We ask, it answers. */
async function weAsk({ lab, speaker, external }: Middle): Promise<void> {
  const [us, ext] = [lab.host('us').ipv4, lab.host('ext').ipv4];
  const route = { prefix: '10.58.0.0/16', nextHop: ext };
  external.announce(route);
  await toldUs(speaker, ext, [route.prefix]);
  const before = external.refreshesHeard(us);
  await refreshes(speaker, ext, () => expect(external.refreshesHeard(us)).toBe(before + 1));
  external.withdraw(route);
}

/** It asks, we answer. */
async function itAsks({ lab, speaker, external }: Middle, ask: (us: string) => void): Promise<void> {
  const [us, ext] = [lab.host('us').ipv4, lab.host('ext').ipv4];
  const before = await report(speaker, ext);
  const known = external.paths('ipv4').filter(({ from }) => from === us);
  expect(known.length).toBeGreaterThan(1);
  ask(us);
  await eventually(async () => {
    const { messages } = await report(speaker, ext);
    expect(messages.received.routeRefresh).toBe(before.messages.received.routeRefresh + 1);
    expect(messages.sent.update).toBeGreaterThan(before.messages.sent.update);
  });
  await eventually(() => expect(external.paths('ipv4').filter(({ from }) => from === us)).toEqual(known));
  expect((await report(speaker, ext)).flaps).toBe(0);
}

/** Of each type, RFC 4360 and 5668. */
const ROUTE_TARGETS = ['65010:100', '4200000001:9', '192.0.2.1:7'];

async function communities(
  { lab, speaker, external, internal }: Middle,
  routeTargets: readonly string[],
): Promise<void> {
  const ext = lab.host('ext').ipv4;
  const route = {
    ...{ prefix: '10.53.0.0/16', nextHop: ext },
    communities: ['65010:1', '65535:65284'],
    largeCommunities: ['65010:3:4294967295', '4200000001:1:2'],
    routeTargets,
  };
  const plain = [...route.communities, ...route.largeCommunities];
  external.announce(route);
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, ext, route.prefix);
    expect(new Set(path?.communities)).toEqual(new Set([...plain, ...routeTargets.map((it) => `target:${it}`)]));
  });
  const targets = routeTargets.map((target) => `rt ${target}`);
  await eventually(() =>
    expect(new Set(pathOf(internal, route.prefix)?.communities)).toEqual(new Set([...plain, ...targets])),
  );
  const own = pathOf(external, '203.0.113.0/24');
  expect(own?.med).toBe(5);
  expect(new Set(own?.communities)).toEqual(
    new Set(['64512:1', '65535:65284', '64512:1:2', '4200000001:4294967295:0']),
  );
  external.withdraw(route);
}

async function as4({ lab, speaker, external, internal }: Middle): Promise<void> {
  const ext = lab.host('ext').ipv4;
  const asPath = [65551, 64496, 4294967294];
  const route = { prefix: '10.54.0.0/16', nextHop: ext, asPath };
  external.announce(route);
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, ext, route.prefix);
    expect(path?.asPath).toBe([EXTERNAL, ...asPath].join(' '));
    expect(pathOf(internal, route.prefix)?.asPath).toEqual([EXTERNAL, ...asPath]);
  });
  external.withdraw(route);
}

type Look = () => Promise<void>;

interface Looks<D extends LiveDaemon> extends Readonly<
  Record<'session' | 'ipv4' | 'ipv6' | 'withdraw' | 'weAsk' | 'as4', Look>
> {
  /** Of the route targets those that the daemon can write. */
  readonly communities: (routeTargets?: readonly string[]) => Look;
  /** `ask` has the daemon ask the neighbor for everything again. */
  readonly itAsks: (ask: (external: D, us: string) => void) => Look;
  /** Something else that leaves all as it was. */
  readonly look: (trial: (middle: Middle<D>) => Promise<void>) => Look;
}

export function middleTrials<D extends LiveDaemon>(labs: Labs, kind: LiveKind<D>): Looks<D> {
  const middle = labs.shared(['us', 'ext', 'int'], (lab) => startMiddle(kind, lab));
  const look = (trial: (middle: Middle<D>) => Promise<void>) => async () => trial(await middle());
  return {
    look,
    session: look(session),
    ipv4: look((it) => bothWays(it, 'ipv4')),
    ipv6: look((it) => bothWays(it, 'ipv6')),
    withdraw: look(withdraw),
    weAsk: look(weAsk),
    itAsks: (ask) => look((it) => itAsks(it, (us) => ask(it.external, us))),
    communities: (routeTargets = ROUTE_TARGETS) => look((it) => communities(it, routeTargets)),
    as4: look(as4),
  };
}
