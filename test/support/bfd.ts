import type { ControlPacket } from '../../bird/bfd/packet.ts';

/** What a peer at 300 ms × 3 says whose discriminator is 99, to a session whose discriminator is 7. */
export const peerPacket = (different: Partial<ControlPacket> = {}): ControlPacket => ({
  diagnostic: 0,
  state: 'Down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  authenticationPresent: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 99,
  yourDiscriminator: 7,
  desiredMinTxUs: different.state === 'Up' ? 300_000 : 1_000_000,
  requiredMinRxUs: 300_000,
  requiredMinEchoRxUs: 0,
  ...different,
});
