/** Graceful restart (RFC 4724) in both roles: whoever is killed, the other loses no route, in its table and in its kernel. */
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { eventually } from '../../support/bgp-lab.ts';
import type { LabSpeaker, LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { SpeakerLab } from '../../support/speaker-lab.ts';
import type { Foreign, ForeignKind, Router } from '../router.ts';
import { bothUp, inLab, unchanged } from '../scene.ts';
import type { Trial } from '../suite.ts';

const OURS = 64_512;
const THEIRS = 65_001;
const OWN = ['192.168.5.0/26', '192.168.6.0/26'];
const OWN6 = ['fd00:5::/122'];
const LEARNED = ['10.50.0.0/16', '10.51.0.0/16', '2001:db8:50::/48'];
const LATE = '10.52.0.0/16';

export const restartTrials = (kind: ForeignKind): Record<'gr-helper' | 'gr-restarter', Trial> => ({
  'gr-helper': () =>
    inLab('grh', ['ours', 'theirs'], async (lab) => {
      const { speaker, foreign, router, up } = await setScene(kind, lab, [...LEARNED, LATE]);
      const kept = async () => (await speaker.prefixes()).filter((prefix) => prefix !== LATE);
      expect(await kept()).toEqual([...LEARNED, ...OWN, ...OWN6].sort());
      // Who comes back without a route that he had takes it back by End-of-RIB, and not before.
      await unchanged(kept, async () => {
        await foreign.kill();
        await eventually(async () =>
          expect(await staleRoutes(speaker, lab)).toBeGreaterThanOrEqual(LEARNED.length + 1),
        );
        expect(await speaker.prefixes()).toContain(LATE);
        await foreign.restart(router(LEARNED));
        await up();
        await eventually(async () => expect(await staleRoutes(speaker, lab)).toBe(0));
        await eventually(async () => expect(await speaker.prefixes()).not.toContain(LATE));
      });
    }),

  'gr-restarter': () =>
    inLab('grr', ['ours', 'theirs'], async (lab) => {
      const { speaker, foreign, file, up } = await setScene(kind, lab, LEARNED);
      const kept = () => [foreign.prefixes('ipv4'), foreign.prefixes('ipv6')];
      await eventually(() => expect(kept()).toEqual([OWN, OWN6]));
      const kernel = monitorRoutes(lab);
      await eventually(() => expect(kernelRoutes(lab)).toEqual([...OWN, ...OWN6]));
      await unchanged(kept, async () => {
        let running = speaker;
        // Twice in a row, the second time before the first is over.
        for (let round = 0; round < 2; round++) {
          await running.end('SIGKILL');
          await eventually(() => expect(foreign.isEstablished(lab.host('ours').ipv4)).toBe(false));
          running = await lab.startSpeaker('ours', file);
        }
        await up(running);
        await eventually(async () => expect((await running.status()).bgp.converged).toBe(true));
        await eventually(async () => expect(await running.prefixes()).toEqual([...LEARNED, ...OWN, ...OWN6].sort()));
      });
      expect(kernelRoutes(lab)).toEqual([...OWN, ...OWN6]);
      expect(kernel.filter((line) => line.startsWith('Deleted'))).toEqual([]);
    }),
});

interface Scene {
  readonly speaker: LabSpeaker;
  readonly foreign: Foreign;
  readonly file: LabSpeakerFile;
  router(announce: readonly string[]): Router;
  up(speaker?: LabSpeaker): Promise<void>;
}

async function setScene(kind: ForeignKind, lab: SpeakerLab, announce: readonly string[]): Promise<Scene> {
  const [ours, theirs] = [lab.host('ours'), lab.host('theirs')];
  const session = { asn: OURS, gracefulRestart: true };
  const router = (prefixes: readonly string[]): Router => ({
    id: theirs.ipv4,
    asn: THEIRS,
    kernel: true,
    announce: prefixes.map((prefix) => ({ prefix })),
    sessions: (['ipv4', 'ipv6'] as const).map((family) => ({
      ...session,
      local: theirs[family],
      neighbor: ours[family],
      families: [family],
    })),
  });
  const foreign = await kind.start(lab, 'theirs', router(announce));
  const file = {
    asn: OURS,
    originate: [...OWN, ...OWN6],
    peers: [theirs.ipv4, theirs.ipv6].map((address) => ({ address, asn: THEIRS })),
  };
  const first = await lab.startSpeaker('ours', file);
  const up = async (speaker = first): Promise<void> => {
    for (const family of ['ipv4', 'ipv6'] as const) await bothUp(speaker, foreign, [theirs[family], ours[family]]);
  };
  await up();
  const all = [...announce, ...OWN, ...OWN6].sort();
  await eventually(async () => expect(await first.prefixes()).toEqual(all));
  return { speaker: first, foreign, file, router, up };
}

async function staleRoutes(speaker: LabSpeaker, lab: SpeakerLab): Promise<number> {
  const { ipv4, ipv6 } = lab.host('theirs');
  const peers = await Promise.all([ipv4, ipv6].map((address) => speaker.peer(address)));
  return peers.reduce((sum, { gracefulRestart }) => sum + (gracefulRestart?.staleRoutes ?? 0), 0);
}

/** Of ours in the other's kernel. */
function kernelRoutes(lab: SpeakerLab): readonly string[] {
  const { run } = lab.host('theirs');
  const shown = ['-4', '-6'].map((family) => run('ip', family, 'route', 'show')).join('\n');
  return [...OWN, ...OWN6].filter((prefix) => shown.includes(`${prefix} `));
}

/** The lines that `ip monitor route` writes there from now on. */
function monitorRoutes(lab: SpeakerLab): readonly string[] {
  const lines: string[] = [];
  const monitor = lab.start('theirs', 'ip', 'monitor', 'route');
  createInterface({ input: monitor.stdout! }).on('line', (line) => lines.push(line));
  return lines;
}
