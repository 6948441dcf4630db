/** Graceful restart with GoBGP: whoever is killed, the other keeps every route, and a witness behind it sees none go. */
import { expect } from 'vitest';
import { eventually } from '../../support/bgp-lab.ts';
import type { LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { SpeakerLab } from '../../support/speaker-lab.ts';
import type { Labs } from '../labs.ts';
import { keptStale, resumed } from '../ours.ts';
import type { Trial } from '../suite.ts';
import { FAMILIES, Witness, WITNESS_ASN } from '../witness.ts';
import type { Family, Prefixes } from '../witness.ts';
import { Gobgp } from './daemon.ts';

const OURS = 64512;
const THEIRS = 65001;

const KEPT: Prefixes = { ipv4: ['10.50.0.0/16', '10.51.0.0/16'], ipv6: ['2001:db8:50::/48'] };
/** Nobody tells it again after the restart. */
const GIVEN_UP: Prefixes = { ipv4: [], ipv6: ['2001:db8:51::/48'] };
const ALL: Prefixes = { ipv4: KEPT.ipv4, ipv6: [...KEPT.ipv6, ...GIVEN_UP.ipv6] };

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
      ...FAMILIES.map((family) => ({ address: lab.host('witness')[family], asn: WITNESS_ASN })),
    ],
  });

/** It restarts without what is given up. */
async function restartGobgp(lab: SpeakerLab): Promise<void> {
  const gobgp = await startGobgp(lab, true);
  announce(gobgp, lab, KEPT);
  for (const family of FAMILIES) gobgp.control(`neighbor ${lab.host('us')[family]} enable`);
}

function announce(gobgp: Gobgp, lab: SpeakerLab, prefixes: Prefixes): void {
  for (const family of FAMILIES) {
    gobgp.announce(...prefixes[family].map((prefix) => `${prefix} nexthop ${lab.host('them')[family]}`));
  }
}

/** Only peers that come: one that does not would hold up our End-of-RIB after a restart. */
const file = (lab: SpeakerLab, originate: Prefixes, peers: readonly string[]): LabSpeakerFile => ({
  asn: OURS,
  originate: [...originate.ipv4, ...originate.ipv6],
  peers: peers.flatMap((host) =>
    FAMILIES.map((family) => ({
      address: lab.host(host)[family],
      asn: host === 'them' ? THEIRS : WITNESS_ASN,
    })),
  ),
});

async function daemonIsKilled(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [gobgp, witness] = [await startGobgp(lab), await Witness.start(lab, { host: 'us', asn: OURS })];
  announce(gobgp, lab, ALL);
  const speaker = await lab.startSpeaker('us', file(lab, { ipv4: [], ipv6: [] }, ['them', 'witness']));
  await witness.hears(ALL);
  await gobgp.kill();
  for (const family of FAMILIES) await keptStale(speaker, lab.host('them')[family], ALL[family]);
  await restartGobgp(lab);
  for (const family of FAMILIES) await resumed(speaker, lab.host('them')[family], KEPT[family]);
  await witness.sawWithdrawn(GIVEN_UP);
}

async function weAreKilled(labs: Labs): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [gobgp, witness] = [await startGobgp(lab), await Witness.start(lab, { host: 'them', asn: THEIRS })];
  const speaker = await lab.startSpeaker('us', file(lab, ALL, ['them']));
  await witness.hears(ALL);
  await speaker.end('SIGKILL');
  const keeps = (family: Family, prefixes: readonly string[], stale: boolean): Promise<void> =>
    eventually(() => {
      const paths = gobgp.paths(family).filter(({ from }) => from === lab.host('us')[family]);
      expect(paths.map((path) => [path.prefix, path.stale]).sort()).toEqual(prefixes.map((prefix) => [prefix, stale]));
    });
  for (const family of FAMILIES) {
    await keeps(family, ALL[family], true);
    expect(gobgp.neighbor(lab.host('us')[family]).established).toBe(false);
  }
  const again = await lab.startSpeaker('us', file(lab, KEPT, ['them']));
  for (const family of FAMILIES) {
    await again.established(lab.host('them')[family]);
    await keeps(family, KEPT[family], false);
  }
  await witness.sawWithdrawn(GIVEN_UP);
}

export const restartTrials = (labs: Labs): Readonly<Record<'gr-helper' | 'gr-restarter', Trial>> => ({
  'gr-helper': () => daemonIsKilled(labs),
  'gr-restarter': () => weAreKilled(labs),
});
