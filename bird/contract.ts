/** What a speaker promises to whoever runs it. */
import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';
import type { PasswordRefusal } from './peer/transport.ts';
import type { DynamicPeers, OriginatedRoute, PeerSettings } from './settings.ts';
import type { PeerExplanation } from './explain/finding.ts';
import type {
  AdvertisementView,
  PeerView,
  RefusedCaller,
  RouteExplanation,
  RouteQuestion,
  RouteView,
  TableCounts,
} from './view.ts';

export interface Speaker {
  /**
   * Opens the listeners; throws one sentence where an address or port is taken or not permitted. Then nothing stays
   * open, and it may be tried again.
   */
  start(): Promise<void>;
  /**
   * The whole desired set. New peers start, missing ones end with Cease/Peer De-configured. Of a changed one: what only
   * the next OPEN or a timer needs (restart and keepalive time, ADD-PATH; who dials, where to and when once the session
   * stands) leaves the session alone. Anything else makes a new session: where graceful restart was agreed on and address, AS and
   * families stay, without NOTIFICATION, and no side loses a route meanwhile; else with Cease/Other Configuration Change.
   */
  setPeers(peers: readonly PeerSettings[]): void;
  /**
   * The whole set of prefixes whose callers become peers without being configured one by one. A configured peer comes
   * before any range, and the longest prefix before a shorter one. Passwords are in force when this returns. A peer that
   * is there changes as with setPeers; it ends where no range holds it any more, and a minute after its session is over
   * and no route is kept for it.
   */
  setDynamicPeers(ranges: readonly DynamicPeers[]): void;
  /** The whole set of routes that this node originates. Peers hear End-of-RIB after the first call, so call it, be it with none. */
  setOriginated(routes: readonly OriginatedRoute[]): void;
  /** All best routes learned from peers, as selected last; never throws, selection under way or not. */
  learnedRoutes(): readonly LearnedRoute[];
  /**
   * False from a restart with `restarting` until selection ran: until then an absent route means nothing,
   * and nobody may delete a kernel route for it. It takes setPeers and setOriginated, each called with the whole truth,
   * before selection can run ahead of the deferral timer.
   */
  isConverged(): boolean;
  /** The configured ones in their order, then the dynamic ones. */
  peers(): readonly PeerView[];
  /** Who connected and was not let in; some hundreds at most, the one that called last comes last. */
  refusedCallers(): readonly RefusedCaller[];
  /** Passwords that no caller can sign with, because the kernel refuses them. Our own calls say it in `lastError`. */
  refusedPasswords(): readonly PasswordRefusal[];
  tables(): readonly TableCounts[];
  /** Default: every path. */
  routes(question?: RouteQuestion): readonly RouteView[];
  /** What peers were told or are about to be told, or one of them. */
  advertised(peer?: IpAddress): readonly AdvertisementView[];
  /** Why a session is as it is; undefined where the address is no peer. `link` tells link-local peers apart. */
  explainPeer(address: IpAddress, link?: string): PeerExplanation | undefined;
  /** One prefix, or the longest that is known around it: every path with its fate, and who is told. */
  explainRoute(prefix: Prefix): RouteExplanation;
  /** Ends the session with Cease/Administrative Reset and `message`; it comes back at once. False: no such peer. */
  resetPeer(address: IpAddress, message: string, link?: string): boolean;
  /** Asks the peer for everything again (RFC 2918), in the families that it returns; undefined: no such peer. */
  refreshPeer(address: IpAddress, link?: string): readonly IpFamily[] | undefined;
  /** Called after any change of learnedRoutes() or isConverged(), many changes at once. Returns the way to stop it. */
  onRoutesChange(listener: () => void): () => void;
  /**
   * Makes this speaker a route reflector of that cluster, or none any more (undefined); no session notices. Who its
   * clients are is for `setPeers`, and may be said before or after. RFC 4456.
   */
  setClusterId(clusterId: number | undefined): void;
  /**
   * At any time, more than once too: the first call says how. What is set afterwards is ignored.
   * `restart`: hang up without a NOTIFICATION, so that peers keep our routes (RFC 4724). `shutdown`: Cease with `message`,
   * peers withdraw at once. `drain`: peers are told everything again as the last choice (RFC 8326); `waitSeconds` after the
   * last of them has heard it, the same as `shutdown`. Until then the speaker works as ever; a second call ends the wait.
   */
  close(how: CloseHow): Promise<void>;
}

export type CloseHow =
  | { readonly kind: 'restart' }
  | { readonly kind: 'shutdown'; readonly message: string }
  | { readonly kind: 'drain'; readonly message: string; readonly waitSeconds: number };
