/**
 * One BFD session, RFC 5880 §6.8, asynchronous mode, active role: `step(session, event, at)` gives the next state and what
 * the driver is to do. All that decides about a session's life is in this file; no clock, no socket, no chance.
 * When the next packet is due and when the peer counts as lost is never stored: both follow from the state.
 */
import { DIAGNOSTIC, diagnosticWords } from './diagnostic.ts';
import type { BfdState, ControlPacket } from './packet.ts';

/** What the operator set. */
export interface Timing {
  readonly transmitMs: number;
  readonly receiveMs: number;
  readonly multiplier: number;
}

/** What the last packet of the peer said. RFC 5880 §6.8.1. */
export interface Remote {
  readonly discriminator: number;
  readonly state: BfdState;
  readonly diagnostic: number;
  readonly isIndependent: boolean;
  readonly demand: boolean;
  readonly multiplier: number;
  readonly desiredMinTxMs: number;
  readonly requiredMinRxMs: number;
  readonly heardAt: number;
}

/**
 * A Poll Sequence, RFC 5880 §6.5: the next packet shall ask; it has asked; it was answered. `settling` ends with a packet
 * without F: only from then on is it clear which question an F answers (RFC 5880 §6.8.3, third choice).
 */
export type Poll = 'idle' | 'wanted' | 'asked' | 'settling';

/** RFC 5880 §6.8.1. Times in milliseconds on one monotonic clock. */
export interface Session {
  readonly state: BfdState;
  readonly diagnostic: number;
  readonly localDiscriminator: number;
  readonly timing: Timing;
  /** Undefined until the peer was heard, and again when it was silent for a Detection Time. */
  readonly remote: Remote | undefined;
  /** What we go by; differs from what we say until a Poll Sequence has told the peer. RFC 5880 §6.8.3. */
  readonly inForce: { readonly transmitMs: number; readonly receiveMs: number };
  readonly poll: Poll;
  /** Something changed again while a Poll Sequence was under way. */
  readonly isPollOwed: boolean;
  readonly sentAt: number;
  /** How much of the interval passes before the next packet. RFC 5880 §6.8.7. */
  readonly jitter: number;
}

export type SessionEvent =
  | { readonly type: 'received'; readonly packet: ControlPacket }
  /** `dueAt` has come. */
  | { readonly type: 'due' }
  | { readonly type: 'configured'; readonly timing: Timing }
  /** RFC 5880 §6.8.16. */
  | { readonly type: 'enabled' }
  | { readonly type: 'disabled' };

/** The session came up, or is up no more. */
export interface Report {
  readonly do: 'report';
  readonly state: 'Up' | 'Down';
  /** One sentence. */
  readonly text: string;
  /** False where an operator took either side down (RFC 5882 §3.2), or the peer began anew: that says nothing about the path. */
  readonly isPathFailure: boolean;
}

export type SessionEffect = { readonly do: 'send'; readonly packet: ControlPacket } | Report;
export type Step = readonly [Session, readonly SessionEffect[]];

/** When a step is taken, and the chance for its jitter: from 0 to 1, without 1. */
export interface Moment {
  readonly now: number;
  readonly chance: number;
}

/** RFC 5880 §6.8.3: no faster than this unless Up. */
const SLOW_TRANSMIT_MS = 1000;

/** A session that has yet to send its first packet. `localDiscriminator`: not 0, unique on this system. */
export function newSession(localDiscriminator: number, timing: Timing): Session {
  return {
    state: 'Down',
    diagnostic: DIAGNOSTIC.none,
    localDiscriminator,
    timing,
    remote: undefined,
    inForce: { transmitMs: Math.max(SLOW_TRANSMIT_MS, timing.transmitMs), receiveMs: timing.receiveMs },
    poll: 'idle',
    isPollOwed: false,
    sentAt: -Infinity,
    jitter: 1,
  };
}

export function step(session: Session, event: SessionEvent, at: Moment): Step {
  const reacted = pollAsNeeded(session, react(session, event, at.now));
  const [sent, packets] = sendAsNeeded(reacted, { before: session, event, at });
  const report = reportOf(session, sent);
  return [sent, report === undefined ? packets : [...packets, report]];
}

/** When `step` wants to be called with `due`; Infinity where only a packet can bring news. */
export const dueAt = (session: Session): number => Math.min(transmitDueAt(session), lostAt(session));

/** The interval between our packets before jitter. RFC 5880 §6.8.7; 1 microsecond stands for a peer not heard yet. */
export const transmitIntervalMs = ({ inForce, remote }: Session): number =>
  Math.max(inForce.transmitMs, remote?.requiredMinRxMs ?? 0);

/** RFC 5880 §6.8.4; undefined until the peer was heard. */
export function detectionMs({ inForce, remote }: Session): number | undefined {
  return remote && remote.multiplier * Math.max(inForce.receiveMs, remote.desiredMinTxMs);
}

