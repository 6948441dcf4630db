import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { formatIpAddress } from '../src/model/ip.ts';
import { isSame } from '../src/model/same.ts';
import { Feed } from './feed.ts';
import type { DeferralEvent, Patience } from './graceful-restart/deferral.ts';
import { awaitedFrom } from './graceful-restart/deferral.ts';
import { peerRestart } from './graceful-restart/peer-restart.ts';
import { StaleRoutes } from './graceful-restart/stale-routes.ts';
import { protectionOf } from './incoming.ts';
import { localSettings } from './local-settings.ts';
import type { LocalSpeaker } from './local-settings.ts';
import { addressOctets } from './peer/address.ts';
import { hardReset, resetFault } from './peer/fault.ts';
import type { LocalSettings, Negotiated } from './peer/negotiate.ts';
import { familyOf, ipFamilyOf } from './peer/negotiate.ts';
import { Session } from './peer/session.ts';
import type { SessionPorts } from './peer/session.ts';
import { dropsSince, later } from './peer/tcp-counters.ts';
import type { KernelDrops, TcpCounters, TcpEvidence } from './peer/tcp-counters.ts';
import type { Connection, Target } from './peer/transport.ts';
import { LimitGuard } from './limit-guard.ts';
import type { Loss } from './peer/vocabulary.ts';
import { peerView } from './peer-view.ts';
import { RefreshWatch } from './refresh-watch.ts';
import { UpdateReader } from './rib/update-reader.ts';
import type { LimitReached, Routing, RoutingPeer } from './routing.ts';
import type { PeerSettings } from './settings.ts';
import type { PeerView, SessionState } from './view.ts';
import { encodeMessage } from './wire.ts';
import type { Fault, RouteRefresh } from './wire.ts';

/** What a neighbor asks of the speaker. */
export interface NeighborHost {
  readonly ports: SessionPorts;
  readonly routing: Routing;
  readonly bgpIdentifier: number;
  /** Set on a route reflector. */
  clusterId(): number | undefined;
  /** Selection is deferred after our restart: the R bit stands. */
  isDeferring(): boolean;
  /** The speaker has just started. */
  isStarting(): boolean;
  /** What we would say so far is not all that we know: End-of-RIB must wait. */
  isEndOfRibHeld(): boolean;
  /** Whom our selection waits for after a restart. */
  patience(): Patience;
  /** Made for a caller, and not configured by itself. */
  readonly isDynamic: boolean;
  readonly tcpEvidence: TcpEvidence;
  /** What the kernel had dropped some minutes ago: see RecentDrops. */
  dropsBefore(): TcpCounters | undefined;
  /** News for the deferral of selection. */
  defer(event: DeferralEvent): void;
  /** It has nothing to say for the moment, the network took something, or the session is another: see `isFlushed`. */
  progressed(): void;
}

/** One configured peer, wired: its session, its place in the tables, its feed, and its routes that outlive sessions. */
export class Neighbor {
  readonly #host: NeighborHost;
  readonly #session: Session;
  readonly #routes: RoutingPeer;
  readonly #feed: Feed;
  readonly #stale: StaleRoutes;
  #settings: PeerSettings;
  #negotiated: Negotiated | undefined;
  #reader: UpdateReader | undefined;
  readonly #refreshes: RefreshWatch;
  readonly #limits: LimitGuard;
  /** What we bring to a session, and what it was made of. */
  #ours: (LocalSpeaker & { readonly settings: PeerSettings; readonly local: LocalSettings }) | undefined;
  /** While we hang up to begin anew: the restart time that the peer had from us. */
  #resetSeconds: number | undefined;
  #countersBefore: TcpCounters | undefined;

