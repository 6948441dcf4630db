/** The trials with GoBGP: what is its alone stands here. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Feature } from '../features.ts';
import { daemonIsKilled, weAreKilled } from '../killed.ts';
import type { Labs } from '../labs.ts';
import { middleTrials } from '../middle.ts';
import { pathsFrom, report } from '../ours.ts';
import { gtsm, itChecksTtl, itLimits, itShutsDown, linkLocal, md5, weLimit, weShutDown } from '../pair.ts';
import type { Trial } from '../suite.ts';
import { longPath, reflector } from '../threesome.ts';
import { Gobgp, restartingGobgp } from './daemon.ts';

const OURS = 64512;

/** Two paths of one GoBGP come to us, and go on to another. */
async function addPath(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'one', 'other');
  const [us, one, other] = [lab.host('us').ipv4, lab.host('one').ipv4, lab.host('other').ipv4];
  const perFamily = { 'add-paths': { config: { 'send-max': 8, receive: true } } };
  const neighbors = [{ address: us, asn: OURS, perFamily }];
  const [first, second] = await Promise.all([
    Gobgp.start(lab, 'one', { asn: 65001, neighbors }),
    Gobgp.start(lab, 'other', { asn: 65002, neighbors }),
  ]);
  const speaker = await lab.startSpeaker('us', {
    asn: OURS,
    defaults: { addPath: { send: true, receive: true } },
    peers: [
      { address: one, asn: 65001 },
      { address: other, asn: 65002 },
    ],
  });
  await Promise.all([one, other].map((address) => speaker.established(address)));
  const bothHave = (...communities: readonly string[]): Promise<void> =>
    eventually(async () => {
      const here = await pathsFrom(speaker, one, '10.55.0.0/16');
      expect(here.flatMap((path) => path.communities).sort()).toEqual(communities);
      expect(new Set(here.map(({ pathId }) => pathId)).size).toBe(communities.length);
      const there = second.paths('ipv4').filter(({ from }) => from === us);
      expect(there.flatMap((path) => path.communities).sort()).toEqual(communities);
    });
  for (const id of [1, 2]) {
    first.control(`global rib add -a ipv4 10.55.0.0/16 identifier ${id} community 65010:${id} nexthop ${one}`);
  }
  await bothHave('65010:1', '65010:2');
  first.control('global rib del -a ipv4 10.55.0.0/16 identifier 1');
  await bothHave('65010:2');
}

export function gobgpTrials(labs: Labs): Readonly<Record<Feature, Trial>> {
  const { session, ipv4, ipv6, withdraw, weAsk, communities, as4, look } = middleTrials(labs, Gobgp);
  /** What the page says that it lacks. */
  const isAsSaid = look(async ({ lab, speaker }) => {
    const received = (await report(speaker, lab.host('ext').ipv4)).capabilities?.received;
    expect(received).not.toContain('extended messages');
  });
  const asksNothing = look(async ({ lab, speaker, external }) => {
    for (const word of ['softreset', 'softresetin']) external.control(`neighbor ${lab.host('us').ipv4} ${word}`);
    expect((await report(speaker, lab.host('ext').ipv4)).messages.received.routeRefresh).toBe(0);
  });
  return {
    ...{ ipv4, ipv6, withdraw, as4 },
    // Its command line makes 65535:9 of 4200000001:9.
    communities: communities(['65010:100', '192.0.2.1:7']),
    session: async () => {
      await session();
      await isAsSaid();
    },
    refresh: {
      lacks: 'it answers but never asks: its `softreset` and `softresetin` look again at what it has, and send nothing',
      partly: async () => {
        await asksNothing();
        await weAsk();
        await asksNothing();
      },
    },
    'gr-helper': () => daemonIsKilled(labs, restartingGobgp),
    'gr-restarter': () => weAreKilled(labs, restartingGobgp),
    'add-path': () => addPath(labs),
    'long-path': () => longPath(labs, Gobgp),
    reflector: () => reflector(labs, Gobgp),
    md5: () => md5(labs, Gobgp),
    gtsm: async () => {
      await gtsm(labs, Gobgp);
      await itChecksTtl(labs, Gobgp);
    },
    limit: async () => {
      await weLimit(labs, Gobgp);
      await itLimits(labs, Gobgp);
    },
    shutdown: async () => {
      await weShutDown(labs, Gobgp);
      await itShutsDown(labs, Gobgp);
    },
    'link-local': () => linkLocal(labs, Gobgp),
    bfd: { lacks: "it has no BFD: its parser answers `'neighbors[0]' has invalid keys: bfd`" },
    'extended-messages': {
      lacks:
        'it does not know RFC 8654: its OPEN has no capability 6, and it shows ours as `UnknownCapability(6)`; what its OPEN holds cannot be set',
    },
  };
}
