import type { IpAddress, IpFamily } from '../src/model/ip.ts';
import { formatIpAddress } from '../src/model/ip.ts';
import type {
  DeferralEvent,
  HelperEffect,
  HelperEvent,
  HelperState,
  HelperTimer,
  Patience,
  PeerRestart,
} from './graceful-restart.ts';
import { awaitedFrom, FRESH, helperStep } from './graceful-restart.ts';
import { addressOctets } from './peer/address.ts';
import type { LossCause } from './peer/fsm.ts';
import type { LocalSettings, Negotiated } from './peer/negotiate.ts';
import { familyOf, ipFamilyOf } from './peer/negotiate.ts';
import { Session } from './peer/session.ts';
import type { SessionPorts } from './peer/session.ts';
import type { Connection, Target } from './peer/transport.ts';
import { LimitGuard } from './limit-guard.ts';
import { RefreshWatch } from './refresh-watch.ts';
import type { LimitReached, Routing, RoutingPeer } from './routing.ts';
import { FAMILIES } from './routing.ts';
import type { PeerSettings, SpeakerSettings } from './settings.ts';
import { UpdateReader } from './rib/update-reader.ts';
import type { PeerView } from './view.ts';
import { encodeEndOfRib, encodeMessage } from './wire.ts';
import type { Fault, RouteRefresh } from './wire.ts';

/** What a neighbor asks of the speaker. */
export interface NeighborHost {
  readonly ports: SessionPorts;
  readonly routing: Routing;
  readonly settings: SpeakerSettings;
  /** Selection is deferred after our restart: the R bit stands. */
  isDeferring(): boolean;
  /** What we would say so far is not all that we know: End-of-RIB must wait. */
  isEndOfRibHeld(): boolean;
  /** Whom our selection waits for after a restart. */
  readonly patience: Patience;
  /** News for the deferral of selection. */
  defer(event: DeferralEvent): void;
}

/** A loop turn sends no more; the rest follows in the next. */
const FRAMES_PER_TURN = 64;

const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

/** One configured peer: its session, its place in the tables, and what graceful restart makes of its routes. */
export class Neighbor {
  readonly #host: NeighborHost;
  readonly #session: Session;
  readonly #routes: RoutingPeer;
  #settings: PeerSettings;
  #negotiated: Negotiated | undefined;
  #reader: UpdateReader | undefined;
  #helper: HelperState = FRESH;
  readonly #helperTimers = new Map<HelperTimer, () => void>();
  readonly #refreshes: RefreshWatch;
  readonly #limits: LimitGuard;
  /** Families whose first feed is not marked as complete yet. */
  #endOfRibDue: readonly IpFamily[] = [];
  #isPumpDue = false;
  /** While we hang up to begin anew: the restart time that the peer had from us. */
  #resetSeconds: number | undefined;

