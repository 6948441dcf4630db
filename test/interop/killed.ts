/** kill -9 with graceful restart: the one that stays keeps every route, and a witness behind it sees none go. */
import { expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { LabSpeakerFile } from '../support/lab-speaker.ts';
import type { SpeakerLab } from '../support/speaker-lab.ts';
import { FAMILIES } from './families.ts';
import type { Family, Prefixes } from './families.ts';
import type { Labs } from './labs.ts';
import type { LiveKind, LiveRoute, LiveSetup } from './live-daemon.ts';
import { keptStale, resumed } from './ours.ts';
import { Witness, WITNESS_ASN } from './witness.ts';

const OURS = 64512;
const THEIRS = 65001;

const KEPT: Prefixes = { ipv4: ['10.50.0.0/16', '10.51.0.0/16'], ipv6: ['2001:db8:50::/48'] };
/** Nobody tells it again after the restart. */
const GIVEN_UP: Prefixes = { ipv4: [], ipv6: ['2001:db8:51::/48'] };
const ALL: Prefixes = { ipv4: KEPT.ipv4, ipv6: [...KEPT.ipv6, ...GIVEN_UP.ipv6] };

/** Only peers that come: one that does not would hold up our End-of-RIB after a restart. */
const file = (lab: SpeakerLab, originate: Prefixes, peers: readonly string[]): LabSpeakerFile => ({
  asn: OURS,
  originate: [...originate.ipv4, ...originate.ipv6],
  peers: peers.flatMap((host) =>
    FAMILIES.map((family) => ({ address: lab.host(host)[family], asn: host === 'them' ? THEIRS : WITNESS_ASN })),
  ),
});

/** Its neighbors: `hosts`, of which we are one. */
const setup = (lab: SpeakerLab, ...hosts: readonly string[]): LiveSetup => ({
  asn: THEIRS,
  neighbors: hosts.flatMap((host) =>
    FAMILIES.map((family) => ({ address: lab.host(host)[family], asn: host === 'us' ? OURS : WITNESS_ASN })),
  ),
});

const routes = (lab: SpeakerLab, prefixes: Prefixes): readonly LiveRoute[] =>
  FAMILIES.flatMap((family) => prefixes[family].map((prefix) => ({ prefix, nextHop: lab.host('them')[family] })));

export async function daemonIsKilled(labs: Labs, kind: LiveKind): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [daemon, witness] = await Promise.all([
    kind.start(lab, 'them', { ...setup(lab, 'us'), routes: routes(lab, ALL) }),
    Witness.start(lab, { host: 'us', asn: OURS }),
  ]);
  const speaker = await lab.startSpeaker('us', file(lab, { ipv4: [], ipv6: [] }, ['them', 'witness']));
  await witness.hears(ALL);
  await daemon.kill();
  for (const family of FAMILIES) await keptStale(speaker, lab.host('them')[family], ALL[family]);
  await kind.start(lab, 'them', { ...setup(lab, 'us'), routes: routes(lab, KEPT), isReturn: true });
  for (const family of FAMILIES) await resumed(speaker, lab.host('them')[family], KEPT[family]);
  await witness.sawWithdrawn(GIVEN_UP);
}

export async function weAreKilled(labs: Labs, kind: LiveKind): Promise<void> {
  const lab = labs.open('us', 'them', 'witness');
  const [daemon, witness] = await Promise.all([
    kind.start(lab, 'them', setup(lab, 'us', 'witness')),
    Witness.start(lab, { host: 'them', asn: THEIRS }),
  ]);
  const speaker = await lab.startSpeaker('us', file(lab, ALL, ['them']));
  await witness.hears(ALL);
  await speaker.end('SIGKILL');
  const keeps = (family: Family, prefixes: readonly string[], stale: boolean): Promise<void> =>
    eventually(() => {
      const paths = daemon.paths(family).filter(({ from }) => from === lab.host('us')[family]);
      expect(paths.map((path) => [path.prefix, path.stale]).sort()).toEqual(prefixes.map((prefix) => [prefix, stale]));
    });
  for (const family of FAMILIES) {
    await keeps(family, ALL[family], true);
    expect(daemon.isEstablished(lab.host('us')[family])).toBe(false);
  }
  const again = await lab.startSpeaker('us', file(lab, KEPT, ['them']));
  for (const family of FAMILIES) {
    await again.established(lab.host('them')[family]);
    await keeps(family, KEPT[family], false);
  }
  await witness.sawWithdrawn(GIVEN_UP);
}
