/** Why a session is as it is: one verdict, what speaks for it, and what to look at next. Pure. */
import type { PeerIncident, PeerView } from '../view.ts';
import { decisiveIncident } from './decisive.ts';
import type { Finding, PeerEvidence, PeerExplanation } from './finding.ts';
import { history } from './history.ts';
import { notificationFinding } from './notifications.ts';
import { protectionFinding, tooFarFinding, unheardFinding } from './protection.ts';
import { failedFinding, lostFinding, noAnswer, noKeepalive, noOpen, waiting } from './reach.ts';

/** A peer answers in milliseconds, and TCP has sent again what was lost several times by then. */
const ANSWER_MS = 2000;
/** TCP loses a segment now and then. */
const MANY_RETRANSMITS = 3;

/** The first rule that finds something is the verdict. */
export function explainPeer(given: PeerEvidence): PeerExplanation {
  const finding = standing(given.view) ?? conversation(given) ?? past(given);
  return { ...finding, evidence: [...(finding.evidence ?? []), ...history(given, finding.cause)] };
}

function standing({
  state,
  settings,
  holdSeconds,
  connection,
  received,
  accepted,
  advertised,
}: PeerView): Finding | undefined {
  if (settings.shutdown !== undefined) {
    return {
      cause: 'shut down here',
      verdict: 'the session is shut down by this side’s configuration',
      evidence: settings.shutdown === '' ? [] : [`told to the peer: "${settings.shutdown}"`],
      next: ['take the shutdown out of the configuration of this peer'],
    };
  }
  if (state !== 'Established') return undefined;
  const evidence = [
    `${received} prefixes received, ${accepted} accepted, ${advertised} advertised`,
    holdSeconds === 0 ? 'no hold time' : `hold time ${holdSeconds ?? '?'} s`,
  ];
  const retransmits = connection?.retransmits ?? 0;
  if (retransmits < MANY_RETRANSMITS) return { cause: 'established', verdict: 'the session is up', evidence, next: [] };
  return {
    cause: 'established',
    verdict: 'the session is up, but the peer acknowledges nothing of what we send: it, or the path to it, may be gone',
    evidence: [...evidence, `TCP has sent the same ${retransmits} times again without an acknowledgement`],
    next: [
      'that the peer is up: ping it',
      'TTL security, where the session has only just come up: it may be on at the peer alone',
    ],
  };
}

/** TCP stands for a while, and the session does not get on. */
function conversation(given: PeerEvidence): Finding | undefined {
  const { state, since, connection } = given.view;
  const waited = given.now - since;
  if ((state !== 'OpenSent' && state !== 'OpenConfirm') || waited < ANSWER_MS) return undefined;
  const retransmits = connection?.retransmits ?? 0;
  const dropped = protectionFinding(given);
  if (dropped !== undefined) return dropped;
  if (retransmits > 0) return unheardFinding(given, retransmits);
  return state === 'OpenConfirm' ? noKeepalive(waited) : noOpen(given.view);
}

function past(given: PeerEvidence): Finding {
  const { view, now } = given;
  const incident = decisiveIncident(view.incidents);
  return (
    protectionFinding(given, incident) ??
    (incident === undefined ? waiting(view, now) : ofIncident(incident, given)) ??
    waiting(view, now)
  );
}

function ofIncident(incident: PeerIncident, { view, now }: PeerEvidence): Finding | undefined {
  switch (incident.kind) {
    case 'notification sent':
    case 'notification received':
      return notificationFinding(incident, view) ?? unknown(incident);
    case 'bfd':
      return {
        cause: 'path failure',
        verdict: `BFD found the path to the peer dead: ${incident.text}`,
        next: ['the link and the switches between the two', 'whether BFD’s interval is too short for this path'],
      };
    case 'administrative':
      return administrative(incident, view, now);
    case 'connection failed':
      return failedFinding(view, incident);
    case 'silence':
      return noAnswer(view.settings);
    case 'no OPEN':
      return noOpen(view);
    case 'connection lost':
      return lostFinding(view, incident);
    case 'too far away':
      return tooFarFinding(view, incident);
    case 'connection refused by us':
      return undefined;
  }
}

const unknown = ({ text }: PeerIncident): Finding => ({
  cause: 'unknown',
  verdict: text,
  next: ['the log of both sides'],
});

/** We did it ourselves, and the session has not got on since. */
function administrative({ text }: PeerIncident, view: PeerView, now: number): Finding {
  const since = waiting(view, now);
  if (since.cause === 'both wait') return since;
  return {
    cause: 'configuration change',
    verdict: text,
    next: ['ask again in a few seconds: it should come back by itself', 'the log of this host'],
  };
}