  constructor(settings: PeerSettings, host: NeighborHost) {
    this.#settings = settings;
    this.#host = host;
    this.#routes = host.routing.addPeer(settings);
    this.#refreshes = new RefreshWatch({
      clock: host.ports.clock,
      markStale: (family) => this.#routes.adjRibIn[family].markStale(),
      sweepStale: (family) => host.routing.sweepStale(this.#routes, family),
    });
    this.#limits = new LimitGuard({
      clock: host.ports.clock,
      stop: (farewell) => void this.#session.stop(farewell),
      start: () => this.#session.start(),
    });
    const ports = { ...host.ports, log: host.ports.log.child({ peer: formatIpAddress(settings.address) }) };
    this.#session = new Session(
      { ports, target: () => this.#target(), local: () => this.#local() },
      {
        up: (negotiated, ours) => this.#up(negotiated, ours),
        down: (cause) => this.#down(cause),
        update: (frame) => this.#update(frame),
        refresh: (refresh) => this.#refresh(refresh),
        writable: () => this.pump(),
      },
    );
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

  get isEstablished(): boolean {
    return this.#negotiated !== undefined;
  }

  start(): void {
    this.#session.start();
  }

  accept(connection: Connection): void {
    this.#session.accept(connection);
  }

  /** Whether a session that hangs up without a word costs neither side a route. RFC 4724. */
  get isRestartable(): boolean {
    return this.#negotiated === undefined || this.#negotiated.gracefulRestart !== undefined;
  }

  /** Takes over what the session that is up, if one is, need not know. */
  adjust(settings: PeerSettings): void {
    const isOtherLimit = JSON.stringify(settings.prefixLimits) !== JSON.stringify(this.#settings.prefixLimits);
    this.#settings = settings;
    // First, for the other limit may hold the peer down again.
    if (isOtherLimit) this.#limits.release();
    this.#host.routing.adjustPeer(this.#routes, settings);
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

  /** Ends the session; the routes stay in the tables until `forget`. */
  async stop(farewell?: Fault): Promise<void> {
    this.#stopHelperTimers();
    this.#limits.close();
    this.#refreshes.stop();
    await this.#session.stop(farewell);
  }

  forget(): void {
    this.#stopHelperTimers();
    this.#host.routing.removePeer(this.#routes);
  }

  /** Writes what the peer is still to be told, as far as there is room; called again when there is more. */
  pump(): void {
    if (this.#negotiated === undefined) return;
    for (let frames = 0; this.#session.room > 0; frames++) {
      if (frames === FRAMES_PER_TURN) {
        this.pumpSoon();
        return;
      }
      const frame = this.#nextFrame(this.#negotiated.families);
      if (frame === undefined) return;
      this.#session.write(frame);
    }
  }

  pumpSoon(): void {
    if (this.#isPumpDue || this.#negotiated === undefined) return;
    this.#isPumpDue = true;
    this.#host.ports.clock.after(0, () => {
      this.#isPumpDue = false;
      this.pump();
    });
  }

  view(): PeerView {
    const session = this.#session;
    const total = (count: (family: IpFamily) => number): number => FAMILIES.reduce((sum, f) => sum + count(f), 0);
    const lastError = this.#limits.heldDown ?? session.lastError ?? this.#waitingText();
    return {
      settings: this.#settings,
      state: session.state,
      since: session.since,
      ...(lastError !== undefined && { lastError }),
      ...(this.#negotiated !== undefined && {
        bgpIdentifier: this.#negotiated.peerIdentifier,
        holdSeconds: this.#negotiated.holdSeconds,
      }),
      gracefulRestart: {
        negotiated: this.#negotiated?.gracefulRestart !== undefined,
        peerRestarting: this.#helper.name !== 'fresh',
        staleRoutes: total((family) => this.#routes.adjRibIn[family].stale),
      },
      received: total((family) => this.#routes.adjRibIn[family].received),
      accepted: total((family) => this.#routes.adjRibIn[family].accepted),
      advertised: total((family) => this.#routes.adjRibOut[family].advertised),
      flaps: session.flaps,
      incidents: [],
      reach: { dialled: 0, connected: 0, incoming: 0, hasSeenOpen: false },
      messages: { sent: NO_MESSAGES, received: NO_MESSAGES },
    };
  }

  #waitingText(): string | undefined {
    const waits = this.#session.state === 'Active' && this.#settings.passive;
    return waits ? 'passive: waiting for the peer to connect' : undefined;
  }

  #target(): Target {
    const { address, port, localAddress } = this.#settings;
    return { address, port, ...(localAddress !== undefined && { localAddress }) };
  }

  #local(): LocalSettings {
    const { settings } = this.#host;
    const peer = this.#settings;
    const restartSeconds = peer.gracefulRestartSeconds;
    return {
      asn: peer.localAsn,
      bgpIdentifier: settings.bgpIdentifier,
      remoteAsn: peer.remoteAsn,
      families: peer.families,
      passive: peer.passive,
      holdSeconds: peer.holdSeconds,
      ...(peer.keepaliveSeconds !== undefined && { keepaliveSeconds: peer.keepaliveSeconds }),
      connectRetrySeconds: peer.connectRetrySeconds,
      errorWaitSeconds: peer.errorWaitSeconds,
      ...(restartSeconds > 0 && { gracefulRestart: { restartSeconds, restarting: this.#host.isDeferring() } }),
      ...offered(peer),
    };
  }

  #up(negotiated: Negotiated, ours: IpAddress): void {
    const { ports, routing } = this.#host;
    const { holdSeconds, families } = negotiated;
    ports.log.info({ peer: formatIpAddress(this.#settings.address), holdSeconds, families }, 'session established');
    this.#negotiated = negotiated;
    this.#reader = new UpdateReader(negotiated, routing.sinkFor(this.#routes));
    this.#endOfRibDue = negotiated.families;
    const restart = this.#restart(negotiated);
    this.#help({ type: 'sessionUp', restart });
    routing.sessionUp(this.#routes, negotiated, addressOctets(ours));
    const awaited = awaitedFrom(restart, families, this.#host.patience);
    this.#host.defer({ type: 'peerUp', peer: this.id, restart: awaited });
    this.pumpSoon();
  }

  #down(cause: LossCause): void {
    const restart = this.#negotiated === undefined ? undefined : this.#restart(this.#negotiated);
    this.#negotiated = undefined;
    this.#reader = undefined;
    this.#refreshes.stop();
    this.#host.routing.sessionDown(this.#routes);
    const ourSeconds = this.#resetSeconds;
    if (ourSeconds !== undefined && restart !== undefined) this.#help({ type: 'weReset', restart, ourSeconds });
    else this.#help({ type: 'sessionLost', cause, restart });
    this.#host.defer({ type: 'peerLost', peer: this.id });
  }

  #update(frame: Uint8Array): Fault | undefined {
    const received = this.#reader?.read(frame);
    if (received?.remedied !== undefined) {
      const peer = formatIpAddress(this.#settings.address);
      this.#host.ports.log.warn({ peer, fault: received.remedied }, 'malformed UPDATE');
    }
    if (received?.endOfRib !== undefined) {
      this.#help({ type: 'endOfRib', family: received.endOfRib });
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

  /** All UPDATEs of a family, then its End-of-RIB. */
  #nextFrame(families: readonly IpFamily[]): Uint8Array | undefined {
    for (const family of families) {
      const frame = this.#host.routing.nextUpdate(this.#routes, family);
      if (frame !== undefined) return frame;
      if (!this.#endOfRibDue.includes(family)) {
        const mark = this.#host.routing.nextRefresh(this.#routes, family);
        if (mark !== undefined) return mark;
        continue;
      }
      if (this.#host.isEndOfRibHeld()) continue;
      this.#endOfRibDue = this.#endOfRibDue.filter((due) => due !== family);
      return encodeEndOfRib(familyOf(family));
    }
    return undefined;
  }

  #restart({ gracefulRestart, families }: Negotiated): PeerRestart | undefined {
    if (gracefulRestart === undefined) return undefined;
    const { restarting, restartSeconds } = gracefulRestart;
    const preserved = gracefulRestart.families.map(({ family, forwardingPreserved }) => ({
      family: ipFamilyOf(family),
      forwardingPreserved,
    }));
    const ours = preserved.flatMap(({ family, forwardingPreserved }) =>
      family !== undefined && families.includes(family) ? [{ family, forwardingPreserved }] : [],
    );
    return { restarting, restartSeconds, families: ours, sessionFamilies: families };
  }

  #help(event: HelperEvent): void {
    const [state, effects] = helperStep(this.#helper, event);
    this.#helper = state;
    for (const effect of effects) this.#performHelp(effect);
  }

  #performHelp(effect: HelperEffect): void {
    const { routing } = this.#host;
    switch (effect.do) {
      case 'flush':
        for (const family of FAMILIES) if (!effect.except.includes(family)) routing.flush(this.#routes, family);
        return;
      case 'markStale':
        for (const family of effect.families) this.#routes.adjRibIn[family].markStale();
        return;
      case 'sweepStale':
        for (const family of effect.families) routing.sweepStale(this.#routes, family);
        return;
      case 'startTimer':
        this.#startHelperTimer(effect.timer, effect.seconds);
        return;
      case 'stopTimer':
        this.#helperTimers.get(effect.timer)?.();
        this.#helperTimers.delete(effect.timer);
        return;
      case 'stopTimers':
        this.#stopHelperTimers();
    }
  }

  #startHelperTimer(timer: HelperTimer, seconds: number): void {
    this.#helperTimers.get(timer)?.();
    const cancel = this.#host.ports.clock.after(seconds * 1000, () => {
      this.#helperTimers.delete(timer);
      this.#help({ type: 'timerExpires', timer });
    });
    this.#helperTimers.set(timer, cancel);
  }

  #stopHelperTimers(): void {
    for (const cancel of this.#helperTimers.values()) cancel();
    this.#helperTimers.clear();
  }
}

/** What the settings of a peer have us offer in the OPEN beside families and restart. */
function offered({
  addPath,
  extendedNextHop,
  extendedMessages,
  role,
  isRoleStrict,
}: PeerSettings): Partial<LocalSettings> {
  return {
    ...(addPath !== undefined && { addPath }),
    ...(extendedNextHop !== undefined && { extendedNextHop }),
    ...(extendedMessages !== undefined && { extendedMessages }),
    ...(role !== undefined && { role }),
    ...(isRoleStrict !== undefined && { isRoleStrict }),
  };
}
