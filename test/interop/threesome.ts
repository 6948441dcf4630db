/** We and two others of a kind, or one of a kind and ExaBGP: what takes three, and a lab of its own. */
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Exabgp } from './exabgp/daemon.ts';
import type { Labs } from './labs.ts';
import { prefixesFrom } from './live-daemon.ts';
import type { LiveKind } from './live-daemon.ts';
import { pathsFrom } from './ours.ts';

const OURS = 4200000001;
const THEIRS = 4200000065;

/** More than two segments of an AS_PATH hold. */
export const LONG_PATH = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? 64500 + (i % 7) : 4200000100 + i));
const LONG = '10.60.0.0/16';

/** Two clients of ours hear each other. */
export async function reflector(labs: Labs, kind: LiveKind): Promise<void> {
  const lab = labs.open('us', 'one', 'other');
  const [us, one, other] = [lab.host('us').ipv4, lab.host('one').ipv4, lab.host('other').ipv4];
  const setup = { asn: OURS, neighbors: [{ address: us, asn: OURS }] };
  const [first, second] = await Promise.all([kind.start(lab, 'one', setup), kind.start(lab, 'other', setup)]);
  const speaker = await lab.startSpeaker('us', {
    ...{ asn: OURS, clusterId: '192.0.2.20', defaults: { routeReflectorClient: true, asn: OURS } },
    peers: [{ address: one }, { address: other }],
  });
  await Promise.all([one, other].map((address) => speaker.established(address)));
  first.announce({ prefix: '10.56.0.0/16', nextHop: one });
  second.announce({ prefix: '10.57.0.0/16', nextHop: other });
  const reflected = { nextHop: one, asPath: [], localPref: 100, originatorId: one, clusterList: ['192.0.2.20'] };
  await eventually(() => {
    expect(second.paths('ipv4').filter(({ from }) => from === us)).toMatchObject([
      { prefix: '10.56.0.0/16', ...reflected },
    ]);
    expect(prefixesFrom(first, us)).toEqual(['10.57.0.0/16']);
  });
}

/** A third one tells the daemon and us a path that few can make themselves, and both pass it on. */
export async function longPath(labs: Labs, kind: LiveKind): Promise<void> {
  const lab = labs.open('us', 'them', 'source');
  const [us, them, source] = [lab.host('us').ipv4, lab.host('them').ipv4, lab.host('source').ipv4];
  const asn = LONG_PATH[0]!;
  const daemon = await kind.start(lab, 'them', {
    asn: THEIRS,
    neighbors: [
      { address: us, asn: OURS },
      { address: source, asn },
    ],
  });
  await Exabgp.start(lab, 'source', {
    asn,
    neighbors: [
      { address: us, asn: OURS },
      { address: them, asn: THEIRS },
    ].map((peer) => ({ ...peer, routes: [`${LONG} next-hop ${source} as-path [ ${LONG_PATH.join(' ')} ]`] })),
  });
  const speaker = await lab.startSpeaker('us', {
    asn: OURS,
    peers: [
      { address: them, asn: THEIRS },
      { address: source, asn },
    ],
  });
  await eventually(async () => {
    const [path] = await pathsFrom(speaker, them, LONG);
    expect(path?.asPath).toBe([THEIRS, ...LONG_PATH].join(' '));
    const there = daemon.paths('ipv4').find(({ from, prefix }) => from === us && prefix === LONG);
    expect(there?.asPath).toEqual([OURS, ...LONG_PATH]);
  });
  expect((await speaker.peer(them)).flaps).toBe(0);
}
