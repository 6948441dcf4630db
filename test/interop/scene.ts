/** Labs of trials: of one trial alone, or of several that disturb nothing. */
import { afterAll, expect } from 'vitest';
import type { IncidentReport, PeerReport } from '../../src/api/bgp-contract.ts';
import type { PathReport } from '../../src/api/contract.ts';
import { eventually } from '../support/bgp-lab.ts';
import { SpeakerLab } from '../support/speaker-lab.ts';
import type { LabSpeaker } from '../support/speaker-lab.ts';
import type { Foreign } from './router.ts';

/** In a lab of its own, which is gone afterwards whatever happens. */
export async function inLab(
  name: string,
  hosts: readonly string[],
  play: (lab: SpeakerLab) => Promise<void>,
): Promise<void> {
  const lab = new SpeakerLab(name, hosts);
  try {
    await play(lab);
  } finally {
    await lab.close();
  }
}

/** A scene that the first trial that asks for it sets, and that stands until the last test of the file has ended. */
export function sharedScene<T>(
  name: string,
  hosts: readonly string[],
  set: (lab: SpeakerLab) => Promise<T>,
): () => Promise<T> {
  let lab: SpeakerLab | undefined;
  let scene: Promise<T> | undefined;
  afterAll(() => lab?.close());
  return () => {
    lab ??= new SpeakerLab(name, hosts);
    scene ??= set(lab);
    return scene;
  };
}

/** Both say so. */
export async function bothUp(
  speaker: LabSpeaker,
  foreign: Foreign,
  [theirs, ours]: readonly [string, string],
): Promise<void> {
  await speaker.established(theirs);
  await eventually(() => expect(foreign.isEstablished(ours), foreign.shows(ours)).toBe(true));
}

/** All that our API tells of a peer. */
export const peerReport = (speaker: LabSpeaker, peer: string): Promise<PeerReport> =>
  speaker.client.get(`/v1/bgp/peers/${encodeURIComponent(peer)}`);

/** Waits until our API tells of such an incident of the peer, whatever has happened since. */
export const incident = (speaker: LabSpeaker, peer: string, what: Partial<IncidentReport>): Promise<void> =>
  eventually(async () => {
    const { incidents } = await peerReport(speaker, peer);
    expect(incidents).toContainEqual(expect.objectContaining(what));
  });

/** What our speaker has of a prefix from one peer. */
export async function pathsFrom(speaker: LabSpeaker, peer: string, prefix: string): Promise<readonly PathReport[]> {
  const paths = await speaker.paths();
  return paths.filter((path) => path.prefix === prefix && path.from.startsWith(`${peer} `));
}

/**
 * Looks again and again while `meanwhile` runs: what is seen must be the same each time. Gives how often it was looked.
 * Looks once more when `meanwhile` is over.
 */
export async function unchanged(look: () => unknown, meanwhile: () => Promise<void>): Promise<number> {
  const before = await look();
  let isOver = false;
  const over = meanwhile().finally(() => (isOver = true));
  over.catch(() => undefined);
  let looks = 0;
  for (let last = false; !last; looks++) {
    last = isOver;
    expect(await look()).toEqual(before);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await over;
  return looks;
}

const LOOK_MS = 20;
