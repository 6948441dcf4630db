/** A daemon and we: what both agree on to have a session, and how each ends it. */
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { LabSpeakerFile } from '../support/lab-speaker.ts';
import type { SpeakerLab } from '../support/speaker-lab.ts';
import type { Labs } from './labs.ts';
import { pathOf, prefixesFrom } from './live-daemon.ts';
import type { LiveDaemon, LiveKind, LiveNeighbor, Notified } from './live-daemon.ts';
import { dropsOn, toldUs, wentDown } from './ours.ts';

const OURS = 64512;
const THEIRS = 65001;

interface Pair {
  readonly lab: SpeakerLab;
  readonly us: string;
  readonly them: string;
  readonly us6: string;
  readonly them6: string;
  readonly daemon: LiveDaemon;
}

/** The daemon has a neighbor over IPv4, which is we, and over IPv6. */
async function start(
  labs: Labs,
  kind: LiveKind,
  each: { readonly ipv4?: Partial<LiveNeighbor>; readonly ipv6?: Partial<LiveNeighbor> } = {},
): Promise<Pair> {
  const lab = labs.open('us', 'them');
  const [here, there] = [lab.host('us'), lab.host('them')];
  const daemon = await kind.start(lab, 'them', {
    asn: THEIRS,
    neighbors: [
      { address: here.ipv4, asn: OURS, ...each.ipv4 },
      { address: here.ipv6, asn: OURS, ...each.ipv6 },
    ],
  });
  return { lab, us: here.ipv4, them: there.ipv4, us6: here.ipv6, them6: there.ipv6, daemon };
}

const file = (...peers: NonNullable<LabSpeakerFile['peers']>): LabSpeakerFile => ({
  asn: OURS,
  originate: ['203.0.113.0/24', '203.0.114.0/24', '203.0.115.0/24', '2001:db8:113::/48'],
  defaults: { asn: THEIRS },
  peers,
});

const isUp = (daemon: LiveDaemon, neighbor: string, up = true): Promise<void> =>
  eventually(() => expect(daemon.isEstablished(neighbor)).toBe(up));

const hasNotified = (daemon: LiveDaemon, neighbor: string, notified: Notified): Promise<void> =>
  eventually(() => expect(daemon.notified(neighbor)).toContainEqual(notified));

const SECRET = 'a-secret-of-both';

/** Signed whoever dials: it waits on IPv4, we on IPv6. Another password is no session, until both are the same. */
export async function md5(labs: Labs, kind: LiveKind): Promise<void> {
  const signed = { password: SECRET };
  const { lab, us, them, us6, them6, daemon } = await start(labs, kind, {
    ipv4: { ...signed, passive: true },
    ipv6: signed,
  });
  const peers = (password: string): LabSpeakerFile =>
    file({ address: them, password }, { address: them6, ...signed, passive: true });
  const speaker = await lab.startSpeaker('us', peers('another one'));
  await speaker.established(them6);
  await isUp(daemon, us6);
  await dropsOn(lab.host('them'), 'md5Failure');
  expect((await speaker.peer(them)).state).not.toBe('Established');
  expect(await speaker.reload(peers(SECRET))).toEqual([]);
  await speaker.established(them);
  await isUp(daemon, us);
}

/** Both have it on IPv4; on IPv6 we alone have it, so that what it sends is dropped here. */
export async function gtsm(labs: Labs, kind: LiveKind): Promise<void> {
  const { lab, us, them, them6, daemon } = await start(labs, kind, { ipv4: { ttlSecurity: true } });
  const peers = [them, them6].map((address) => ({ address, ttlSecurityHops: 1 }));
  const speaker = await lab.startSpeaker('us', file(...peers));
  await speaker.established(them);
  await isUp(daemon, us);
  await dropsOn(lab.host('us'), 'minTtlDrop');
  expect((await speaker.peer(them6)).state).not.toBe('Established');
}

/** It alone has it, so that what we send is dropped there. */
export async function itChecksTtl(labs: Labs, kind: LiveKind): Promise<void> {
  const { lab, us, them, daemon } = await start(labs, kind, { ipv4: { ttlSecurity: true, passive: true } });
  await lab.startSpeaker('us', file({ address: them }));
  await dropsOn(lab.host('them'), 'minTtlDrop');
  // No word on states: GoBGP sets the option after OPENs may have been exchanged. What counts is that no route of ours passes.
  expect(prefixesFrom(daemon, us)).toEqual([]);
}

