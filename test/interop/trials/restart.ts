/**
 * Graceful restart (RFC 4724) in both roles. Whoever is killed, the other loses no route, in its table and in its kernel; and
 * what is not told again goes when all else was.
 */
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { LabSpeaker, LabSpeakerFile } from '../../support/lab-speaker.ts';
import type { SpeakerLab } from '../../support/speaker-lab.ts';
import type { Foreign, ForeignKind, Router } from '../router.ts';
import type { Labs } from '../labs.ts';
import { bothUp, unchanged } from '../scene.ts';
import type { Trials } from '../suite.ts';

const OURS = 64_512;
const THEIRS = 65_001;
const OWN = ['192.168.5.0/26', '192.168.6.0/26'];
const OWN6 = ['fd00:5::/122'];
const LEARNED = ['10.50.0.0/16', '10.51.0.0/16', '2001:db8:50::/48'];
/** Told before the restart, and not after it. */
const LATE = '10.52.0.0/16';
const OWN_LATE = '192.168.7.0/26';
/** Told between two restarts: who has these has all that was told then. */
const OWN_BETWEEN = ['192.168.8.0/26', 'fd00:8::/122'];

export const restartTrials = (kind: ForeignKind, labs: Labs) =>
  ({
    'gr-helper': async () => {
      const lab = labs.open('ours', 'theirs');
      const { speaker, foreign, router, up } = await setScene(kind, lab);
      const kept = async () => (await speaker.prefixes()).filter((prefix) => prefix !== LATE);
      await unchanged(kept, async () => {
        await foreign.kill();
        await eventually(async () => expect(await staleRoutes(speaker, lab)).toBeGreaterThan(LEARNED.length));
        expect(await speaker.prefixes()).toContain(LATE);
        await foreign.restart(router(LEARNED));
        await up();
        await eventually(async () => {
          expect(await staleRoutes(speaker, lab)).toBe(0);
          expect(await speaker.prefixes()).not.toContain(LATE);
        });
      });
    },

    'gr-restarter': async () => {
      const lab = labs.open('ours', 'theirs');
      const { speaker, foreign, file, up } = await setScene(kind, lab);
      const has = () => [...foreign.prefixes('ipv4'), ...foreign.prefixes('ipv6')];
      const gone = [OWN_LATE, ...OWN_BETWEEN];
      const kept = () => has().filter((prefix) => !gone.includes(prefix));
      await eventually(() => expect(inKernel(lab)).toEqual([...OWN, OWN_LATE, ...OWN6]));
      const kernel = monitorRoutes(lab);
      let running = speaker;
      await unchanged(kept, async () => {
        const again = async (originate: string[]): Promise<void> => {
          await running.end('SIGKILL');
          await eventually(() => expect(foreign.isEstablished(lab.host('ours').ipv4)).toBe(false));
          expect(has()).toContain(OWN_LATE);
          running = await lab.startSpeaker('ours', { ...file, originate });
        };
        await again([...OWN, OWN_LATE, ...OWN6, ...OWN_BETWEEN]);
        // Perhaps before End-of-RIB, but not before the peer was told: what is stale twice it must delete (RFC 4724 §4.2).
        await eventually(() => expect(has()).toEqual(expect.arrayContaining(OWN_BETWEEN)));
        await again([...OWN, ...OWN6]);
        await up(running);
        await eventually(() => expect(has()).toEqual(kept()));
      });
      // For its restart time after its start FRR says that it has just restarted; who says so is not waited for (RFC 4724 §4.1).
      await eventually(async () => {
        expect((await running.status()).bgp.converged).toBe(true);
        expect(await running.prefixes()).toEqual([...LEARNED, LATE, ...OWN, ...OWN6].sort());
      });
      const deleted = () => kernel.filter((line) => line.startsWith('Deleted')).map((line) => line.split(' ')[1]);
      await eventually(() => expect(deleted().sort()).toEqual([...gone].sort()));
      // Who leaves for good says so.
      expect(await running.end('SIGINT')).toBe(0);
      await eventually(() => expect(has()).toEqual([]), 5000);
    },
  }) satisfies Trials;

interface Scene {
  readonly speaker: LabSpeaker;
  readonly foreign: Foreign;
  readonly file: LabSpeakerFile;
  readonly router: (announce: readonly string[]) => Router;
  readonly up: (speaker?: LabSpeaker) => Promise<void>;
}

/** All is told, both ways. */
async function setScene(kind: ForeignKind, lab: SpeakerLab): Promise<Scene> {
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
  const foreign = await kind.start(lab, 'theirs', router([...LEARNED, LATE]));
  const file = {
    asn: OURS,
    originate: [...OWN, OWN_LATE, ...OWN6],
    peers: [theirs.ipv4, theirs.ipv6].map((address) => ({ address, asn: THEIRS })),
  };
  const first = await lab.startSpeaker('ours', file);
  const up = async (speaker = first): Promise<void> => {
    for (const family of ['ipv4', 'ipv6'] as const) await bothUp(speaker, foreign, [theirs[family], ours[family]]);
  };
  await up();
  await eventually(async () => {
    expect(await first.prefixes()).toEqual([...LEARNED, LATE, ...file.originate].sort());
    expect([foreign.prefixes('ipv4'), foreign.prefixes('ipv6')]).toEqual([[...OWN, OWN_LATE], OWN6]);
  });
  return { speaker: first, foreign, file, router, up };
}

async function staleRoutes(speaker: LabSpeaker, lab: SpeakerLab): Promise<number> {
  const { ipv4, ipv6 } = lab.host('theirs');
  const peers = await Promise.all([ipv4, ipv6].map((address) => speaker.peer(address)));
  return peers.reduce((sum, { gracefulRestart }) => sum + (gracefulRestart?.staleRoutes ?? 0), 0);
}

/** Of ours in the other's kernel. */
function inKernel(lab: SpeakerLab): readonly string[] {
  const theirs = lab.host('theirs');
  const shown = ['-4', '-6'].map((family) => theirs.run('ip', family, 'route', 'show')).join('\n');
  return [...OWN, OWN_LATE, ...OWN6].filter((prefix) => shown.includes(`${prefix} `));
}

/** The lines that `ip monitor route` writes there from now on. */
function monitorRoutes(lab: SpeakerLab): readonly string[] {
  const lines: string[] = [];
  const monitor = lab.start('theirs', 'ip', 'monitor', 'route');
  createInterface({ input: monitor.stdout! }).on('line', (line) => lines.push(line));
  return lines;
}