/** bfd.DesiredMinTxInterval. RFC 5880 §6.8.3. */
function desiredMinTxMs({ state, timing }: Session): number {
  return state === 'Up' ? timing.transmitMs : Math.max(SLOW_TRANSMIT_MS, timing.transmitMs);
}

function lostAt(session: Session): number {
  const { remote } = session;
  return remote === undefined ? Infinity : remote.heardAt + detectionMs(session)!;
}

function transmitDueAt(session: Session): number {
  if (!mustSendPeriodically(session)) return Infinity;
  return session.sentAt + transmitIntervalMs(session) * session.jitter;
}

/** RFC 5880 §6.8.7: not to a peer that wants none, and not to one in Demand mode unless we poll. */
function mustSendPeriodically({ state, remote, poll }: Session): boolean {
  if (remote === undefined) return true;
  const isDemandActive = remote.demand && state === 'Up' && remote.state === 'Up';
  return remote.requiredMinRxMs > 0 && (!isDemandActive || isPolling(poll));
}

const isPolling = (poll: Poll): boolean => poll === 'wanted' || poll === 'asked';

function react(session: Session, event: SessionEvent, now: number): Session {
  switch (event.type) {
    case 'received':
      return received(session, event.packet, now);
    case 'due':
      return now >= lostAt(session) ? lost(session) : session;
    case 'configured':
      return { ...session, timing: event.timing };
    case 'enabled':
      return session.state === 'AdminDown' ? { ...session, state: 'Down' } : session;
    case 'disabled':
      return { ...session, state: 'AdminDown', diagnostic: DIAGNOSTIC.administrativelyDown };
  }
}

/** A Detection Time has passed in silence. RFC 5880 §6.8.4; §6.8.1 lets the peer's discriminator be forgotten. */
function lost(session: Session): Session {
  const forgotten = { ...session, remote: undefined };
  if (session.state !== 'Init' && session.state !== 'Up') return forgotten;
  return { ...forgotten, state: 'Down', diagnostic: DIAGNOSTIC.detectionTimeExpired };
}

/** RFC 5880 §6.8.6 from "Set bfd.RemoteDiscr" on; what must be discarded never comes here. */
function received(session: Session, packet: ControlPacket, now: number): Session {
  const heard = answered({ ...session, remote: remoteOf(packet, now) }, packet.final);
  return { ...heard, ...nextState(session, packet.state) };
}

function nextState(session: Session, remote: BfdState): Pick<Session, 'state' | 'diagnostic'> {
  const { state, diagnostic } = session;
  const stay = { state, diagnostic };
  const down = { state: 'Down', diagnostic: DIAGNOSTIC.neighborSignaledDown } as const;
  const up = { state: 'Up', diagnostic: DIAGNOSTIC.none } as const;
  switch (state) {
    case 'AdminDown':
      return stay;
    case 'Down':
      // The diagnostic of the last failure stays in the packets until we are Up again.
      if (remote === 'Down') return { state: 'Init', diagnostic };
      return remote === 'Init' ? up : stay;
    case 'Init':
      if (remote === 'AdminDown') return down;
      return remote === 'Down' ? stay : up;
    case 'Up':
      return remote === 'AdminDown' || remote === 'Down' ? down : stay;
  }
}

function remoteOf(packet: ControlPacket, now: number): Remote {
  return {
    discriminator: packet.myDiscriminator,
    state: packet.state,
    diagnostic: packet.diagnostic,
    isIndependent: packet.controlPlaneIndependent,
    demand: packet.demand,
    multiplier: packet.multiplier,
    desiredMinTxMs: packet.desiredMinTxUs / 1000,
    requiredMinRxMs: packet.requiredMinRxUs / 1000,
    heardAt: now,
  };
}

/** What a packet does to a Poll Sequence of ours. */
function answered(session: Session, final: boolean): Session {
  if (session.poll === 'asked' && final) {
    return { ...session, poll: 'settling', ...(!session.isPollOwed && { inForce: said(session) }) };
  }
  if (session.poll !== 'settling' || final) return session;
  return { ...session, poll: session.isPollOwed ? 'wanted' : 'idle', isPollOwed: false };
}

const said = (session: Session): Session['inForce'] => ({
  transmitMs: desiredMinTxMs(session),
  receiveMs: session.timing.receiveMs,
});

/** Begins a Poll Sequence where what we say of our intervals has changed. RFC 5880 §6.8.3. */
function pollAsNeeded(before: Session, after: Session): Session {
  const now = said(after);
  // Nobody is there who could go by what we said earlier.
  if (after.remote === undefined) return { ...after, poll: 'idle', isPollOwed: false, inForce: now };
  const then = said(before);
  const isChanged = now.transmitMs !== then.transmitMs || now.receiveMs !== then.receiveMs;
  const polling: Partial<Session> = !isChanged
    ? {}
    : after.poll === 'idle' || after.poll === 'wanted'
      ? { poll: 'wanted' }
      : { isPollOwed: true };
  return { ...after, ...polling, inForce: after.state === 'Up' ? cautious(after.inForce, now, isChanged) : now };
}

