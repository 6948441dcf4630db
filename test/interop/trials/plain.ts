/**
 * Routes of all kinds between us and three routers that stay up: `far` of another AS, `left` and `right` of our own, clients
 * of us as their route reflector.
 */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { LabSpeaker, LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { SpeakerLab, SpeakerLabHost } from '../../support/speaker-lab.ts';
import type { Foreign, ForeignKind, ForeignPath, RouterSession } from '../router.ts';
import type { Labs } from '../labs.ts';
import { askAgain, pathsFrom, report } from '../ours.ts';
import { bothUp } from '../scene.ts';
import type { Trials } from '../suite.ts';

/** Beyond 65535, as the far one. */
const OURS = 4_200_000_000;
const FAR = 4_200_000_001;

const LONG_PATH = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? 65_100 + i : 4_200_001_000 + i));
const THROUGH = [FAR, ...LONG_PATH];
/** With LONG_PATH more than 4096 octets: 4 * 600 + 4 * 500. */
const MANY = Array.from({ length: 500 }, (_, i) => `65001:${i}`);

const RICH = { communities: ['65001:1', '65001:65535'], largeCommunities: [`${FAR}:1:2`], routeTargets: ['65001:5'] };
const OWN = { communities: ['64512:7'], largeCommunities: [`${OURS}:1:7`] };

interface Scene {
  readonly speaker: LabSpeaker;
  readonly file: LabSpeakerFile;
  readonly far: Foreign;
  readonly left: Foreign;
  readonly right: Foreign;
  readonly at: Readonly<Record<'ours' | 'far' | 'left' | 'right', SpeakerLabHost>>;
}

