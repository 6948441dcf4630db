/** The ways in which a connection ends, each with its NOTIFICATION, its report and its wait. Pure; fsm.ts says when. */
import type { Fault } from '../wire.ts';
import { hangUp, retry, start } from './effects.ts';
import type { LocalSettings } from './negotiate.ts';
import type { Reason } from './reason.ts';
import { administrative, sent } from './reason.ts';
import type { Effect, Loss, LossCause, State, Step } from './vocabulary.ts';

interface Ending {
  readonly reason: Reason;
  readonly loss: Loss;
  /** The NOTIFICATION; not sent where no OPEN was (SendNOTIFICATIONwithoutOPEN is off, RFC 4271 §8.1.1). */
  readonly farewell?: Fault;
}

/** Hang up and wait in Active, without a penalty: nobody broke the protocol. */
export function retryLater(state: State, local: LocalSettings, ending: Ending & { readonly seconds?: number }): Step {
  const again = retry(local, ending.seconds ?? local.earlyRetrySeconds ?? local.connectRetrySeconds);
  const next: State = { name: 'Active', connectRetryCounter: state.connectRetryCounter, isDelayingOpen: false };
  return [next, [...lastWords(state, 'Active', ending), ...hangUp(), ...again, ...down(state, ending.loss)]];
}

export interface Failure extends Ending {
  /** Instead of the wait that doubles with each error; Infinity: until an operator wills. */
  readonly waitSeconds?: number;
  /** Default true; false: it does not lengthen the next wait. */
  readonly counts?: boolean;
  readonly how?: 'disconnect' | 'drop';
}

/** An error, theirs or ours: say so unless they did, hang up, and wait longer each time. RFC 4271 §8.1.1. */
export function failed(state: State, local: LocalSettings, failure: Failure): Step {
  const { waitSeconds, counts = true, how } = failure;
  const [first, most] = local.errorWaitSeconds;
  const damped = Math.min(most, first * 2 ** Math.min(state.connectRetryCounter, 30));
  const wait = waitSeconds ?? damped;
  const hold = wait === Infinity ? [] : [start('IdleHoldTimer', wait, waitSeconds === undefined)];
  const connectRetryCounter = state.connectRetryCounter + (counts ? 1 : 0);
  return [
    { name: 'Idle', connectRetryCounter, isHeld: true },
    [...lastWords(state, 'Idle', failure), ...hangUp(how), ...hold, ...down(state, failure.loss)],
  ];
}

/** What `failed` does with a fault of the peer. */
export const notified = (fault: Fault, cause: LossCause = 'notification'): Failure => ({
  reason: sent(fault),
  loss: lossBy(fault, cause),
  farewell: fault,
});

/** What `failed` does with a fault of ours: told where that is allowed. */
export const endedByUs = (state: State, farewell: Fault): Failure =>
  hasSaidOpen(state)
    ? notified(farewell)
    : { reason: administrative(farewell.text), loss: lossBy(farewell, 'notification') };

export const lossBy = ({ code }: Fault, cause: LossCause, direction: 'sent' | 'received' = 'sent'): Loss => ({
  cause,
  notification: { direction, code },
});

/** To Idle until the next start, and the errors are forgotten. A stop without farewell is silent. RFC 4271 §8.1.2. */
export function stopped(state: State, farewell?: Fault): Step {
  const next: State = { name: 'Idle', connectRetryCounter: 0, isHeld: false };
  if (farewell === undefined) {
    const reason = administrative('we hung up without a NOTIFICATION');
    const told = state.name === 'Established' ? [report(state, 'Idle', reason)] : [];
    return [next, [...told, ...hangUp(), ...down(state, { cause: 'stop' })]];
  }
  const reason = administrative(farewell.text, hasSaidOpen(state) ? farewell : undefined);
  const ending = { reason, loss: lossBy(farewell, 'stop'), farewell };
  return [next, [...lastWords(state, 'Idle', ending), ...hangUp(), ...down(state, ending.loss)]];
}

/** Of two connections this one gives way: no error of anybody. RFC 4271 §6.8. */
export function gaveWay(state: State, farewell: Fault): Step {
  const next: State = { name: 'Idle', connectRetryCounter: state.connectRetryCounter, isHeld: false };
  const said = hasSaidOpen(state) ? lastWords(state, 'Idle', { ...notified(farewell) }) : [];
  return [next, [...said, ...hangUp(), ...down(state, lossBy(farewell, 'notification'))]];
}

export const report = (from: State, to: State['name'], reason: Reason): Effect => ({
  do: 'report',
  reason,
  from: from.name,
  to,
});

function lastWords(state: State, to: State['name'], { reason, farewell }: Ending): readonly Effect[] {
  const said: readonly Effect[] =
    farewell !== undefined && hasSaidOpen(state) ? [{ do: 'sendNotification', fault: farewell }] : [];
  return [...said, report(state, to, reason)];
}

const down = (before: State, loss: Loss): readonly Effect[] =>
  before.name === 'Established' ? [{ do: 'sessionDown', loss }] : [];

const hasSaidOpen = ({ name }: State): boolean =>
  name === 'OpenSent' || name === 'OpenConfirm' || name === 'Established';
