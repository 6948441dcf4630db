/** What several trials with a foreign router look at. */
import { expect } from 'vitest';
import type { IncidentReport } from '../../src/api/bgp-contract.ts';
import { eventually } from '../support/eventually.ts';
import type { LabSpeaker } from '../support/speaker-lab.ts';
import { report } from './ours.ts';
import type { Foreign } from './router.ts';

/** Both say so. */
export async function bothUp(
  speaker: LabSpeaker,
  foreign: Foreign,
  [theirs, ours]: readonly [string, string],
): Promise<void> {
  await speaker.established(theirs);
  await eventually(() => expect(foreign.isEstablished(ours), foreign.shows(ours)).toBe(true));
}

/** Waits until our API tells of such an incident of the peer, whatever has happened since. */
export const incident = (speaker: LabSpeaker, peer: string, what: Partial<IncidentReport>): Promise<void> =>
  eventually(async () => {
    const { incidents } = await report(speaker, peer);
    expect(incidents).toContainEqual(expect.objectContaining(what));
  });

/** Looks again and again while `meanwhile` runs, and once more when it is over: what is seen must be the same each time. */
export async function unchanged(look: () => unknown, meanwhile: () => Promise<void>): Promise<void> {
  const before = await look();
  let isOver = false;
  const over = meanwhile().finally(() => (isOver = true));
  // Where what is seen is another, that is the fault to tell.
  over.catch(() => undefined);
  for (let isLast = false; !isLast;) {
    isLast = isOver;
    expect(await look()).toEqual(before);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await over;
}

const LOOK_MS = 20;