export function plainTrials(kind: ForeignKind, labs: Labs) {
  const scene = labs.shared(['ours', 'far', 'left', 'right'], (lab) => setScene(kind, lab));
  return {
    session: async () => {
      const { speaker, far, left, at } = await scene();
      for (const family of ['ipv4', 'ipv6'] as const) {
        expect(far.isEstablished(at.ours[family])).toBe(true);
        expect(left.isEstablished(at.ours[family])).toBe(true);
        expect(await speaker.peer(at.far[family])).toMatchObject({ state: 'Established', remoteAsn: FAR, flaps: 0 });
        expect(await speaker.peer(at.left[family])).toMatchObject({ state: 'Established', remoteAsn: OURS, flaps: 0 });
        const { capabilities } = await report(speaker, at.far[family]);
        expect(capabilities?.received).toEqual(expect.arrayContaining(['extended messages', `4-octet AS ${FAR}`]));
      }
    },
    ipv4: async () => bothWays(await scene(), 'ipv4'),
    ipv6: async () => bothWays(await scene(), 'ipv6'),
    withdraw: async () => {
      const { speaker, file, far, left, at } = await scene();
      await has(left, '10.11.0.0/16');
      far.withdraw('10.11.0.0/16');
      await eventually(async () => expect(await pathsFrom(speaker, at.far.ipv4, '10.11.0.0/16')).toEqual([]));
      await eventually(() => expect(left.prefixes('ipv4')).not.toContain('10.11.0.0/16'));
      await has(far, '192.168.6.0/26');
      expect(
        await speaker.reload({ ...file, originate: file.originate!.filter((one) => one !== '192.168.6.0/26') }),
      ).toEqual([]);
      await eventually(() => {
        for (const foreign of [far, left]) expect(foreign.prefixes('ipv4')).not.toContain('192.168.6.0/26');
      });
      expect(far.prefixes('ipv4')).toContain('192.168.5.0/26');
    },
    refresh: async () => {
      const { far, at } = await scene();
      await has(far, '192.168.5.0/26');
      expect(far.prefixes('ipv4')).not.toContain('192.168.7.0/26');
      const before = far.received(at.ours.ipv4);
      far.acceptAll(at.ours.ipv4);
      await has(far, '192.168.7.0/26');
      expect(far.received(at.ours.ipv4)).toBeGreaterThan(before);
      await asked(await scene());
    },
    communities: async () => {
      const { speaker, far, left, at } = await scene();
      const expected = { communities: RICH.communities, largeCommunities: RICH.largeCommunities };
      await eventually(async () => {
        const [path] = await pathsFrom(speaker, at.far.ipv4, '10.10.0.0/16');
        expect(path?.communities).toEqual([...RICH.communities, ...RICH.largeCommunities, 'target:65001:5']);
        expect(left.paths('10.10.0.0/16')).toMatchObject([{ ...expected, extendedCommunities: ['rt 65001:5'] }]);
        for (const foreign of [far, left]) expect(foreign.paths('192.168.5.0/26')).toMatchObject([OWN]);
      });
    },
    as4: async () => {
      const { speaker, far, left, at } = await scene();
      await eventually(async () => {
        expect(await pathsFrom(speaker, at.far.ipv4, '10.14.0.0/16')).toMatchObject([
          { asPath: `${FAR} 65010 4200000009` },
        ]);
        expect(left.paths('10.14.0.0/16')).toMatchObject([{ asPath: `${FAR} 65010 4200000009` }]);
        expect(far.paths('192.168.5.0/26')).toMatchObject([{ asPath: String(OURS) }]);
        expect(far.paths('10.30.0.0/16')).toMatchObject([{ asPath: String(OURS) }]);
      });
    },
    'long-path': async () => {
      const { speaker, left, at } = await scene();
      const asPath = THROUGH.join(' ');
      await eventually(async () => {
        expect(await pathsFrom(speaker, at.far.ipv4, '10.12.0.0/16')).toMatchObject([{ asPath, best: true }]);
        expect(left.carries('10.12.0.0/16', THROUGH, [])).toBe(true);
      });
    },
    reflector: async () => {
      const { left, right, at } = await scene();
      const ids = { originatorId: at.left.ipv4, clusterList: at.ours.ipv4, asPath: '', nextHop: at.left.ipv4 };
      await eventually(() => expect(right.paths('10.30.0.0/16')).toMatchObject([ids]));
      // Neither what it told itself, nor marks of reflection on what came from another AS.
      expect(left.paths('10.30.0.0/16')).toEqual([]);
      await eventually(() => expect(right.paths('10.14.0.0/16')).toHaveLength(1));
      expect(right.paths('10.14.0.0/16')[0]).not.toHaveProperty('originatorId');
    },
    'extended-messages': async () => {
      const { speaker, left, right, at } = await scene();
      await eventually(async () => {
        const [path] = await pathsFrom(speaker, at.far.ipv4, '10.13.0.0/16');
        expect([path?.asPath, path?.communities]).toEqual([THROUGH.join(' '), MANY]);
        expect(left.carries('10.13.0.0/16', THROUGH, MANY)).toBe(true);
      });
      // To whom we have not said that we can, it cannot be told, and nothing else is missing there.
      await has(right, '10.14.0.0/16');
      expect(right.prefixes('ipv4')).not.toContain('10.13.0.0/16');
      expect(await speaker.peer(at.right.ipv4)).toMatchObject({ state: 'Established', flaps: 0 });
    },
  } satisfies Trials;
}

/** We ask, and the peer tells everything again: between the two marks of RFC 7313, which both daemons speak. */
async function asked({ speaker, at }: Scene): Promise<void> {
  const before = (await report(speaker, at.far.ipv4)).messages;
  const routes = await speaker.paths();
  await askAgain(speaker, at.far.ipv4);
  await eventually(async () => {
    const { sent, received } = (await report(speaker, at.far.ipv4)).messages;
    expect(sent.routeRefresh).toBe(before.sent.routeRefresh + 1);
    expect(received.routeRefresh).toBe(before.received.routeRefresh + 2);
    expect(received.update).toBeGreaterThan(before.received.update);
  });
  expect(await speaker.paths()).toEqual(routes);
}

const has = (foreign: Foreign, prefix: string): Promise<void> =>
  eventually(() => expect(foreign.prefixes(prefix.includes(':') ? 'ipv6' : 'ipv4')).toContain(prefix));

