/** Routes between GoBGP and us: the trials that only look share one lab. */
import { expect } from 'vitest';
import { eventually } from '../../support/bgp-lab.ts';
import type { LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { LabSpeaker, SpeakerLab } from '../../support/speaker-lab.ts';
import { Exabgp } from '../exabgp/daemon.ts';
import type { Feature } from '../features.ts';
import type { Labs } from '../labs.ts';
import { LONG_PATH } from '../long-path.ts';
import { pathsFrom, refreshes, report, toldUs } from '../ours.ts';
import type { Trial } from '../suite.ts';
import { Gobgp } from './daemon.ts';

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

/** We are in the middle: an external GoBGP on one side, an internal one on the other, IPv4 and IPv6 sessions with each. */
interface Middle {
  readonly lab: SpeakerLab;
  readonly file: LabSpeakerFile;
  readonly speaker: LabSpeaker;
  readonly external: Gobgp;
  readonly internal: Gobgp;
}

async function startMiddle(lab: SpeakerLab): Promise<Middle> {
  const us = lab.host('us');
  const start = (host: string, asn: number): Promise<Gobgp> =>
    Gobgp.start(lab, host, {
      asn,
      routerId: lab.host(host).ipv4,
      neighbors: [us.ipv4, us.ipv6].map((address) => ({ address, asn: OURS })),
    });
  const [external, internal] = await Promise.all([start('ext', EXTERNAL), start('int', OURS)]);
  const file: LabSpeakerFile = {
    asn: OURS,
    originate: ORIGINATED,
    peers: [
      ...[lab.host('ext').ipv4, lab.host('ext').ipv6].map((address) => ({ address, asn: EXTERNAL })),
      ...[lab.host('int').ipv4, lab.host('int').ipv6].map((address) => ({ address, asn: OURS })),
    ],
  };
  const speaker = await lab.startSpeaker('us', file);
  for (const { address } of file.peers ?? []) await speaker.established(address);
  return { lab, file, speaker, external, internal };
}

async function session({ lab, speaker, external, internal }: Middle): Promise<void> {
  const us = lab.host('us');
  for (const address of [us.ipv4, us.ipv6]) {
    expect(external.neighbor(address)).toMatchObject({ established: true, isInternal: false });
    expect(internal.neighbor(address)).toMatchObject({ established: true, isInternal: true });
  }
  const { capabilities, messages } = await report(speaker, lab.host('ext').ipv4);
  expect(capabilities?.received).toEqual(expect.arrayContaining(['IPv4 unicast', `4-octet AS ${EXTERNAL}`]));
  expect(messages.received).toMatchObject({ open: 1, notification: 0 });
  const { bgp } = await speaker.status();
  expect(bgp.peers.map(({ type, state, flaps }) => [type, state, flaps])).toEqual([
    ...[1, 2].map(() => ['eBGP', 'Established', 0]),
    ...[1, 2].map(() => ['iBGP', 'Established', 0]),
  ]);
}

async function bothWays({ lab, speaker, external, internal }: Middle, family: 'ipv4' | 'ipv6'): Promise<void> {
  const [us, ext] = [lab.host('us')[family], lab.host('ext')[family]];
  const theirs = family === 'ipv4' ? ['10.50.0.0/16', '10.51.0.0/16'] : ['2001:db8:50::/48', '2001:db8:51::/48'];
  const own = family === 'ipv4' ? ['203.0.113.0/24', '203.0.114.0/24'] : ['2001:db8:113::/48', '2001:db8:114::/48'];
  external.announce(...theirs.map((prefix) => `${prefix} origin igp nexthop ${ext}`));
  await toldUs(speaker, ext, theirs);
  const path = { best: true, nextHop: ext, asPath: String(EXTERNAL), origin: 'igp', stale: false };
  expect(await pathsFrom(speaker, ext)).toMatchObject([path, path]);
  await eventually(() => {
    expect(external.prefixesFrom(us)).toEqual(own);
    expect(internal.prefixesFrom(us)).toEqual([...theirs, ...own].sort());
  });
  expect(external.paths(family).find(({ prefix }) => prefix === own[0])).toMatchObject({
    ...{ best: true, nextHop: us, asPath: [OURS] },
  });
  // eBGP's next hop is kept in iBGP.
  const there = internal.paths(family);
  expect(there.find(({ prefix }) => prefix === theirs[0])).toMatchObject({ nextHop: ext, asPath: [EXTERNAL] });
  expect(there.find(({ prefix }) => prefix === own[0])).toMatchObject({ nextHop: us, asPath: [], localPref: 100 });
  external.withdraw(...theirs);
  await toldUs(speaker, ext, []);
}

async function withdraw({ lab, file, speaker, external, internal }: Middle): Promise<void> {
  const [us, ext] = [lab.host('us'), lab.host('ext')];
  const both = ['10.52.0.0/16', '2001:db8:52::/48'] as const;
  external.announce(`${both[0]} nexthop ${ext.ipv4}`, `${both[1]} nexthop ${ext.ipv6}`);
  await eventually(() => {
    expect([...internal.prefixesFrom(us.ipv4), ...internal.prefixesFrom(us.ipv6)]).toEqual(
      expect.arrayContaining([...both]),
    );
  });
  external.withdraw(...both);
  await toldUs(speaker, ext.ipv4, []);
  await toldUs(speaker, ext.ipv6, []);
  const left = ORIGINATED.filter((one) => typeof one !== 'string' || !one.includes('114'));
  expect(await speaker.reload({ ...file, originate: left })).toEqual([]);
  await eventually(() => {
    for (const there of [external, internal]) {
      expect(there.prefixesFrom(us.ipv4)).toEqual(['203.0.113.0/24']);
      expect(there.prefixesFrom(us.ipv6)).toEqual(['2001:db8:113::/48']);
    }
  });
  await speaker.reload(file);
}

async function refresh({ lab, speaker, external }: Middle): Promise<void> {
  const [us, ext] = [lab.host('us').ipv4, lab.host('ext').ipv4];
  external.announce(`10.58.0.0/16 nexthop ${ext}`);
  await toldUs(speaker, ext, ['10.58.0.0/16']);
  await refreshes(speaker, ext, () => expect(external.neighbor(us).received['refresh']).toBe(1));
  external.withdraw('10.58.0.0/16');
}

async function communities({ lab, speaker, external, internal }: Middle): Promise<void> {
  const [us, ext] = [lab.host('us').ipv4, lab.host('ext').ipv4];
  const sent = 'community 65010:1,no-peer large-community 4200000001:1:2,65010:3:4294967295 rt 65010:100 192.0.2.1:7';
  external.announce(`10.53.0.0/16 ${sent} nexthop ${ext}`);
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, ext, '10.53.0.0/16');
    expect(path?.communities).toEqual([
      ...['65010:1', '65535:65284', '4200000001:1:2', '65010:3:4294967295'],
      ...['ext 0002fdf200000064', 'ext 0102c00002010007'],
    ]);
  });
  await eventually(() =>
    expect(internal.paths('ipv4').find(({ prefix }) => prefix === '10.53.0.0/16')?.communities).toEqual([
      ...['65010:1', '65535:65284', '2 65010:100', '2 192.0.2.1:7'],
      ...['4200000001:1:2', '65010:3:4294967295'],
    ]),
  );
  expect(external.paths('ipv4').find(({ from, prefix }) => from === us && prefix === '203.0.113.0/24')).toMatchObject({
    ...{ med: 5, communities: ['64512:1', '65535:65284', '64512:1:2', '4200000001:4294967295:0'] },
  });
  external.withdraw('10.53.0.0/16');
}

