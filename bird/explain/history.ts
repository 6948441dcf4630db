/** What both sides did so far, for every verdict alike. Pure. */
import type { PeerIncident, PeerView } from '../view.ts';
import type { PeerCause, PeerEvidence } from './finding.ts';
import { ago, times } from './words.ts';

/** The last so many incidents are shown. */
const SHOWN_INCIDENTS = 5;

export function history({ view, now }: PeerEvidence, cause: PeerCause): readonly string[] {
  const incidents = view.incidents.slice(-SHOWN_INCIDENTS).reverse();
  return [
    ...(view.state === 'Established' ? flapLines(view) : [...reachLines(view, now), ...waitLines(view, cause)]),
    ...bfdLines(view),
    ...incidents.map((incident) => incidentLine(incident, now)),
  ];
}

const flapLines = ({ flaps }: PeerView): readonly string[] =>
  flaps === 0 ? [] : [`it was lost ${times(flaps)} since the peer was configured`];

function reachLines({ reach, settings }: PeerView, now: number): readonly string[] {
  const { dialled, lastDialledAt, incoming, lastIncomingAt, connected, hasSeenOpen } = reach;
  const last = (at: number | undefined): string => (at === undefined ? '' : `, last ${ago(now - at)}`);
  const ours =
    dialled === 0
      ? `we have not dialled${settings.passive ? ' (passive)' : ''}`
      : `we dialled ${times(dialled)}${last(lastDialledAt)}`;
  const theirs =
    incoming === 0
      ? 'no connection of the peer has come'
      : `the peer connected ${times(incoming)}${last(lastIncomingAt)}`;
  return [
    `${ours}; ${theirs}; ${connected === 0 ? 'TCP has not stood' : `TCP stood ${times(connected)}`}`,
    ...(hasSeenOpen ? [] : ['no OPEN of the peer has ever come']),
  ];
}

/** DampPeerOscillations, RFC 4271 §8.1.1. */
function waitLines({ state, settings, incidents }: PeerView, cause: PeerCause): readonly string[] {
  if (state !== 'Idle' || incidents.length === 0 || cause === 'shut down here' || cause === 'prefix limit') return [];
  const [first, most] = settings.errorWaitSeconds;
  return [
    `we wait ${first} to ${most} s after an error, longer each time, and refuse the peer’s connections meanwhile`,
  ];
}

function bfdLines({ bfd }: PeerView): readonly string[] {
  if (bfd === undefined || (bfd.state === 'Up' && bfd.problem === undefined)) return [];
  const why = bfd.problem ?? bfd.lastDiagnostic;
  return [`BFD is ${bfd.state}${why === undefined ? '' : `: ${why}`}`];
}

function incidentLine({ at, text, count, firstAt }: PeerIncident, now: number): string {
  const often = count === undefined || firstAt === undefined ? '' : ` (${times(count)}, first ${ago(now - firstAt)})`;
  return `${ago(now - at)}: ${text}${often}`;
}
