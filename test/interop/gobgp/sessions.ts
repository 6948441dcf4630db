/** What GoBGP and we agree on to have a session, and how each ends it. */
import { expect } from 'vitest';
import { eventually } from '../../support/bgp-lab.ts';
import type { LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { LabSpeaker, SpeakerLab } from '../../support/speaker-lab.ts';
import type { Feature } from '../features.ts';
import type { Labs } from '../labs.ts';
import { prefixesFrom } from '../live-daemon.ts';
import { dropsOn, toldUs, wentDown } from '../ours.ts';
import type { Trial } from '../suite.ts';
import { Gobgp } from './daemon.ts';
import type { GobgpNeighbor } from './daemon.ts';

const OURS = 64512;
const THEIRS = 65001;

interface Pair {
  readonly lab: SpeakerLab;
  readonly us: string;
  readonly them: string;
  readonly gobgp: Gobgp;
}

/** GoBGP alone with its neighbors, which is we. */
async function startGobgp(
  labs: Labs,
  neighbors: (lab: SpeakerLab) => readonly Omit<GobgpNeighbor, 'asn'>[],
): Promise<Pair> {
  const lab = labs.open('us', 'them');
  const gobgp = await Gobgp.start(lab, 'them', {
    asn: THEIRS,
    neighbors: neighbors(lab).map((one) => ({ ...one, asn: OURS })),
  });
  return { lab, us: lab.host('us').ipv4, them: lab.host('them').ipv4, gobgp };
}

const file = (...peers: NonNullable<LabSpeakerFile['peers']>): LabSpeakerFile => ({
  asn: OURS,
  originate: ['203.0.113.0/24', '203.0.114.0/24', '203.0.115.0/24', '2001:db8:113::/48'],
  defaults: { asn: THEIRS },
  peers,
});

const SECRET = 'a secret of GoBGP';

/** Signed whoever dials: we on IPv4, it on IPv6. Another password is no session, until both are the same. */
async function md5(labs: Labs): Promise<void> {
  const { lab, us, them, gobgp } = await startGobgp(labs, (made) => {
    const signed = { config: { 'auth-password': SECRET } };
    const { ipv4, ipv6 } = made.host('us');
    return [
      { ...signed, address: ipv4, more: { transport: { config: { 'passive-mode': true } } } },
      { ...signed, address: ipv6 },
    ];
  });
  const [us6, them6] = [lab.host('us').ipv6, lab.host('them').ipv6];
  const peers = (password: string): LabSpeakerFile =>
    file({ address: them, password }, { address: them6, password: SECRET, passive: true });
  const speaker = await lab.startSpeaker('us', peers('another one'));
  await speaker.established(them6);
  expect(gobgp.isEstablished(us6)).toBe(true);
  await dropsOn(lab.host('them'), 'md5Failure');
  expect((await speaker.peer(them)).state).not.toBe('Established');
  expect(await speaker.reload(peers(SECRET))).toEqual([]);
  await speaker.established(them);
  await eventually(() => expect(gobgp.isEstablished(us)).toBe(true));
}

/** Both with it on IPv4; on IPv6 we alone, so that what it sends is dropped here. */
async function gtsm(labs: Labs): Promise<void> {
  const { lab, us, them, gobgp } = await startGobgp(labs, (made) => [
    { address: made.host('us').ipv4, more: { 'ttl-security': { config: { enabled: true, 'ttl-min': 255 } } } },
    { address: made.host('us').ipv6 },
  ]);
  const them6 = lab.host('them').ipv6;
  const peers = (ttlSecurityHops?: number): LabSpeakerFile =>
    file(
      { address: them, ...(ttlSecurityHops !== undefined && { ttlSecurityHops }) },
      { address: them6, ttlSecurityHops: 1 },
    );
  const speaker = await lab.startSpeaker('us', peers(1));
  await speaker.established(them);
  await eventually(() => expect(gobgp.isEstablished(us)).toBe(true));
  await dropsOn(lab.host('us'), 'minTtlDrop');
  expect((await speaker.peer(them6)).state).not.toBe('Established');
  await speaker.reload(peers());
  await dropsOn(lab.host('them'), 'minTtlDrop');
  await eventually(() => expect(gobgp.isEstablished(us)).toBe(false));
  expect((await speaker.peer(them)).state).not.toBe('Established');
}

/** It has said or heard this NOTIFICATION. */
const logged = (gobgp: Gobgp, message: string, more: object): Promise<void> =>
  eventually(() => {
    expect(gobgp.log().filter(({ msg }) => msg === message)).toContainEqual(expect.objectContaining(more));
  });

const MAXIMUM_REACHED = { Code: 6, Subcode: 1 };

/** It takes two of our three on IPv4, we two of its three on IPv6. */
async function limit(labs: Labs): Promise<void> {
  const { lab, us, them, gobgp } = await startGobgp(labs, (made) => [
    { address: made.host('us').ipv4, perFamily: { 'prefix-limit': { config: { 'max-prefixes': 2 } } } },
    { address: made.host('us').ipv6 },
  ]);
  const [us6, them6] = [lab.host('us').ipv6, lab.host('them').ipv6];
  const prefixLimits = { ipv6: { maximum: 2, action: 'shutdown' } } as const;
  const speaker = await lab.startSpeaker('us', file({ address: them }, { address: them6, prefixLimits }));
  await wentDown(speaker, them, { kind: 'received', code: 6, subcode: 1 });
  await logged(gobgp, 'sent notification', { ...MAXIMUM_REACHED, Key: us });
  await speaker.established(them6);
  const routes = [50, 51, 52].map((it) => ({ prefix: `2001:db8:${it}::/48`, nextHop: them6 }));
  gobgp.announce(...routes.slice(0, 2));
  await toldUs(speaker, them6, ['2001:db8:50::/48', '2001:db8:51::/48']);
  gobgp.announce(routes[2]!);
  await wentDown(speaker, them6, { kind: 'sent', code: 6, subcode: 1 });
  await logged(gobgp, 'received notification', { ...MAXIMUM_REACHED, Key: us6 });
}

const WORDS = 'maintenance until 04:00, ticket 4711, naïve';

/** It tells us why on IPv4, we tell it on IPv6. */
async function shutdown(labs: Labs): Promise<void> {
  const { lab, us, them, gobgp } = await startGobgp(labs, (made) => [
    { address: made.host('us').ipv4 },
    { address: made.host('us').ipv6 },
  ]);
  const [us6, them6] = [lab.host('us').ipv6, lab.host('them').ipv6];
  const speaker = await lab.startSpeaker('us', file({ address: them }, { address: them6 }));
  await Promise.all([them, them6].map((address) => speaker.established(address)));
  gobgp.control(`neighbor ${us} shutdown --reason "${WORDS}"`);
  await wentDown(speaker, them, { kind: 'received', code: 6, subcode: 2, text: WORDS });
  await speaker.reload(file({ address: them }, { address: them6, shutdown: WORDS }));
  await logged(gobgp, 'received notification', { Code: 6, Subcode: 2, 'Communicated-Reason': WORDS, Key: us6 });
}

async function linkLocal(labs: Labs): Promise<void> {
  const { lab, them, gobgp } = await startGobgp(labs, () => [{ address: 'fe80::1%eth0' }]);
  const address = 'fe80::2%eth0';
  const speaker: LabSpeaker = await lab.startSpeaker('us', file({ address }));
  await speaker.established(address);
  expect(gobgp.isEstablished('fe80::1%eth0')).toBe(true);
  gobgp.announce({ prefix: '2001:db8:50::/48', nextHop: 'fe80::2' });
  await toldUs(speaker, 'fe80::2', ['2001:db8:50::/48']);
  expect((await speaker.paths()).find(({ prefix }) => prefix === '2001:db8:50::/48')?.nextHop).toBe('fe80::2');
  await eventually(() => expect(prefixesFrom(gobgp, 'fe80::1')).toEqual(['2001:db8:113::/48']));
  expect(gobgp.paths('ipv6').find(({ from }) => from === 'fe80::1')?.nextHop).toBe('fe80::1');
  expect((await speaker.status()).bgp.peers).not.toContainEqual(expect.objectContaining({ address: them }));
}

type SessionFeature = Extract<
  Feature,
  'md5' | 'gtsm' | 'limit' | 'shutdown' | 'bfd' | 'extended-messages' | 'link-local'
>;

export const sessionTrials = (labs: Labs): Readonly<Record<SessionFeature, Trial>> => ({
  md5: () => md5(labs),
  gtsm: () => gtsm(labs),
  limit: () => limit(labs),
  shutdown: () => shutdown(labs),
  'link-local': () => linkLocal(labs),
  bfd: { lacks: "3.10.0 has no BFD: its parser answers `'neighbors[0]' has invalid keys: bfd`" },
  'extended-messages': {
    lacks:
      '3.10.0 does not know RFC 8654: its OPEN has no capability 6, and it shows ours as `UnknownCapability(6)`; what its OPEN holds cannot be set',
  },
});
