/** Why a session is as it is: one verdict, what speaks for it, and what to look at next. Pure. */
import { formatIpAddress } from '../../src/model/ip.ts';
import type { PeerIncident, PeerView } from '../view.ts';
import type { Finding, PeerEvidence, PeerExplanation } from './finding.ts';
import { notificationFinding } from './notifications.ts';
import { reachFinding } from './reach.ts';

/** The last so many incidents are shown. */
const SHOWN_INCIDENTS = 5;

/** The first rule that finds something is the verdict. */
export function explainPeer(given: PeerEvidence): PeerExplanation {
  const { view } = given;
  const finding = standing(view) ?? fromIncidents(given) ?? reachFinding(given) ?? unexplained(view);
  return { ...finding, evidence: [...(finding.evidence ?? []), ...history(given)] };
}

function standing({ state, settings, holdSeconds, received, accepted, advertised }: PeerView): Finding | undefined {
  if (settings.shutdown !== undefined) {
    return {
      cause: 'shut down here',
      verdict: 'the session is shut down by this side’s configuration',
      evidence: settings.shutdown === '' ? [] : [`told to the peer: "${settings.shutdown}"`],
      next: ['take the shutdown out of the configuration of this peer'],
    };
  }
  if (state !== 'Established') return undefined;
  return {
    cause: 'established',
    verdict: 'the session is up',
    evidence: [
      `${received} prefixes received, ${accepted} accepted, ${advertised} advertised`,
      holdSeconds === 0 ? 'no hold time' : `hold time ${holdSeconds ?? '?'} s`,
    ],
    next: [],
  };
}

/** The newest incident that tells something; one connection more or less tells nothing. */
function fromIncidents(given: PeerEvidence): Finding | undefined {
  for (const incident of given.view.incidents.toReversed()) {
    if (isCollision(incident)) continue;
    return ofIncident(incident, given);
  }
  return undefined;
}

const isCollision = ({ notification }: PeerIncident): boolean => notification?.code === 6 && notification.subcode === 7;

function ofIncident(incident: PeerIncident, given: PeerEvidence): Finding | undefined {
  switch (incident.kind) {
    case 'notification sent':
    case 'notification received':
      return notificationFinding(incident, given.view.settings);
    case 'bfd':
      return {
        cause: 'path failure',
        verdict: 'BFD found the path to the peer dead',
        evidence: [incident.text],
        next: ['the link and the switch between the two', 'whether BFD’s interval is too short for this path'],
      };
    case 'administrative':
      return undefined;
    case 'connection failed':
    case 'connection lost':
    case 'connection refused by us':
    case 'silence':
      return reachFinding(given, incident);
  }
}

const unexplained = ({ state }: PeerView): Finding => ({
  cause: 'just started',
  verdict: `the session is in ${state}, and nothing has gone wrong yet`,
  next: ['ask again in a few seconds'],
});

function history({ view, now }: PeerEvidence): readonly string[] {
  const { reach, incidents, settings } = view;
  const address = formatIpAddress(settings.address);
  const counted = [
    `dialled ${reach.dialled} times, TCP stood ${reach.connected} times, ${address} dialled us ${reach.incoming} times`,
    ...(reach.hasSeenOpen ? [] : ['no OPEN of the peer was ever seen']),
  ];
  const told = incidents
    .slice(-SHOWN_INCIDENTS)
    .reverse()
    .map(({ at, text }) => `${ago(now - at)}: ${text}`);
  return [...(view.state === 'Established' ? [] : counted), ...told];
}

/** `4 s ago`, `3 min ago`, `2 h ago`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}
