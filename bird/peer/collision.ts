/** Two connections of one peer at once: which may live? Pure. RFC 4271 §6.8, RFC 6286 §2.3, RFC 4724 §5. */
import type { State } from './fsm.ts';

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
 * An OPEN has just come over the connection `arrived`; `other` is where the second connection stands.
 * `both`: too early to judge, the other side's OPEN is not there yet.
 */
export function judgeOpen(
  arrived: Direction,
  other: State,
  sides: { readonly local: Side; readonly remote: Side },
): 'keepArrived' | 'keepOther' | 'both' {
  switch (other.name) {
    case 'OpenConfirm':
      return survivingDirection(sides.local, sides.remote) === arrived ? 'keepArrived' : 'keepOther';
    case 'Established':
      // A peer that restarted may connect before we noticed that its old connection is dead. RFC 4724 §4.2.
      return other.session.gracefulRestart === undefined ? 'keepOther' : 'keepArrived';
    case 'OpenSent':
      return 'both';
    case 'Idle':
    case 'Connect':
    case 'Active':
      return 'keepArrived';
  }
}

/** May a new incoming connection be read at all while the main one is in `main`? */
export function admitIncoming(main: State, hasRival: boolean): 'takeOver' | 'rival' | 'refuse' {
  if (main.name === 'Active') return 'takeOver';
  if (main.name === 'Idle' || hasRival) return 'refuse';
  // RFC 4271 §6.8: without CollisionDetectEstablishedState an Established session always wins.
  if (main.name === 'Established' && main.session.gracefulRestart === undefined) return 'refuse';
  return 'rival';
}
