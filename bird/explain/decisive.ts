/** Which of the incidents of a session explains why it is down. Pure. */
import type { PeerIncident } from '../view.ts';
import { ceaseOf } from './notified.ts';

/** The longest that a daemon waits after an error before it lets the other side in again: BIRD's 300 s. */
const ERROR_WAIT_MS = 300_000;
/** From one attempt to the next, whatever the retry time. */
const ATTEMPTS_MS = 60_000;

/**
 * The newest that tells something. After an error both sides wait, and refuse each other meanwhile: such a refusal tells
 * less than the error before it, and does not take its place.
 */
export function decisiveIncident(incidents: readonly PeerIncident[]): PeerIncident | undefined {
  const heard = incidents.filter((incident) => !isNoise(incident));
  const last = heard.at(-1);
  if (last?.kind === 'silence') return heard.findLast((incident) => isUnreachable(incident, last)) ?? last;
  if (last === undefined || !isAftermath(last)) return last;
  const before = heard.findLast((incident) => beginsAnew(incident) || isTelling(incident));
  return before !== undefined && isTelling(before) && explains(before, last) ? before : last;
}

/** Where nobody has the address the kernel says so after three seconds; what we wait for until then is silence. */
const isUnreachable = ({ kind, errno, at }: PeerIncident, silence: PeerIncident): boolean =>
  kind === 'connection failed' && errno === 'EHOSTUNREACH' && silence.at - at <= ATTEMPTS_MS;

/** What we refuse while we wait ourselves, and one connection more or less, unless it was the session. RFC 4271 §6.8. */
const isNoise = (incident: PeerIncident): boolean =>
  incident.kind === 'connection refused by us' || (!incident.isFlap && ceaseOf(incident) === 'connection collision');

/** How a peer behaves that will not have us at the moment. */
function isAftermath(incident: PeerIncident): boolean {
  if (incident.kind === 'notification received') return ceaseOf(incident) === 'connection rejected';
  if (incident.kind === 'connection failed') return incident.errno === 'ECONNREFUSED';
  return incident.kind === 'connection lost' && !incident.isFlap;
}

/** What was before that is over: our settings were others, or the session was up since. */
const beginsAnew = ({ kind, isFlap }: PeerIncident): boolean => kind === 'administrative' || isFlap;

/** It names what is wrong, and not only that something is. */
function isTelling(incident: PeerIncident): boolean {
  if (incident.kind === 'bfd') return true;
  if (incident.kind === 'administrative' || incident.notification === undefined) return false;
  const cease = ceaseOf(incident);
  return cease === undefined || cease === 'ended by an operator' || cease === 'other';
}

/** An end that an operator has to undo explains for as long as it takes. */
const explains = (before: PeerIncident, after: PeerIncident): boolean =>
  ceaseOf(before) === 'ended by an operator' || after.at - before.at <= ERROR_WAIT_MS;