async function as4({ lab, speaker, external, internal }: Middle): Promise<void> {
  const ext = lab.host('ext').ipv4;
  external.announce(`10.54.0.0/16 aspath 65551,64496,4294967294 nexthop ${ext}`);
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, ext, '10.54.0.0/16');
    expect(path?.asPath).toBe(`${EXTERNAL} 65551 64496 4294967294`);
    expect(internal.paths('ipv4').find(({ prefix }) => prefix === '10.54.0.0/16')?.asPath).toEqual([
      ...[EXTERNAL, 65551, 64496, 4294967294],
    ]);
  });
  external.withdraw('10.54.0.0/16');
}

/** GoBGP makes no such path itself, so a third one tells it to GoBGP and to us, and both pass it on. */
async function longPath(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'them', 'source');
  const [us, them, source] = [lab.host('us').ipv4, lab.host('them').ipv4, lab.host('source').ipv4];
  const gobgp = await Gobgp.start(lab, 'them', {
    ...{ asn: EXTERNAL, routerId: them },
    neighbors: [
      { address: us, asn: OURS },
      { address: source, asn: LONG_PATH.asn },
    ],
  });
  await Exabgp.start(lab, 'source', {
    routerId: source,
    neighbors: [
      { address: us, asn: OURS },
      { address: them, asn: EXTERNAL },
    ].map((peer) => ({ ...peer, localAddress: source, localAsn: LONG_PATH.asn, routes: [LONG_PATH.route(source)] })),
  });
  const speaker = await lab.startSpeaker('us', {
    asn: OURS,
    peers: [
      { address: them, asn: EXTERNAL },
      { address: source, asn: LONG_PATH.asn },
    ],
  });
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, them, LONG_PATH.prefix);
    expect(path?.asPath).toBe([EXTERNAL, ...LONG_PATH.asns].join(' '));
    expect(gobgp.paths('ipv4').find(({ from }) => from === us)?.asPath).toEqual([OURS, ...LONG_PATH.asns]);
  });
  expect((await speaker.peer(them)).flaps).toBe(0);
}