const MAXIMUM_REACHED = { code: 6, subcode: 1 } as const;

/** We take two of its three. */
export async function weLimit(labs: Labs, kind: LiveKind): Promise<void> {
  const { lab, us6, them6, daemon } = await start(labs, kind);
  const prefixLimits = { ipv6: { maximum: 2, action: 'shutdown' } } as const;
  const speaker = await lab.startSpeaker('us', file({ address: them6, prefixLimits }));
  await speaker.established(them6);
  const routes = [50, 51, 52].map((it) => ({ prefix: `2001:db8:${it}::/48`, nextHop: them6 }));
  daemon.announce(...routes.slice(0, 2));
  await toldUs(speaker, them6, ['2001:db8:50::/48', '2001:db8:51::/48']);
  daemon.announce(routes[2]!);
  await wentDown(speaker, them6, { kind: 'sent', ...MAXIMUM_REACHED });
  await hasNotified(daemon, us6, { kind: 'received', ...MAXIMUM_REACHED });
}

/** It takes two of our three. */
export async function itLimits(labs: Labs, kind: LiveKind): Promise<void> {
  const { lab, us, them, daemon } = await start(labs, kind, { ipv4: { maximum: 2 } });
  const speaker = await lab.startSpeaker('us', file({ address: them }));
  await wentDown(speaker, them, { kind: 'received', ...MAXIMUM_REACHED });
  await hasNotified(daemon, us, { kind: 'sent', ...MAXIMUM_REACHED });
}

const WORDS = 'maintenance until 04:00, ticket 4711, naïve';
const THEY_HEAR: Notified = { kind: 'received', code: 6, subcode: 2, text: WORDS };

/** `heard`: what it makes of our words. */
export async function weShutDown(labs: Labs, kind: LiveKind, heard: Notified = THEY_HEAR): Promise<void> {
  const { lab, us6, them6, daemon } = await start(labs, kind);
  const speaker = await lab.startSpeaker('us', file({ address: them6 }));
  await speaker.established(them6);
  expect(await speaker.reload(file({ address: them6, shutdown: WORDS }))).toEqual([]);
  await wentDown(speaker, them6, { kind: 'sent', code: 6, subcode: 2 });
  await hasNotified(daemon, us6, heard);
}

/** `words`: what we must hear. */
export async function itShutsDown(labs: Labs, kind: LiveKind, words = WORDS): Promise<void> {
  const { lab, us, them, daemon } = await start(labs, kind);
  const speaker = await lab.startSpeaker('us', file({ address: them }));
  await speaker.established(them);
  await isUp(daemon, us);
  daemon.shutDown(us, WORDS);
  await wentDown(speaker, them, { kind: 'received', code: 6, subcode: 2, text: words });
}

export async function linkLocal(labs: Labs, kind: LiveKind): Promise<void> {
  const lab = labs.open('us', 'them');
  const daemon = await kind.start(lab, 'them', {
    asn: THEIRS,
    neighbors: [{ address: lab.host('us').linkLocal, asn: OURS }],
  });
  const address = lab.host('them').linkLocal;
  const [here, there] = [lab.host('us').linkLocal, address].map((one) => one.split('%')[0]!) as [string, string];
  const speaker = await lab.startSpeaker('us', file({ address }));
  await speaker.established(address);
  await isUp(daemon, lab.host('us').linkLocal);
  daemon.announce({ prefix: '2001:db8:50::/48', nextHop: there });
  await toldUs(speaker, address, ['2001:db8:50::/48']);
  expect((await speaker.paths()).find(({ prefix }) => prefix === '2001:db8:50::/48')?.nextHop).toBe(there);
  await eventually(() => expect(pathOf(daemon, '2001:db8:113::/48')?.nextHop).toBe(here));
  expect(prefixesFrom(daemon, pathOf(daemon, '2001:db8:113::/48')!.from)).toEqual(['2001:db8:113::/48']);
}
