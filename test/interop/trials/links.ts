/** Several paths of one prefix, sessions over link-local addresses, and BFD beside them. */
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Foreign, ForeignKind } from '../router.ts';
import type { Labs } from '../labs.ts';
import { pathsFrom, report } from '../ours.ts';
import { bothUp, incident } from '../scene.ts';
import type { Trials } from '../suite.ts';

const OURS = 64_512;
const THEIRS = 65_001;
const TWICE = '10.20.0.0/16';

export const linkTrials = (kind: ForeignKind, labs: Labs) =>
  ({
    'add-path': async () => {
      const lab = labs.open('ours', 'from', 'to');
      const [ours, from, to] = [lab.host('ours'), lab.host('from'), lab.host('to')];
      const session = { neighbor: ours.ipv4, asn: OURS, families: ['ipv4'], addPath: true } as const;
      const announce = [
        { prefix: TWICE, communities: ['65001:1'] },
        { prefix: TWICE, communities: ['65001:2'], again: true },
      ];
      const sender = await kind.start(lab, 'from', {
        ...{ id: from.ipv4, asn: THEIRS, announce },
        sessions: [{ ...session, local: from.ipv4 }],
      });
      const receiver = await kind.start(lab, 'to', {
        ...{ id: to.ipv4, asn: OURS },
        sessions: [{ ...session, local: to.ipv4 }],
      });
      const speaker = await lab.startSpeaker('ours', {
        asn: OURS,
        defaults: { addPath: { send: true, receive: true } },
        peers: [
          { address: from.ipv4, asn: THEIRS },
          { address: to.ipv4, asn: OURS },
        ],
      });
      await bothUp(speaker, sender, [from.ipv4, ours.ipv4]);
      await bothUp(speaker, receiver, [to.ipv4, ours.ipv4]);
      const ids = async () => (await pathsFrom(speaker, from.ipv4, TWICE)).map(({ pathId }) => pathId);
      await eventually(async () => expect(new Set(await ids()).size).toBe(2));
      expect(await ids()).not.toContain(undefined);
      // Both, each with what it carries.
      const sets = (foreign: Foreign) => foreign.paths(TWICE).map(({ communities }) => communities.join(' '));
      const told = async () =>
        (await pathsFrom(speaker, from.ipv4, TWICE)).map(({ communities }) => communities.join(' '));
      await eventually(async () => expect([...sets(receiver)].sort()).toEqual([...(await told())].sort()));
      expect(new Set(sets(receiver)).size).toBe(2);
      // One of them is withdrawn by its identifier, and the other stays.
      sender.withdraw(TWICE);
      await eventually(async () => {
        expect(await ids()).toHaveLength(1);
        expect(sets(receiver)).toEqual(await told());
      });
    },

    'link-local': async () => {
      const lab = labs.open('ours', 'theirs', 'inner');
      const [ours, theirs, inner] = [lab.host('ours'), lab.host('theirs'), lab.host('inner')];
      const [near, far] = [addressOf(ours.linkLocal), addressOf(theirs.linkLocal)];
      const foreign = await kind.start(lab, 'theirs', {
        ...{ id: theirs.ipv4, asn: THEIRS, announce: [{ prefix: '2001:db8:50::/48' }] },
        sessions: [{ local: far, neighbor: near, asn: OURS, interface: 'eth0', families: ['ipv6'] }],
      });
      const behind = await kind.start(lab, 'inner', {
        ...{ id: inner.ipv4, asn: OURS },
        sessions: [{ local: inner.ipv6, neighbor: ours.ipv6, asn: OURS, families: ['ipv6'] }],
      });
      const peers = [
        { address: theirs.linkLocal, asn: THEIRS },
        { address: inner.ipv6, asn: OURS },
      ];
      const speaker = await lab.startSpeaker('ours', { asn: OURS, originate: ['fd00:5::/122'], peers });
      await bothUp(speaker, foreign, [theirs.linkLocal, near]);
      await bothUp(speaker, behind, [inner.ipv6, ours.ipv6]);
      await eventually(async () => {
        expect(await pathsFrom(speaker, theirs.linkLocal, '2001:db8:50::/48')).toMatchObject([{ best: true }]);
        expect(foreign.prefixes('ipv6')).toEqual(['fd00:5::/122']);
        // BIRD has told no global next hop, FRR that of the link.
        const [path] = behind.paths('2001:db8:50::/48');
        expect([ours.ipv6, theirs.ipv6]).toContain(path?.nextHop);
      });
    },

    bfd: async () => {
      const lab = labs.open('ours', 'theirs');
      const [ours, theirs] = [lab.host('ours'), lab.host('theirs')];
      const foreign = await kind.start(lab, 'theirs', {
        ...{ id: theirs.ipv4, asn: THEIRS, announce: [{ prefix: '10.50.0.0/16' }] },
        sessions: [{ local: theirs.ipv4, neighbor: ours.ipv4, asn: OURS, families: ['ipv4'], bfd: true }],
      });
      const bfd = { transmitMs: 200, receiveMs: 200, multiplier: 3 };
      const peers = [{ address: theirs.ipv4, asn: THEIRS, holdSeconds: 180, bfd }];
      const speaker = await lab.startSpeaker('ours', { asn: OURS, peers });
      const up = async (): Promise<void> => {
        await bothUp(speaker, foreign, [theirs.ipv4, ours.ipv4]);
        await eventually(async () => {
          const { bfd: watch } = await report(speaker, theirs.ipv4);
          expect(watch).toMatchObject({ state: 'Up', remoteState: 'Up', transmitMs: 200, detectionMs: 600 });
          expect(foreign.bfd(ours.ipv4)).toMatch(/^up$/i);
          expect(await speaker.prefixes()).toEqual(['10.50.0.0/16']);
        });
      };
      await up();
      // Nobody sees a link go down, and the hold timers have three minutes.
      lab.cut('theirs');
      await eventually(async () => {
        expect(await speaker.prefixes()).toEqual([]);
        expect(foreign.isEstablished(ours.ipv4)).toBe(false);
      }, 5000);
      await incident(speaker, theirs.ipv4, { kind: 'bfd', isFlap: true });
      lab.mend('theirs');
      await up();
    },
  }) satisfies Trials;

const addressOf = (linkLocal: string): string => linkLocal.split('%')[0]!;
