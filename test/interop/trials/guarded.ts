/** Sessions that are signed, limited to near hops, limited in prefixes, or closed with a word. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { SpeakerLab, SpeakerLabHost } from '../../support/speaker-lab.ts';
import type { ForeignKind, RouterSession } from '../router.ts';
import type { Labs } from '../labs.ts';
import { dropsOn } from '../ours.ts';
import { bothUp, incident } from '../scene.ts';
import type { Trials } from '../suite.ts';

const OURS = 64_512;
const THEIRS = 65_001;
const PREFIXES = ['10.50.0.0/16', '10.51.0.0/16'];
/** Cease 6/1 in everybody's words. */
const MAXIMUM = /maximum number of prefixes/i;

export const guardedTrials = (kind: ForeignKind, labs: Labs) =>
  ({
    md5: async () => {
      const lab = labs.open('ours', 'theirs');
      const { ours, theirs, session } = pair(lab);
      const foreign = await kind.start(lab, 'theirs', router(theirs, { ...session, password: 'secret' }));
      const file = (password: string) => ({ asn: OURS, peers: [{ address: theirs.ipv4, asn: THEIRS, password }] });
      const speaker = await lab.startSpeaker('ours', file('wrong'));
      // Whoever dials, the other end does not answer.
      await dropsOn(theirs, 'md5Failure');
      expect((await speaker.peer(theirs.ipv4)).state).not.toBe('Established');
      expect(foreign.isEstablished(ours.ipv4)).toBe(false);
      expect(await speaker.reload(file('secret'))).toEqual([]);
      await bothUp(speaker, foreign, [theirs.ipv4, ours.ipv4]);
      await eventually(async () => expect(await speaker.prefixes()).toEqual(PREFIXES));
    },

    gtsm: async () => {
      const lab = labs.open('ours', 'theirs');
      lab.addRouter('between');
      const [left, right] = [lab.link('ours', 'between'), lab.link('between', 'theirs')];
      lab.host('ours').run('ip', 'route', 'add', `${right.right.ipv4}/32`, 'via', left.right.ipv4);
      lab.host('theirs').run('ip', 'route', 'add', `${left.left.ipv4}/32`, 'via', right.left.ipv4);
      const [near, far] = [left.left.ipv4, right.right.ipv4];
      const session = { local: far, neighbor: near, asn: OURS, families: ['ipv4'] as const };
      const foreign = await kind.start(lab, 'theirs', router(lab.host('theirs'), { ...session, hops: 2 }));
      const peer = { address: far, localAddress: near, asn: THEIRS };
      const file = (ttlSecurityHops: number) => ({ asn: OURS, peers: [{ ...peer, ttlSecurityHops }] });
      const speaker = await lab.startSpeaker('ours', file(1));
      // What answers us is thrown away by the kernel, and whoever calls is not let in.
      await dropsOn(lab.host('ours'), 'minTtlDrop');
      await incident(speaker, far, { text: expect.stringContaining('TTL 254 of at least 255') as string });
      expect(foreign.isEstablished(near)).toBe(false);
      expect((await speaker.peer(far)).state).not.toBe('Established');
      expect(await speaker.paths()).toEqual([]);
      expect(await speaker.reload(file(2))).toEqual([]);
      await bothUp(speaker, foreign, [far, near]);
      await eventually(async () => expect(await speaker.prefixes()).toEqual(PREFIXES));
    },

    limit: async () => {
      const lab = labs.open('ours', 'theirs');
      const { ours, theirs, session } = pair(lab);
      const foreign = await kind.start(lab, 'theirs', router(theirs, { ...session, limit: 2 }));
      const peer = { address: theirs.ipv4, asn: THEIRS };
      const limited = { ...peer, prefixLimits: { ipv4: { maximum: 1, action: 'shutdown' as const } } };
      const two = ['192.168.5.0/26', '192.168.6.0/26'];
      const speaker = await lab.startSpeaker('ours', { asn: OURS, originate: two, peers: [limited] });
      await eventually(() => expect(foreign.shows(ours.ipv4)).toMatch(MAXIMUM));
      // FRR names the reason first, and lets go of the routes in its own time.
      await eventually(() => expect(foreign.prefixes('ipv4')).toEqual([]));
      expect((await speaker.peer(theirs.ipv4)).lastError).toMatch(/^more than the 1 IPv4 prefixes/);
      expect(await speaker.reload({ asn: OURS, originate: two, peers: [peer] })).toEqual([]);
      await bothUp(speaker, foreign, [theirs.ipv4, ours.ipv4]);
      await eventually(() => expect(foreign.prefixes('ipv4')).toEqual(two));
      // FRR 8.4.4 counts a prefix after it has looked at the limit, so one more is let in.
      const four = [...two, '192.168.7.0/26', '192.168.8.0/26'];
      await speaker.reload({ asn: OURS, originate: four, peers: [peer] });
      await incident(speaker, theirs.ipv4, {
        ...{ kind: 'notification received', isFlap: true },
        text: expect.stringMatching(MAXIMUM) as string,
      });
    },

    shutdown: async () => {
      const lab = labs.open('ours', 'theirs');
      const { ours, theirs, session } = pair(lab);
      const foreign = await kind.start(lab, 'theirs', router(theirs, session));
      const peer = { address: theirs.ipv4, asn: THEIRS };
      const speaker = await lab.startSpeaker('ours', { asn: OURS, peers: [peer] });
      await bothUp(speaker, foreign, [theirs.ipv4, ours.ipv4]);
      await speaker.reload({ asn: OURS, peers: [{ ...peer, shutdown: 'cable work until noon' }] });
      await eventually(() => expect(foreign.shows(ours.ipv4)).toContain('cable work until noon'));
      expect(await speaker.reload({ asn: OURS, peers: [peer] })).toEqual([]);
      await bothUp(speaker, foreign, [theirs.ipv4, ours.ipv4]);
      foreign.shutdown(ours.ipv4, 'new kernel tonight');
      await incident(speaker, theirs.ipv4, {
        ...{ kind: 'notification received', isFlap: true },
        text: expect.stringContaining('Administrative Shutdown: "new kernel tonight"') as string,
      });
    },
  }) satisfies Trials;

interface Pair {
  readonly ours: SpeakerLabHost;
  readonly theirs: SpeakerLabHost;
  readonly session: RouterSession;
}

function pair(lab: SpeakerLab): Pair {
  const [ours, theirs] = [lab.host('ours'), lab.host('theirs')];
  return { ours, theirs, session: { local: theirs.ipv4, neighbor: ours.ipv4, asn: OURS, families: ['ipv4'] } };
}

const router = (host: SpeakerLabHost, session: RouterSession) => ({
  id: host.ipv4,
  asn: THEIRS,
  announce: PREFIXES.map((prefix) => ({ prefix })),
  sessions: [session],
});
