/** The BGP speaker's only door. It knows no kernel, no etcd and no Calico; README.md tells how it works. */
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import { createBfd } from './bfd/index.ts';
import type { Bfd } from './bfd/index.ts';
import { procNetstat } from './peer/proc-netstat.ts';
import { sharedEvidence } from './peer/tcp-counters.ts';
import type { TcpEvidence } from './peer/tcp-counters.ts';
import { tcpTransport } from './peer/tcp.ts';
import type { Transport } from './peer/transport.ts';
import type { Speaker } from './contract.ts';
import type { PeerSettings, SpeakerSettings } from './settings.ts';
import { rehearse as rehearseOver } from './rehearsal.ts';
import { BgpSpeaker } from './speaker.ts';

export { wellKnown as wellKnownCommunities } from './policy/well-known.ts';
export type { CloseHow, Speaker } from './contract.ts';
export type { FilterMatch, FilterOperation, FilterRule, RouteFilter } from './policy/filter.ts';
export type {
  BfdSettings,
  DynamicPeers,
  OriginatedAttributes,
  OriginatedRoute,
  PeerSettings,
  PrefixLimit,
  SpeakerSettings,
} from './settings.ts';
export { matchPeers, peerChange } from './peer-change.ts';
export type { PeerChange } from './peer-change.ts';
export type { PeerExplanation } from './explain/finding.ts';
export type {
  AdvertisementView,
  PeerView,
  RefusedCaller,
  RouteAttributes,
  RouteExplanation,
  RouteQuestion,
  RouteView,
  SessionState,
  TableCounts,
} from './view.ts';

/** What a speaker needs of the world; what is optional is the real thing unless a test brings its own. */
export interface SpeakerWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly transport?: Transport;
  readonly bfd?: Bfd;
  readonly tcpEvidence?: TcpEvidence;
  /** A session is up, of whatever peer. */
  readonly peerUp?: () => void;
}

/** A speaker that is not started yet. */
export function createSpeaker(settings: SpeakerSettings, world: SpeakerWorld): Speaker {
  return new BgpSpeaker(settings, {
    transport: tcpTransport,
    bfd: world.bfd ?? createBfd(world),
    tcpEvidence: sharedEvidence(procNetstat, world.clock),
    peerUp: () => undefined,
    ...world,
  });
}

/** The settings of a speaker and of its peers. */
export interface LikeThis {
  readonly settings: SpeakerSettings;
  readonly peers: readonly Pick<PeerSettings, 'families'>[];
}

/** Does what such a speaker will do, without one: see rehearsal.ts. Answers how to end it before its time. */
export const rehearse = (
  { settings, peers }: LikeThis,
  world: Pick<SpeakerWorld, 'clock' | 'random' | 'log' | 'transport'>,
  over: () => void,
): (() => void) => {
  const families = [...new Set(peers.flatMap((peer) => peer.families))];
  return rehearseOver({ transport: tcpTransport, ...world, families, settings, peer: peers[0] }, over);
};