  constructor(settings: PeerSettings, host: NeighborHost) {
    this.#settings = settings;
    this.#host = host;
    this.#routes = host.routing.addPeer(settings);
    this.#countersBefore = host.tcpEvidence();
    this.#stale = new StaleRoutes({ clock: host.ports.clock, routing: host.routing, routes: this.#routes });
    this.#session = this.#makeSession();
    this.#feed = new Feed({
      clock: host.ports.clock,
      room: () => this.#session.room,
      write: (frame) => this.#session.write(frame),
      guard: (work) => this.#session.guard(work),
      nextUpdate: (family) => host.routing.nextUpdate(this.#routes, family),
      nextRefresh: (family) => host.routing.nextRefresh(this.#routes, family),
      isEndOfRibHeld: (family) => host.isEndOfRibHeld() || host.routing.exports.isTelling(this.#routes, family),
      rested: () => host.progressed(),
    });
    this.#refreshes = new RefreshWatch({
      clock: host.ports.clock,
      markStale: (family) => this.#routes.adjRibIn[family].markStale(),
      sweepStale: (family) => host.routing.sweepStale(this.#routes, family),
    });
    this.#limits = new LimitGuard({
      clock: host.ports.clock,
      reset: (farewell, waitSeconds) => this.#session.reset(this.#asLastWord(farewell), waitSeconds),
    });
  }

  get settings(): PeerSettings {
    return this.#settings;
  }

  get index(): number {
    return this.#routes.index;
  }

  /** Names it among the configured peers, whatever becomes of its settings. */
  get id(): string {
    return `peer ${this.#routes.index}`;
  }

  get routes(): RoutingPeer {
    return this.#routes;
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /** Routes are kept for a peer that is away, or that has not told them all again. RFC 4724 §4.2. */
  get isHelping(): boolean {
    return this.#stale.isPeerRestarting;
  }

  /** A prefix limit keeps it out for a while. */
  get isHeldDown(): boolean {
    return this.#limits.isHeldDown;
  }

  get isDynamic(): boolean {
    return this.#host.isDynamic;
  }

  get isEstablished(): boolean {
    return this.#negotiated !== undefined;
  }

  /** The peer has been told all that it is to know, down to the last octet; or there is no session. */
  get isFlushed(): boolean {
    return !this.isEstablished || (this.#session.isFlushed && !this.#host.routing.hasNewsFor(this.#routes));
  }

  /** Whether a session that hangs up without a word costs neither side a route. RFC 4724. */
  get isRestartable(): boolean {
    return this.#negotiated === undefined || this.#negotiated.gracefulRestart !== undefined;
  }

  start(): void {
    this.#session.start();
  }

  accept(connection: Connection): void {
    this.#session.accept(connection);
  }

  /** Takes over what the session that is up, if one is, need not know. */
  adjust(settings: PeerSettings): void {
    const isOtherLimit = !isSame(settings.prefixLimits, this.#settings.prefixLimits);
    this.#settings = settings;
    // First, for the other limit may hold the peer down again.
    if (isOtherLimit) this.#limits.release();
    this.#host.routing.adjustPeer(this.#routes, settings);
    this.#session.settingsChanged();
  }

  /**
   * BFD lost the path to the peer. `isPeerIndependent`: its BFD survives a restart of its BGP, so one that is under way
   * does not explain the loss, and the peer no longer forwards. RFC 5882 §4.3.
   */
  bfdDown(text: string, isPeerIndependent: boolean): void {
    if (this.isEstablished) this.#session.bfdDown(text);
    else if (isPeerIndependent && this.isHelping) {
      this.#host.ports.log.warn({ peer: formatIpAddress(this.#settings.address) }, `${text}: its stale routes go`);
      this.#stale.giveUp();
    }
  }

  /** Ends the session as an operator asks, with a text for the peer, and lets it come back at once. RFC 9003. */
  reset(message: string): void {
    this.#session.reset(resetFault(message));
  }

  /** What the kernel has dropped in the last minutes, since the peer was configured or last lost; 0 where it does not tell. */
  kernelDrops(): KernelDrops {
    return dropsSince(later(this.#countersBefore, this.#host.dropsBefore()), this.#host.tcpEvidence());
  }

  /** Its prefixes came to a warning, or went beyond the limit. */
  limitReached(reached: LimitReached): void {
    const text = this.#limits.take(reached);
    this.#host.ports.log.warn({ peer: formatIpAddress(this.#settings.address) }, text);
  }

  /** Asks the peer for everything again; false where it cannot be asked. RFC 2918. */
  requestRefresh(family: IpFamily): boolean {
    const session = this.#negotiated;
    if (session?.routeRefresh !== true || !session.families.includes(family)) return false;
    this.#session.write(
      encodeMessage({ type: 'route-refresh', family: familyOf(family), subtype: 'request' }, session.send),
    );
    return true;
  }

  /** Takes over what needs a new session; its routes stay, stale, as after a connection that broke. */
  restart(settings: PeerSettings): void {
    this.#resetSeconds = this.#settings.gracefulRestartSeconds;
    this.adjust(settings);
    this.#session.restart('the settings of the peer changed');
    this.#resetSeconds = undefined;
  }

  /** Ends the session for good; the routes stay in the tables until `forget`. Without a farewell we just hang up. */
  async stop(farewell?: Fault): Promise<void> {
    this.#stale.close();
    this.#limits.close();
    this.#refreshes.stop();
    await this.#session.stop(farewell === undefined ? undefined : this.#asLastWord(farewell));
  }

  forget(): void {
    this.#stale.close();
    this.#host.routing.removePeer(this.#routes);
  }

  pumpSoon(): void {
    this.#feed.pumpSoon();
  }

  /** Its connection takes more UPDATEs now. */
  get hasRoom(): boolean {
    return this.isEstablished && this.#session.room > 0;
  }

  /** Whole UPDATEs, which other peers are told, too. */
  tell(messages: Uint8Array): void {
    this.#session.guard(() => this.#session.write(messages));
  }

  view(): PeerView {
    return peerView({
      routes: this.#routes,
      session: this.#session,
      negotiated: this.#negotiated,
      stale: this.#stale,
      isDynamic: this.#host.isDynamic,
    });
  }

  /**
   * The NOTIFICATION after which the peer must drop our routes, also where it would keep them (RFC 8538 §5.1): for every
   * end that is no restart, whoever asks for it.
   */
  #asLastWord(fault: Fault): Fault {
    return this.#negotiated?.gracefulRestart?.notification === true ? hardReset(fault) : fault;
  }

  #makeSession(): Session {
    return new Session(
      {
        ports: this.#host.ports,
        target: () => this.#target(),
        local: () => this.#local(),
        description: () => this.#settings.description,
        asLastWord: (farewell) => this.#asLastWord(farewell),
      },
      {
        up: (negotiated, ours) => this.#up(negotiated, ours),
        down: (loss) => this.#down(loss),
        update: (frame) => this.#update(frame),
        refresh: (refresh) => this.#refresh(refresh),
        writable: () => {
          this.#feed.pumpSoon();
          this.#host.progressed();
        },
      },
    );
  }

  #target(): Target {
    const { address, port, localAddress, interface: link } = this.#settings;
    return {
      address,
      port,
      ...(localAddress !== undefined && { localAddress }),
      ...(link !== undefined && { interface: link }),
      ...protectionOf(this.#settings),
    };
  }

  /** Asked at every event of the session, so it is made anew only where it says something else. */
  #local(): LocalSettings {
    const { bgpIdentifier } = this.#host;
    const [restarting, starting] = [this.#host.isDeferring(), this.#host.isStarting()];
    const made = this.#ours;
    if (made?.settings === this.#settings && made.restarting === restarting && made.starting === starting) {
      return made.local;
    }
    const local = localSettings(this.#settings, { bgpIdentifier, restarting, starting });
    this.#ours = { settings: this.#settings, bgpIdentifier, restarting, starting, local };
    return local;
  }

  #up(negotiated: Negotiated, ours: IpAddress): void {
    this.#settleAsn(negotiated.peerAsn);
    const { routing } = this.#host;
    const { families } = negotiated;
    this.#negotiated = negotiated;
    this.#reader = new UpdateReader(negotiated, routing.sinkFor(this.#routes));
    const restart = peerRestart(negotiated);
    this.#limits.sessionUp();
    this.#stale.back(restart);
    // Where we do not speak graceful restart ourselves, a peer that does need not say End-of-RIB.
    this.#refreshes.start(restart === undefined ? [] : families);
    routing.sessionUp(this.#routes, negotiated, addressOctets(ours));
    this.#host.defer({ type: 'peerUp', peer: this.id, awaited: awaitedFrom(restart, this.#host.patience()) });
    this.#feed.start(families);
  }

  /** A dynamic peer is of the AS that it said, until it is gone: its routes are not another AS's. */
  #settleAsn(remoteAsn: number): void {
    const { remoteAsns, ...settled } = this.#settings;
    if (remoteAsns !== undefined) this.adjust({ ...settled, remoteAsn });
  }

  #down(loss: Loss): void {
    const restart = this.#negotiated === undefined ? undefined : peerRestart(this.#negotiated);
    this.#negotiated = undefined;
    this.#reader = undefined;
    this.#countersBefore = this.#host.tcpEvidence();
    this.#feed.stop();
    this.#refreshes.stop();
    this.#host.routing.sessionDown(this.#routes);
    const ourSeconds = this.#resetSeconds;
    if (loss.cause === 'connection' && ourSeconds !== undefined && restart !== undefined) {
      this.#stale.hungUp(restart, ourSeconds);
    } else {
      this.#stale.lost(loss, restart);
    }
    this.#host.defer({ type: 'peerLost', peer: this.id });
    this.#host.progressed();
  }

  #update(frame: Uint8Array): Fault | undefined {
    const received = this.#reader?.read(frame);
    if (received?.remedied !== undefined) {
      const peer = formatIpAddress(this.#settings.address);
      this.#host.ports.log.warn({ peer, fault: received.remedied }, 'malformed UPDATE');
    }
    if (received?.endOfRib !== undefined) {
      this.#stale.endOfRib(received.endOfRib);
      this.#refreshes.endOfRib(received.endOfRib);
      this.#host.defer({ type: 'endOfRib', peer: this.id, family: received.endOfRib });
    }
    return received?.fault;
  }

  #refresh({ family, subtype }: RouteRefresh): void {
    const wanted = ipFamilyOf(family);
    if (wanted === undefined || this.#negotiated?.families.includes(wanted) !== true) return;
    if (subtype === 'request') this.#host.routing.refresh(this.#routes, wanted);
    else if (this.#negotiated.enhancedRefresh) this.#refreshes.take(wanted, subtype);
  }
}
