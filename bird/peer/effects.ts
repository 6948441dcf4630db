/** Effects that several transitions of fsm.ts share. Pure. */
import type { LocalSettings, Negotiated } from './negotiate.ts';
import type { Effect, Timer } from './vocabulary.ts';

/** RFC 4271 §8.2.2: "a large value", 4 minutes, until the OPEN tells better. */
export const OPEN_HOLD_SECONDS = 240;
/** Long enough for any healthy peer to answer, and short enough for whoever looks why a session does not come up. */
export const SILENCE_SECONDS = 3;
/** RFC 9687 §4: eight minutes or twice the hold time; two minutes are enough among machines of one data centre. */
const MIN_SEND_HOLD_SECONDS = 120;

/** Jitter only where RFC 4271 §10 asks for it, and on the error wait, so that a rack does not come back in step. */
export const start = (timer: Timer, seconds: number, jitter = false): Effect => ({
  do: 'startTimer',
  timer,
  seconds,
  jitter,
});

export const stop = (timer: Timer): Effect => ({ do: 'stopTimer', timer });

export const dial = ({ connectRetrySeconds }: LocalSettings): readonly Effect[] => [
  start('ConnectRetryTimer', connectRetrySeconds, true),
  start('SilenceTimer', SILENCE_SECONDS),
  { do: 'connect' },
];

/** Wait in Active for so long, then dial; a passive peer is waited for without end. */
export const retry = ({ passive }: LocalSettings, seconds: number): readonly Effect[] =>
  passive ? [] : [start('ConnectRetryTimer', seconds, true)];

/** Our OPEN goes out, theirs is awaited. The shorter of two timers first: the clock is asked once then. */
export const greet = (): readonly Effect[] => [
  stop('ConnectRetryTimer'),
  stop('DelayOpenTimer'),
  { do: 'sendOpen' },
  start('SilenceTimer', SILENCE_SECONDS),
  start('HoldTimer', OPEN_HOLD_SECONDS),
];

/** The peer's OPEN is agreed to. A hold time of zero means that neither timer runs. RFC 4271 §4.2, §4.4. */
export const confirm = ({ holdSeconds, keepaliveSeconds }: Negotiated): readonly Effect[] => [
  stop('SilenceTimer'),
  { do: 'sendKeepalive' },
  ...(holdSeconds === 0
    ? [stop('HoldTimer')]
    : [start('HoldTimer', holdSeconds), start('KeepaliveTimer', keepaliveSeconds, true)]),
];

export const holdAgain = ({ holdSeconds }: Negotiated): readonly Effect[] =>
  holdSeconds === 0 ? [] : [start('HoldTimer', holdSeconds)];

export const keepalive = ({ keepaliveSeconds }: Negotiated): readonly Effect[] => [
  { do: 'sendKeepalive' },
  start('KeepaliveTimer', keepaliveSeconds, true),
];

export const up = (session: Negotiated, local: LocalSettings): readonly Effect[] => [
  ...holdAgain(session),
  ...(session.holdSeconds === 0 ? [] : [start('SendHoldTimer', sendHoldSeconds(session, local))]),
  start('ErrorForgetTimer', local.errorWaitSeconds[1]),
  { do: 'sessionUp', session },
];

/** Never shorter than the hold time, or a peer that is merely slow would be cut off before it could fail. RFC 9687 §3. */
const sendHoldSeconds = ({ holdSeconds }: Negotiated, local: LocalSettings): number =>
  Math.max(holdSeconds + 1, local.sendHoldSeconds ?? Math.max(MIN_SEND_HOLD_SECONDS, holdSeconds * 2));

/** The end of a connection, be there one or not, and of all that was to happen to it. */
export const hangUp = (how: 'disconnect' | 'drop' = 'disconnect'): readonly Effect[] => [
  stop('ConnectRetryTimer'),
  stop('HoldTimer'),
  stop('KeepaliveTimer'),
  stop('DelayOpenTimer'),
  stop('IdleHoldTimer'),
  stop('SendHoldTimer'),
  stop('ErrorForgetTimer'),
  stop('SilenceTimer'),
  { do: how },
];
