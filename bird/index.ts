/** The BGP speaker's only door. It knows no kernel, no etcd and no Calico; README.md tells how it works. */
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import { tcpTransport } from './peer/tcp.ts';
import type { Transport } from './peer/transport.ts';
import type { Speaker } from './contract.ts';
import type { SpeakerSettings } from './settings.ts';
import { BgpSpeaker } from './speaker.ts';

export type { CloseHow, Speaker } from './contract.ts';
export type { CommunityValue, FilterMatch, FilterOperation, FilterRule, RouteFilter } from './policy/filter.ts';
export type {
  BfdSettings,
  DynamicPeers,
  OriginatedAttributes,
  OriginatedRoute,
  PeerSettings,
  PrefixLimit,
  SpeakerSettings,
} from './settings.ts';
export type { PeerView, RefusedCaller, RouteView, SessionState } from './view.ts';

/** A speaker that is not started yet. `transport` is TCP unless a test brings its own. */
export function createSpeaker(
  settings: SpeakerSettings,
  ports: { readonly clock: Clock; readonly random: Random; readonly log: Logger; readonly transport?: Transport },
): Speaker {
  return new BgpSpeaker(settings, { ...ports, transport: ports.transport ?? tcpTransport });
}