/** Up: until the peer has confirmed it, we neither send less often nor expect it to send more often. RFC 5880 §6.8.3. */
function cautious(inForce: Session['inForce'], now: Session['inForce'], isChanged: boolean): Session['inForce'] {
  if (!isChanged) return inForce;
  return {
    transmitMs: Math.min(inForce.transmitMs, now.transmitMs),
    receiveMs: Math.max(inForce.receiveMs, now.receiveMs),
  };
}

interface Cause {
  readonly before: Session;
  readonly event: SessionEvent;
  readonly at: Moment;
}

function sendAsNeeded(session: Session, { before, event, at }: Cause): Step {
  // RFC 5880 §6.8.7: F at once, whatever the timer says, and without P. A packet in AdminDown was discarded.
  if (event.type === 'received' && event.packet.poll && session.state !== 'AdminDown') {
    return [session, [{ do: 'send', packet: packetOf(session, { final: true }) }]];
  }
  if (saysTheSame(before, session) && at.now < transmitDueAt(session)) return [session, []];
  const packet = packetOf(session, { poll: isPolling(session.poll) });
  const sent: Session = {
    ...session,
    poll: session.poll === 'wanted' ? 'asked' : session.poll,
    sentAt: at.now,
    jitter: jitterOf(session.timing, at.chance),
  };
  return [sent, [{ do: 'send', packet }]];
}

/** RFC 5880 §6.8.7: what is new is said at once. */
const saysTheSame = (a: Session, b: Session): boolean =>
  a.state === b.state &&
  a.diagnostic === b.diagnostic &&
  a.remote?.discriminator === b.remote?.discriminator &&
  a.timing.multiplier === b.timing.multiplier &&
  a.timing.receiveMs === b.timing.receiveMs &&
  desiredMinTxMs(a) === desiredMinTxMs(b);

/** RFC 5880 §6.8.7: 75 to 100 percent, and at most 90 where a single packet that is late would be one too many. */
const jitterOf = ({ multiplier }: Timing, chance: number): number => 0.75 + chance * (multiplier === 1 ? 0.15 : 0.25);

function packetOf(session: Session, { poll = false, final = false }): ControlPacket {
  return {
    diagnostic: session.diagnostic,
    state: session.state,
    poll,
    final,
    controlPlaneIndependent: false,
    authenticationPresent: false,
    demand: false,
    multiplier: session.timing.multiplier,
    myDiscriminator: session.localDiscriminator,
    yourDiscriminator: session.remote?.discriminator ?? 0,
    desiredMinTxUs: Math.round(desiredMinTxMs(session) * 1000),
    requiredMinRxUs: Math.round(session.timing.receiveMs * 1000),
    requiredMinEchoRxUs: 0,
  };
}

function reportOf(before: Session, after: Session): Report | undefined {
  if (before.state !== 'Up' && after.state === 'Up') {
    return { do: 'report', state: 'Up', text: 'the session is up', isPathFailure: false };
  }
  if (before.state !== 'Up' || after.state === 'Up') return undefined;
  const isAdministrative = after.state === 'AdminDown' || after.remote?.state === 'AdminDown';
  const isPathFailure = !isAdministrative && !hasBegunAnew(before, after);
  return { do: 'report', state: 'Down', text: downText(before, after), isPathFailure };
}

/**
 * The peer restarted within a Detection Time, and its BGP may be back already: to end that session would undo the graceful
 * restart (RFC 5882 §4.3.2). A failure that it has seen itself has a diagnostic, or the old discriminator.
 */
const hasBegunAnew = (before: Session, { remote }: Session): boolean =>
  remote?.state === 'Down' &&
  remote.diagnostic === DIAGNOSTIC.none &&
  remote.discriminator !== before.remote?.discriminator;

function downText(before: Session, after: Session): string {
  if (after.state === 'AdminDown') return 'taken down here';
  const { remote } = after;
  if (remote === undefined) return silenceText(before);
  if (remote.state === 'AdminDown') return 'the peer took the session down (AdminDown)';
  if (hasBegunAnew(before, after)) return 'the peer began its BFD session anew';
  const reason = remote.diagnostic === DIAGNOSTIC.none ? '' : ` (${diagnosticWords(remote.diagnostic)})`;
  return remote.diagnostic === DIAGNOSTIC.detectionTimeExpired
    ? `the peer says Down${reason}: what we send does not reach it in time`
    : `the peer says Down${reason}`;
}

function silenceText(session: Session): string {
  const detection = detectionMs(session) ?? 0;
  const { multiplier } = session.remote ?? { multiplier: 1 };
  return `nothing heard for ${Math.round(detection)} ms (${multiplier} x ${Math.round(detection / multiplier)} ms)`;
}
