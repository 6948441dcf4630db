/** Two connections of one peer at once: which may live? Pure. RFC 4271 §6.8, RFC 6286 §2.3, RFC 4724 §4.2. */
import type { Fault } from '../wire.ts';
import { fault } from './fault.ts';
import type { State } from './vocabulary.ts';

/** Who made the TCP connection. */
export type Direction = 'outgoing' | 'incoming';

export interface Side {
  readonly asn: number;
  readonly bgpIdentifier: number;
}

/** The side with the larger BGP Identifier, and among equals the larger AS, keeps the connection that it made itself. */
export function survivingDirection(local: Side, remote: Side): Direction {
  const ours = local.bgpIdentifier - remote.bgpIdentifier || local.asn - remote.asn;
  return ours > 0 ? 'outgoing' : 'incoming';
}

/**
 * What becomes of an OPEN that has just come over the connection `arrived`, while a second connection stands where `other`
 * says.
 * - `keepArrived`, `keepOther`: the other one, or this one, ends.
 * - `wait`: this one will have to give way, if the peer speaks over the other connection too. Its OPEN tells the identifier,
 *   so that much is known already; but answered now, this session might be up on the peer's side before it ends on ours.
 * - `both`: go on with both. The one that reaches Established ends the other.
 */
export function judgeOpen(
  arrived: Direction,
  other: State,
  sides: { readonly local: Side; readonly remote: Side },
): 'keepArrived' | 'keepOther' | 'wait' | 'both' {
  const survives = survivingDirection(sides.local, sides.remote) === arrived;
  switch (other.name) {
    case 'OpenConfirm':
      return survives ? 'keepArrived' : 'keepOther';
    case 'OpenSent':
      return survives ? 'keepArrived' : 'wait';
    case 'Connect':
    case 'Active':
      return survives || !other.isDelayingOpen ? 'keepArrived' : 'wait';
    case 'Established':
      // A peer that restarted may connect before we noticed that its old connection is dead. RFC 4724 §4.2. Its KEEPALIVE
      // proves it: one that merely dialled at the same moment sends OPEN too, but then it gives that connection up.
      return other.session.gracefulRestart === undefined ? 'keepOther' : 'both';
    case 'Idle':
      return 'keepArrived';
  }
}

export type Admission = { readonly as: 'main' | 'rival' } | { readonly as: 'refused'; readonly fault: Fault };

/** May a new incoming connection be read at all, while the main one is where `main` says? One at a time may. */
export function admitIncoming(
  main: { readonly state: State; readonly direction: Direction },
  hasRival: boolean,
): Admission {
  const { state, direction } = main;
  if (state.name === 'Idle') {
    return state.isHeld
      ? refused('we wait after an error, so a connection of the peer was refused')
      : refused('the session is not started, so a connection of the peer was refused');
  }
  if (hasRival) return refused('an earlier connection of the peer is still under way');
  if (state.name === 'Active' && !state.isDelayingOpen) return { as: 'main' };
  if (state.name === 'Established') {
    // RFC 4271 §6.8: without CollisionDetectEstablishedState an Established session always wins.
    if (state.session.gracefulRestart !== undefined) return { as: 'rival' };
    return { as: 'refused', fault: fault('collisionResolution', 'the peer connected anew while its session stands') };
  }
  return direction === 'incoming' ? refused('an earlier connection of the peer is still under way') : { as: 'rival' };
}

/** RFC 4486 §4. */
const refused = (text: string): Admission => ({ as: 'refused', fault: fault('connectionRejected', text) });
