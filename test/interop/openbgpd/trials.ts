/** The trials with OpenBGPD: what is its alone stands here. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { Exabgp } from '../exabgp/daemon.ts';
import type { Feature } from '../features.ts';
import { weAreKilled } from '../killed.ts';
import type { Labs } from '../labs.ts';
import { middleTrials } from '../middle.ts';
import { askAgain, pathsFrom, report } from '../ours.ts';
import { gtsm, itChecksTtl, itLimits, itShutsDown, linkLocal, md5, weLimit, weShutDown } from '../pair.ts';
import type { Trial } from '../suite.ts';
import { longPath, reflector } from '../threesome.ts';
import { Openbgpd } from './daemon.ts';
import type { OpenbgpdNeighbor } from './daemon.ts';

const OURS = 4200000001;
const THEIRS = 65001;
const SOURCE = 65020;

interface Triangle {
  readonly us: string;
  readonly them: string;
  readonly speaker: Awaited<ReturnType<SpeakerStart>>;
  readonly daemon: Openbgpd;
}
type SpeakerStart = ReturnType<Labs['open']>['startSpeaker'];

/** An ExaBGP tells both what OpenBGPD has no words for, and they tell each other. */
async function triangle(
  labs: Labs,
  how: { readonly towardsUs: readonly string[]; readonly source: readonly string[]; readonly addPath?: true },
): Promise<Triangle> {
  const lab = labs.open('us', 'them', 'source');
  const [us, them, source] = [lab.host('us').ipv4, lab.host('them').ipv4, lab.host('source').ipv4];
  const many = ['announce add-path recv yes', 'announce add-path send all'];
  const neighbors: readonly OpenbgpdNeighbor[] = [
    { address: us, asn: OURS, more: [...how.towardsUs, ...(how.addPath ? many : [])] },
    { address: source, asn: SOURCE, more: how.addPath ? many : [] },
  ];
  const daemon = await Openbgpd.start(lab, 'them', { asn: THEIRS, neighbors });
  const told = {
    routes: how.source.map((route) => route.replace('NEXT_HOP', source)),
    capability: how.addPath ? 'add-path send/receive;' : '',
  };
  await Exabgp.start(lab, 'source', {
    asn: SOURCE,
    neighbors: [
      { address: us, asn: OURS, ...told },
      { address: them, asn: THEIRS, ...told },
    ],
  });
  const speaker = await lab.startSpeaker('us', {
    asn: OURS,
    defaults: how.addPath ? { addPath: { send: true, receive: true } } : {},
    peers: [
      { address: them, asn: THEIRS },
      { address: source, asn: SOURCE },
    ],
  });
  return { us, them, speaker, daemon };
}

/** One network statement is one path, so two come from a third one. */
async function addPath(labs: Labs): Promise<void> {
  const source = [1, 2].map(
    (id) => `10.55.0.0/16 next-hop NEXT_HOP path-information 0.0.0.${id} community [65010:${id}]`,
  );
  const { us, them, speaker, daemon } = await triangle(labs, { towardsUs: [], source, addPath: true });
  await eventually(async () => {
    const here = await pathsFrom(speaker, them, '10.55.0.0/16');
    expect(here.flatMap(({ communities }) => communities).sort()).toEqual(['65010:1', '65010:2']);
    expect(new Set(here.map(({ pathId }) => pathId)).size).toBe(2);
    const there = daemon.paths('ipv4').filter(({ from }) => from === us);
    expect(there.flatMap(({ communities }) => communities).sort()).toEqual(['65010:1', '65010:2']);
  });
}

/** It acts as if it knew two octets only: AS_TRANS and AS4_PATH, both ways. RFC 6793 §4.2. */
async function as4(labs: Labs): Promise<void> {
  const source = [`10.54.0.0/16 next-hop NEXT_HOP as-path [ ${SOURCE} 4200000077 64496 4294967294 ]`];
  const { us, them, speaker, daemon } = await triangle(labs, { towardsUs: ['announce as-4byte no'], source });
  const path = [SOURCE, 4200000077, 64496, 4294967294];
  await speaker.established(them);
  expect((await report(speaker, them)).capabilities?.received).not.toContainEqual(expect.stringContaining('4-octet'));
  await eventually(async () => {
    expect(await pathsFrom(speaker, them, '10.54.0.0/16')).toMatchObject([{ asPath: [THEIRS, ...path].join(' ') }]);
    expect(daemon.paths('ipv4').filter(({ from }) => from === us)).toMatchObject([{ asPath: [OURS, ...path] }]);
  });
}

const NOT_ANSWERED = 'route refresh: AID IPv4 unicast not negotiated';

export function openbgpdTrials(labs: Labs): Readonly<Record<Feature, Trial>> {
  const { session, ipv4, ipv6, withdraw, itAsks, communities, look } = middleTrials(labs, Openbgpd);
  const askedInVain = look(async ({ lab, speaker, external }) => {
    await askAgain(speaker, lab.host('ext').ipv4);
    await eventually(() => expect(external.log(lab.host('us').ipv4)).toContain(NOT_ANSWERED));
  });
  /** What the page says that it lacks. */
  const isAsSaid = look(async ({ lab, speaker }) => {
    const received = (await report(speaker, lab.host('ext').ipv4)).capabilities?.received;
    expect(received).toContain('graceful restart 0 s (R) as a helper');
    expect(received).not.toContain('extended messages');
  });
  return {
    ...{ ipv4, ipv6, withdraw },
    communities: communities(),
    session: async () => {
      await session();
      await isAsSaid();
    },
    refresh: {
      lacks: `it asks and hears our answer, but answers nobody and heeds no marks of RFC 7313: it takes a family that was negotiated for one that was not, and logs \`${NOT_ANSWERED}\``,
      partly: async () => {
        await itAsks((external, us) => external.refresh(us))();
        await askedInVain();
      },
    },
    as4: async () => {
      await session();
      await as4(labs);
    },
    md5: () => md5(labs, Openbgpd),
    gtsm: async () => {
      await gtsm(labs, Openbgpd);
      await itChecksTtl(labs, Openbgpd);
    },
    'gr-helper': {
      lacks:
        'it does not restart gracefully itself: bgpd.conf(5) says of `announce restart` that only End-of-RIB is supported, and its OPEN names no family',
    },
    'gr-restarter': () => weAreKilled(labs, Openbgpd),
    'add-path': () => addPath(labs),
    'long-path': () => longPath(labs, Openbgpd),
    reflector: () => reflector(labs, Openbgpd),
    limit: async () => {
      await weLimit(labs, Openbgpd);
      await itLimits(labs, Openbgpd);
    },
    shutdown: async () => {
      await weShutDown(labs, Openbgpd);
      await itShutsDown(labs, Openbgpd);
    },
    'link-local': () => linkLocal(labs, Openbgpd),
    bfd: {
      lacks:
        'it has no BFD: its parser answers `syntax error` to `bfd` in a neighbor, and bgpd.conf(5) has no such word',
    },
    'extended-messages': {
      lacks:
        'it does not know RFC 8654: its OPEN has no capability 6, its parser answers `syntax error` to `announce extended yes`',
    },
  };
}
