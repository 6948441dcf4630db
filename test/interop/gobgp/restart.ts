/** Graceful restart with GoBGP: whoever is killed, the other keeps every route, and a witness behind it sees none go. */
import { expect } from 'vitest';
import { eventually } from '../../support/bgp-lab.ts';
import type { LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { SpeakerLab } from '../../support/speaker-lab.ts';
import { Exabgp } from '../exabgp/daemon.ts';
import type { Labs } from '../labs.ts';
import { pathsFrom, toldUs } from '../ours.ts';
import type { Trial } from '../suite.ts';
import { Gobgp } from './daemon.ts';

const OURS = 64512;
const THEIRS = 65001;
const WITNESS = 65099;

const FAMILIES = ['ipv4', 'ipv6'] as const;
const KEPT = { ipv4: ['10.50.0.0/16', '10.51.0.0/16'], ipv6: ['2001:db8:50::/48'] } as const;
/** Nobody tells it again after the restart. */
const GIVEN_UP = '2001:db8:51::/48';
const ALL = { ipv4: KEPT.ipv4, ipv6: [...KEPT.ipv6, GIVEN_UP] } as const;

/** `isReturn`: after a crash. Its sessions wait for `enable`: it has no routes in its configuration, so it is told them first. */
const startGobgp = (lab: SpeakerLab, isReturn = false): Promise<Gobgp> =>
  Gobgp.start(lab, 'them', {
    ...{ asn: THEIRS, routerId: lab.host('them').ipv4, isRestart: isReturn },
    neighbors: [
      ...FAMILIES.map((family) => ({
        address: lab.host('us')[family],
        asn: OURS,
        config: { 'admin-down': isReturn },
        perFamily: { 'mp-graceful-restart': { config: { enabled: true } } },
        more: { 'graceful-restart': { config: { enabled: true, 'restart-time': 60 } } },
      })),
      ...FAMILIES.map((family) => ({ address: lab.host('witness')[family], asn: WITNESS })),
    ],
  });

/** It hears GoBGP or us, on IPv4 and IPv6. */
const startWitness = (lab: SpeakerLab, of: 'us' | 'them'): Promise<Exabgp> =>
  Exabgp.start(lab, 'witness', {
    routerId: lab.host('witness').ipv4,
    neighbors: FAMILIES.map((family) => ({
      address: lab.host(of)[family],
      localAddress: lab.host('witness')[family],
      asn: of === 'us' ? OURS : THEIRS,
      localAsn: WITNESS,
    })),
  });

const file = (lab: SpeakerLab, originate: readonly string[], witness: boolean): LabSpeakerFile => ({
  asn: OURS,
  originate: [...originate],
  peers: [
    ...FAMILIES.map((family) => ({ address: lab.host('them')[family], asn: THEIRS })),
    ...(witness
      ? FAMILIES.map((family) => ({ address: lab.host('witness')[family], asn: WITNESS, gracefulRestartSeconds: 0 }))
      : []),
  ],
});

const announce = (
  gobgp: Gobgp,
  lab: SpeakerLab,
  routes: Readonly<Record<'ipv4' | 'ipv6', readonly string[]>>,
): void => {
  for (const family of FAMILIES) {
    gobgp.announce(...routes[family].map((prefix) => `${prefix} nexthop ${lab.host('them')[family]}`));
  }
};

const witnessed = (witness: Exabgp, lab: SpeakerLab, of: 'us' | 'them', routes: typeof ALL): Promise<void> =>
  eventually(() => {
    for (const family of FAMILIES) expect(witness.prefixes(lab.host(of)[family])).toEqual(routes[family]);
  });

async function daemonIsKilled(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [gobgp, witness] = [await startGobgp(lab), await startWitness(lab, 'us')];
  announce(gobgp, lab, ALL);
  const speaker = await lab.startSpeaker('us', file(lab, [], true));
  await witnessed(witness, lab, 'us', ALL);
  await gobgp.kill();
  for (const family of FAMILIES) {
    const address = lab.host('them')[family];
    await eventually(async () => {
      expect((await speaker.peer(address)).state).not.toBe('Established');
      expect((await pathsFrom(speaker, address)).map(({ prefix, stale }) => [prefix, stale])).toEqual(
        ALL[family].map((prefix) => [prefix, true]),
      );
    });
  }
  const again = await startGobgp(lab, true);
  announce(again, lab, { ipv4: KEPT.ipv4, ipv6: KEPT.ipv6 });
  for (const family of FAMILIES) again.control(`neighbor ${lab.host('us')[family]} enable`);
  for (const family of FAMILIES) {
    const address = lab.host('them')[family];
    await speaker.established(address);
    await toldUs(speaker, address, KEPT[family]);
    await eventually(async () =>
      expect((await speaker.peer(address)).gracefulRestart).toMatchObject({ negotiated: true, staleRoutes: 0 }),
    );
  }
  await eventually(() => expect(witness.withdrawals(lab.host('us').ipv6)).toEqual([GIVEN_UP]));
  expect(witness.withdrawals(lab.host('us').ipv4)).toEqual([]);
}

async function weAreKilled(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [gobgp, witness] = [await startGobgp(lab), await startWitness(lab, 'them')];
  const speaker = await lab.startSpeaker('us', file(lab, [...ALL.ipv4, ...ALL.ipv6], false));
  await witnessed(witness, lab, 'them', ALL);
  await speaker.end('SIGKILL');
  const ours = (family: 'ipv4' | 'ipv6'): readonly (readonly [string, boolean])[] =>
    gobgp
      .paths(family)
      .map(({ prefix, stale }) => [prefix, stale] as const)
      .sort();
  for (const family of FAMILIES) {
    await eventually(() => expect(ours(family)).toEqual(ALL[family].map((prefix) => [prefix, true])));
    expect(gobgp.neighbor(lab.host('us')[family]).established).toBe(false);
  }
  const again = await lab.startSpeaker('us', file(lab, [...KEPT.ipv4, ...KEPT.ipv6], false));
  for (const family of FAMILIES) {
    await again.established(lab.host('them')[family]);
    await eventually(() => expect(ours(family)).toEqual(KEPT[family].map((prefix) => [prefix, false])));
  }
  await eventually(() => expect(witness.withdrawals(lab.host('them').ipv6)).toEqual([GIVEN_UP]));
  expect(witness.withdrawals(lab.host('them').ipv4)).toEqual([]);
}

export const restartTrials = (labs: Labs): Readonly<Record<'gr-helper' | 'gr-restarter', Trial>> => ({
  'gr-helper': () => daemonIsKilled(labs),
  'gr-restarter': () => weAreKilled(labs),
});
