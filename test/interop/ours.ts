/** What a trial asks of our side, and of the kernel beneath it. */
import { expect } from 'vitest';
import { parseNetstat } from '../../bird/peer/tcp-counters.ts';
import type { TcpCounters } from '../../bird/peer/tcp-counters.ts';
import type { PeerReport } from '../../src/api/bgp-contract.ts';
import type { PathReport } from '../../src/api/contract.ts';
import { eventually } from '../support/eventually.ts';
import type { LabSpeaker, SpeakerLabHost } from '../support/speaker-lab.ts';
import type { Notified } from './live-daemon.ts';

/** Every path of a prefix that `peer` told us, best or not. */
export const pathsFrom = async (speaker: LabSpeaker, peer: string, prefix?: string): Promise<readonly PathReport[]> =>
  (await speaker.paths()).filter(
    (path) => path.from.startsWith(`${peer} `) && (prefix === undefined || path.prefix === prefix),
  );

/** Waits until `peer` has told us exactly these; sorted as text. */
export const toldUs = (speaker: LabSpeaker, peer: string, prefixes: readonly string[]): Promise<void> =>
  eventually(async () => expect((await pathsFrom(speaker, peer)).map(({ prefix }) => prefix).sort()).toEqual(prefixes));

/** All that our API tells of a peer. */
export const report = (speaker: LabSpeaker, peer: string): Promise<PeerReport> =>
  speaker.client.get(`/v1/bgp/peers/${encodeURIComponent(peer)}`);

/** Asks the peer for everything again. */
export const askAgain = (speaker: LabSpeaker, peer: string): Promise<unknown> =>
  speaker.client.post(`/v1/bgp/peers/${encodeURIComponent(peer)}/refresh`, {});

const KINDS = { sent: /^(notification sent|administrative)$/, received: /^notification received$/ } as const;

/** Waits until the session with `peer` was up and went down with this NOTIFICATION. */
export const wentDown = (speaker: LabSpeaker, peer: string, why: Notified): Promise<void> =>
  eventually(async () => {
    const { kind, text, code, subcode } = { text: '', ...why };
    expect((await report(speaker, peer)).incidents).toContainEqual(
      expect.objectContaining({
        ...{ kind: expect.stringMatching(KINDS[kind]) as string, isFlap: true },
        text: expect.stringContaining(text) as string,
        notification: expect.objectContaining({ code, subcode }) as object,
      }),
    );
  });

/** Waits until we have sent a ROUTE-REFRESH and heard an UPDATE again, with the same routes as before. */
export async function refreshes(speaker: LabSpeaker, peer: string, hasAsked: () => void): Promise<void> {
  const before = await report(speaker, peer);
  const routes = await pathsFrom(speaker, peer);
  await askAgain(speaker, peer);
  await eventually(hasAsked);
  await eventually(async () => {
    const { messages } = await report(speaker, peer);
    expect(messages.sent.routeRefresh).toBe(before.messages.sent.routeRefresh + 1);
    expect(messages.received.update).toBeGreaterThan(before.messages.received.update);
  });
  expect(await pathsFrom(speaker, peer)).toEqual(routes);
}

/** The session with a peer that was killed is over, and every route of it is here, stale. */
export const keptStale = (speaker: LabSpeaker, peer: string, prefixes: readonly string[]): Promise<void> =>
  eventually(async () => {
    expect((await speaker.peer(peer)).state).not.toBe('Established');
    const paths = await pathsFrom(speaker, peer);
    expect(paths.map(({ prefix, stale }) => [prefix, stale]).sort()).toEqual(prefixes.map((prefix) => [prefix, true]));
  });

/** It is back, has told these again, and nothing of what it told before is left. */
export async function resumed(speaker: LabSpeaker, peer: string, prefixes: readonly string[]): Promise<void> {
  await speaker.established(peer);
  await toldUs(speaker, peer, prefixes);
  await eventually(async () =>
    expect((await speaker.peer(peer)).gracefulRestart).toMatchObject({ negotiated: true, staleRoutes: 0 }),
  );
}

/** Waits until the kernel of a host has thrown something away for this reason. */
export const dropsOn = (host: SpeakerLabHost, why: keyof TcpCounters): Promise<void> =>
  eventually(() => expect(parseNetstat(host.run('cat', '/proc/net/netstat'))?.[why]).toBeGreaterThan(0));