/** From another AS and from our own, to both; each with the next hop that belongs there. */
async function bothWays({ speaker, far, left, at }: Scene, family: 'ipv4' | 'ipv6'): Promise<void> {
  const routes = {
    ipv4: { far: '10.14.0.0/16', left: '10.30.0.0/16', ours: '192.168.5.0/26' },
    ipv6: { far: '2001:db8:10::/48', left: '2001:db8:30::/48', ours: 'fd00:5::/122' },
  }[family];
  const nextHop = (path: ForeignPath | undefined): string | undefined => path?.nextHop.split(' ')[0];
  await eventually(async () => {
    for (const name of ['far', 'left'] as const) {
      const [path] = await pathsFrom(speaker, at[name][family], routes[name]);
      expect(path).toMatchObject({ best: true, nextHop: at[name][family] });
    }
    expect(nextHop(far.paths(routes.ours)[0])).toBe(at.ours[family]);
    expect(nextHop(far.paths(routes.left)[0])).toBe(at.ours[family]);
    expect(nextHop(left.paths(routes.ours)[0])).toBe(at.ours[family]);
    expect(nextHop(left.paths(routes.far)[0])).toBe(at.far[family]);
  });
}

async function setScene(kind: ForeignKind, lab: SpeakerLab): Promise<Scene> {
  const at = { ours: lab.host('ours'), far: lab.host('far'), left: lab.host('left'), right: lab.host('right') };
  const session = (host: SpeakerLabHost, family: 'ipv4' | 'ipv6'): RouterSession => ({
    local: host[family],
    neighbor: at.ours[family],
    asn: OURS,
    families: [family],
  });
  const [far, left, right] = await Promise.all([
    kind.start(lab, 'far', {
      id: at.far.ipv4,
      asn: FAR,
      announce: [
        { prefix: '10.10.0.0/16', ...RICH },
        { prefix: '10.11.0.0/16' },
        { prefix: '10.12.0.0/16', asPath: LONG_PATH },
        { prefix: '10.13.0.0/16', asPath: LONG_PATH, communities: MANY },
        { prefix: '10.14.0.0/16', asPath: [65_010, 4_200_000_009] },
        { prefix: '2001:db8:10::/48' },
      ],
      sessions: [{ ...session(at.far, 'ipv4'), refuse: ['192.168.7.0/26'] }, session(at.far, 'ipv6')],
    }),
    kind.start(lab, 'left', {
      id: at.left.ipv4,
      asn: OURS,
      announce: [{ prefix: '10.30.0.0/16' }, { prefix: '2001:db8:30::/48' }],
      sessions: [session(at.left, 'ipv4'), session(at.left, 'ipv6')],
    }),
    kind.start(lab, 'right', { id: at.right.ipv4, asn: OURS, sessions: [session(at.right, 'ipv4')] }),
  ]);
  const internal = { asn: OURS, routeReflectorClient: true };
  const file: LabSpeakerFile = {
    asn: OURS,
    clusterId: at.ours.ipv4,
    originate: [{ prefix: '192.168.5.0/26', ...OWN }, '192.168.6.0/26', '192.168.7.0/26', 'fd00:5::/122'],
    defaults: { extendedMessages: true },
    peers: [
      { address: at.far.ipv4, asn: FAR },
      { address: at.far.ipv6, asn: FAR },
      { address: at.left.ipv4, ...internal },
      { address: at.left.ipv6, ...internal },
      { address: at.right.ipv4, ...internal, extendedMessages: false },
    ],
  };
  const speaker = await lab.startSpeaker('ours', file);
  await Promise.all([
    ...(['ipv4', 'ipv6'] as const).flatMap((family) => [
      bothUp(speaker, far, [at.far[family], at.ours[family]]),
      bothUp(speaker, left, [at.left[family], at.ours[family]]),
    ]),
    bothUp(speaker, right, [at.right.ipv4, at.ours.ipv4]),
  ]);
  return { speaker, file, far, left, right, at };
}
