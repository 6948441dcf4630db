/** The trials with ExaBGP: what is its alone stands here. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Feature } from '../features.ts';
import { daemonIsKilled } from '../killed.ts';
import type { Labs } from '../labs.ts';
import { middleTrials } from '../middle.ts';
import { askAgain, pathsFrom, report, toldUs } from '../ours.ts';
import { gtsm, itShutsDown, linkLocal, md5, weLimit, weShutDown } from '../pair.ts';
import type { Trial } from '../suite.ts';
import { LONG_PATH, reflector } from '../threesome.ts';
import { Exabgp, restartingExabgp } from './daemon.ts';

const OURS = 64512;

interface Ends {
  readonly us: string;
  readonly one: string;
  readonly speaker: Awaited<ReturnType<ReturnType<Labs['open']>['startSpeaker']>>;
  readonly first: Exabgp;
  readonly second: Exabgp;
}

/** Two of them, we between. */
async function ends(
  labs: Labs,
  capability: string,
  defaults: { readonly addPath?: { readonly send: true; readonly receive: true }; readonly extendedMessages?: true },
): Promise<Ends> {
  const lab = labs.open('us', 'one', 'other');
  const [us, one, other] = [lab.host('us').ipv4, lab.host('one').ipv4, lab.host('other').ipv4];
  const neighbors = [{ address: us, asn: OURS, capability }];
  const [first, second] = await Promise.all([
    Exabgp.start(lab, 'one', { asn: 65001, neighbors }),
    Exabgp.start(lab, 'other', { asn: 65002, neighbors }),
  ]);
  const peers = [
    { address: one, asn: 65001 },
    { address: other, asn: 65002 },
  ];
  const speaker = await lab.startSpeaker('us', { asn: OURS, defaults, peers });
  await Promise.all([one, other].map((address) => speaker.established(address)));
  return { us, one, speaker, first, second };
}

/** Two paths of one ExaBGP come to us, and go on to another. */
async function addPath(labs: Labs): Promise<void> {
  const setting = { addPath: { send: true, receive: true } } as const;
  const { us, one, speaker, first, second } = await ends(labs, 'add-path send/receive;', setting);
  const bothHave = (...communities: readonly string[]): Promise<void> =>
    eventually(async () => {
      const here = await pathsFrom(speaker, one, '10.55.0.0/16');
      expect(here.flatMap((path) => path.communities).sort()).toEqual(communities);
      const there = second.paths('ipv4').filter(({ from }) => from === us);
      expect(there.flatMap((path) => path.communities).sort()).toEqual(communities);
    });
  const route = (id: number): string =>
    `10.55.0.0/16 next-hop ${one} path-information 0.0.0.${id} community [65010:${id}]`;
  for (const id of [1, 2]) first.control(`announce route ${route(id)}`);
  await bothHave('65010:1', '65010:2');
  expect((await pathsFrom(speaker, one)).map(({ pathId }) => pathId).sort()).toEqual([1, 2]);
  first.control(`withdraw route ${route(1)}`);
  await bothHave('65010:2');
}

/** The session comes back by itself, and the routes with it. */
async function weAskInVain(labs: Labs): Promise<void> {
  const { us, one, speaker, first } = await ends(labs, '', {});
  first.announce({ prefix: '10.58.0.0/16', nextHop: one });
  await toldUs(speaker, one, ['10.58.0.0/16']);
  await askAgain(speaker, one);
  await eventually(() => expect(first.losses(us)).toBe(1));
  expect(first.refreshesHeard(us)).toBe(1);
  await speaker.established(one);
  await toldUs(speaker, one, ['10.58.0.0/16']);
}

/** 600 AS numbers and 600 communities are more than 4096 octets. */
async function extendedMessages(labs: Labs): Promise<void> {
  const { us, one, speaker, first, second } = await ends(labs, 'extended-message enable;', { extendedMessages: true });
  expect((await report(speaker, one)).capabilities?.received).toContain('extended messages');
  const communities = LONG_PATH.map((_, i) => `65010:${i}`);
  first.announce({ prefix: '10.59.0.0/16', nextHop: one, asPath: LONG_PATH, communities });
  await eventually(async () => {
    expect(await pathsFrom(speaker, one, '10.59.0.0/16')).toMatchObject([{ communities }]);
    const there = second.paths('ipv4').filter(({ from }) => from === us);
    expect(there).toMatchObject([{ asPath: [OURS, 65001, ...LONG_PATH], communities }]);
  });
}

export function exabgpTrials(labs: Labs): Readonly<Record<Feature, Trial>> {
  const { session, ipv4, ipv6, withdraw, itAsks, communities, as4, look } = middleTrials(labs, Exabgp);
  return {
    ...{ session, ipv4, ipv6, withdraw, as4 },
    // It writes 192.0.2.1:7 with the type of a two-octet AS number.
    communities: communities(['65010:100', '4200000001:9']),
    refresh: {
      lacks:
        "it asks, but cannot answer where both speak RFC 7313, which it always does: it drops the session, `TypeError: 'RouteRefresh' object is not iterable`",
      partly: async () => {
        await itAsks((external) => external.control('announce route-refresh ipv4 unicast'))();
        await weAskInVain(labs);
      },
    },
    'long-path': look(async ({ lab, speaker, external, internal }) => {
      const ext = lab.host('ext').ipv4;
      const route = { prefix: '10.60.0.0/16', nextHop: ext, asPath: LONG_PATH };
      external.announce(route);
      await eventually(async () => {
        const [path] = await pathsFrom(speaker, ext, route.prefix);
        const there = internal.paths('ipv4').find(({ prefix }) => prefix === route.prefix);
        expect(path?.asPath.split(' ').slice(1)).toEqual(LONG_PATH.map(String));
        expect(there?.asPath.slice(1)).toEqual(LONG_PATH);
      });
      external.withdraw(route);
    }),
    md5: () => md5(labs, Exabgp),
    gtsm: {
      lacks:
        'it sends with the TTL that it is told, but checks none: Python 3.11 has no `socket.IP_MINTTL`, and it goes on without a word',
      partly: () => gtsm(labs, Exabgp),
    },
    'gr-helper': () => daemonIsKilled(labs, restartingExabgp),
    'gr-restarter': { lacks: 'it announces graceful restart, but has no table in which it could keep routes' },
    'add-path': () => addPath(labs),
    reflector: () => reflector(labs, Exabgp),
    limit: {
      lacks: 'it limits nothing that it hears: its parser answers `invalid keyword "maximum-prefix"`; ours it hears',
      partly: () => weLimit(labs, Exabgp),
    },
    shutdown: {
      lacks: `it cannot read the words, and answers them with NOTIFICATION 1/0, \`can not decode update message of type "3"\`; its \`teardown\` takes a code and no words`,
      partly: async () => {
        await weShutDown(labs, Exabgp, { kind: 'sent', code: 1, subcode: 0 });
        await itShutsDown(labs, Exabgp, '');
      },
    },
    bfd: { lacks: 'it has no BFD: its parser answers `invalid keyword "bfd"`' },
    'extended-messages': () => extendedMessages(labs),
    // It has no word for a link, so it cannot dial such an address; it takes a caller from one.
    'link-local': () => linkLocal(labs, Exabgp),
  };
}