/** Two paths of one GoBGP come to us, and go on to another. */
async function addPath(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'one', 'other');
  const [us, one, other] = [lab.host('us').ipv4, lab.host('one').ipv4, lab.host('other').ipv4];
  const start = (host: string, asn: number): Promise<Gobgp> =>
    Gobgp.start(lab, host, {
      ...{ asn, routerId: lab.host(host).ipv4 },
      neighbors: [{ address: us, asn: OURS, perFamily: { 'add-paths': { config: { 'send-max': 8, receive: true } } } }],
    });
  const [first, second] = await Promise.all([start('one', EXTERNAL), start('other', 65002)]);
  const speaker = await lab.startSpeaker('us', {
    asn: OURS,
    defaults: { addPath: { send: true, receive: true } },
    peers: [
      { address: one, asn: EXTERNAL },
      { address: other, asn: 65002 },
    ],
  });
  await Promise.all([one, other].map((address) => speaker.established(address)));
  for (const id of [1, 2]) {
    first.announce(`10.55.0.0/16 identifier ${id} community 65010:${id} origin igp nexthop ${one}`);
  }
  await eventually(async () => {
    const paths = await pathsFrom(speaker, one, '10.55.0.0/16');
    expect(paths.map((path) => path.communities).sort()).toEqual([['65010:1'], ['65010:2']]);
    expect(new Set(paths.map(({ pathId }) => pathId)).size).toBe(2);
    const there = second.paths('ipv4').filter(({ from }) => from === us);
    expect(there.map((path) => path.communities).sort()).toEqual([['65010:1'], ['65010:2']]);
  });
  first.withdraw('10.55.0.0/16 identifier 1');
  await eventually(async () => {
    expect(await pathsFrom(speaker, one, '10.55.0.0/16')).toMatchObject([{ communities: ['65010:2'] }]);
    const there = second.paths('ipv4').filter(({ from }) => from === us);
    expect(there).toMatchObject([{ communities: ['65010:2'] }]);
  });
}

/** Two clients of ours hear each other. */
async function reflector(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'one', 'other');
  const [us, one, other] = [lab.host('us').ipv4, lab.host('one').ipv4, lab.host('other').ipv4];
  const start = (host: string): Promise<Gobgp> =>
    Gobgp.start(lab, host, { asn: OURS, routerId: lab.host(host).ipv4, neighbors: [{ address: us, asn: OURS }] });
  const [first, second] = await Promise.all([start('one'), start('other')]);
  const speaker = await lab.startSpeaker('us', {
    ...{ asn: OURS, clusterId: '192.0.2.20', defaults: { routeReflectorClient: true, asn: OURS } },
    peers: [{ address: one }, { address: other }],
  });
  await Promise.all([one, other].map((address) => speaker.established(address)));
  first.announce(`10.56.0.0/16 nexthop ${one}`);
  second.announce(`10.57.0.0/16 nexthop ${other}`);
  const reflected = { nextHop: one, asPath: [], localPref: 100, originatorId: one, clusterList: ['192.0.2.20'] };
  await eventually(() => {
    expect(second.paths('ipv4').filter(({ from }) => from === us)).toMatchObject([
      { prefix: '10.56.0.0/16', ...reflected },
    ]);
    expect(first.prefixesFrom(us)).toEqual(['10.57.0.0/16']);
  });
}

type RouteFeature = Extract<
  Feature,
  'session' | 'ipv4' | 'ipv6' | 'withdraw' | 'refresh' | 'communities' | 'as4' | 'long-path' | 'add-path' | 'reflector'
>;

export function routeTrials(labs: Labs): Readonly<Record<RouteFeature, Trial>> {
  const middle = labs.shared(['us', 'ext', 'int'], startMiddle);
  const looking = (trial: (middle: Middle) => Promise<void>) => async () => trial(await middle());
  return {
    session: looking(session),
    ipv4: looking((it) => bothWays(it, 'ipv4')),
    ipv6: looking((it) => bothWays(it, 'ipv6')),
    withdraw: looking(withdraw),
    refresh: {
      lacks:
        '3.10.0 answers but never asks: the program holds no code that makes a ROUTE-REFRESH, its `softresetin` looks again at what it has',
      partly: looking(refresh),
    },
    communities: looking(communities),
    as4: looking(as4),
    'long-path': () => longPath(labs),
    'add-path': () => addPath(labs),
    reflector: () => reflector(labs),
  };
}
