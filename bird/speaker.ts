import { formatIpAddress, formatPrefix } from '../src/model/ip.ts';
import type { IpAddress, IpFamily, Prefix } from '../src/model/ip.ts';
import type { LearnedRoute } from '../src/model/route.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Random } from '../src/runtime/random.ts';
import { Answers } from './answers.ts';
import { BfdWatch } from './bfd-watch.ts';
import type { Bfd } from './bfd/index.ts';
import type { CloseHow, Speaker } from './contract.ts';
import { Drain } from './drain.ts';
import type { PeerExplanation } from './explain/finding.ts';
import { SelectionDeferral } from './graceful-restart/selection-deferral.ts';
import { STARTING_SECONDS } from './local-settings.ts';
import type { Neighbor, NeighborHost } from './neighbor.ts';
import { Neighbors } from './neighbors.ts';
import { shutdownFault } from './peer/fault.ts';
import type { TcpEvidence } from './peer/tcp-counters.ts';
import type { PasswordRefusal, Transport } from './peer/transport.ts';
import { Reception } from './reception.ts';
import { RecentDrops } from './recent-drops.ts';
import { Routing } from './routing.ts';
import type { DynamicPeers, OriginatedRoute, PeerSettings, SpeakerSettings } from './settings.ts';
import { learnedRoutes } from './snapshot.ts';
import { TableWork } from './table-work.ts';
import type {
  AdvertisementView,
  PeerView,
  RefusedCaller,
  RouteExplanation,
  RouteQuestion,
  RouteView,
  TableCounts,
} from './view.ts';

export interface SpeakerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly transport: Transport;
  readonly bfd: Bfd;
  readonly tcpEvidence: TcpEvidence;
  /** A session is up, of whatever peer. */
  readonly peerUp: () => void;
}

/** Wires sessions and tables, and does what it is told: each part of it has a file of its own. */
export class BgpSpeaker implements Speaker {
  readonly #settings: SpeakerSettings;
  readonly #ports: SpeakerPorts;
  readonly #routing: Routing;
  readonly #listeners = new Set<() => void>();
  readonly #neighbors: Neighbors;
  readonly #reception: Reception;
  readonly #bfd: BfdWatch;
  readonly #answers: Answers;
  readonly #drops: RecentDrops;
  readonly #work: TableWork;
  readonly #deferral: SelectionDeferral;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #drain: Drain | undefined;
  #clusterId: number | undefined;
  #isStarted = false;
  #isClosed = false;
  #isNewsDue = false;
  #hasOriginated = false;
  #hasPeers = false;
  /** When it began to call its first peers; the clock's milliseconds. */
  #startedAt = Infinity;

  constructor(settings: SpeakerSettings, ports: SpeakerPorts) {
    this.#settings = settings;
    const { clock, random, log, transport, bfd, tcpEvidence, peerUp } = ports;
    // One form, whoever made them: what is compiled for one speaker is good for the next.
    this.#ports = { clock, random, log, transport, bfd, tcpEvidence, peerUp };
    this.#clusterId = settings.clusterId;
    this.#deferral = new SelectionDeferral(settings.gracefulRestart.restarting, {
      clock: ports.clock,
      log: ports.log,
      ended: () => {
        this.#routing.selectAtOnce(true);
        this.#work.slice();
      },
      caughtUp: () => this.#caughtUp(),
    });
    this.#bfd = new BfdWatch({ bfd: ports.bfd, clock: ports.clock }, () => this.#neighbors.all);
    this.#neighbors = new Neighbors({
      hostOf: (isDynamic) => this.#hostOf(isDynamic),
      dynamic: () => this.#reception.dynamic,
      changed: (peer) => this.#bfd.updateSoon(peer),
      renamed: () => this.#announceChange(),
    });
    this.#reception = new Reception(ports, {
      configured: () => this.#neighbors.configured,
      isClosed: () => this.#isClosed,
      make: (peer) => this.#neighbors.make(peer, true),
      change: (neighbor, peer) => this.#neighbors.change(neighbor, peer),
      end: (neighbor, farewell) => this.#neighbors.end(neighbor, farewell),
    });
    this.#routing = new Routing(
      {
        bgpIdentifier: settings.bgpIdentifier,
        transit: settings.transit ?? false,
        clusterId: settings.clusterId,
        decision: settings.decision,
        seed: Math.floor(ports.random() * 0x7fff_ffff),
      },
      {
        routesChanged: () => this.#announceChange(),
        workWaits: () => this.#work.soon(),
        hasNews: ({ index }) => this.#neighbors.at(index)?.pumpSoon(),
        isReady: ({ index }) => this.#neighbors.at(index)?.hasRoom === true,
        tell: ({ index }, messages) => this.#neighbors.at(index)?.tell(messages),
        limitReached: ({ index }, reached) => this.#neighbors.at(index)?.limitReached(reached),
        leftOut: ({ settings: { address } }, text) => ports.log.warn({ peer: formatIpAddress(address) }, text),
      },
    );
    this.#routing.selectAtOnce(!this.#deferral.isDeferring);
    this.#work = new TableWork({
      clock: ports.clock,
      log: ports.log,
      routing: this.#routing,
      isDeferring: () => this.#deferral.isDeferring,
      settled: () => this.#settled(),
    });
    this.#drops = new RecentDrops(ports.clock, ports.tcpEvidence);
    this.#answers = new Answers({
      clock: ports.clock,
      routing: this.#routing,
      bfd: this.#bfd,
      neighbors: () => this.#neighbors.all,
      refusedPasswords: () => this.#reception.refusedPasswords,
    });
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  setPeers(peers: readonly PeerSettings[]): void {
    if (this.#isClosed) return;
    this.#reception.prepareFor(peers);
    const newcomers = this.#neighbors.set(peers);
    this.#hasPeers = true;
    this.#awaitPeers();
    this.#call(newcomers);
  }

  setDynamicPeers(ranges: readonly DynamicPeers[]): void {
    if (this.#isClosed) return;
    this.#reception.setRanges(ranges);
    if (this.#hasPeers) this.#awaitPeers();
  }

  setOriginated(routes: readonly OriginatedRoute[]): void {
    if (this.#isClosed) return;
    this.#routing.setOriginated(routes);
    this.#hasOriginated = true;
    this.#deferral.take({ type: 'originatedSet' });
    for (const neighbor of this.#neighbors.all) neighbor.pumpSoon();
  }

  setClusterId(clusterId: number | undefined): void {
    if (this.#isClosed || clusterId === this.#clusterId) return;
    this.#clusterId = clusterId;
    this.#routing.setClusterId(clusterId);
    // Whoever tells nothing but its own routes need not hold back its End-of-RIB.
    for (const neighbor of this.#neighbors.all) neighbor.pumpSoon();
  }

  learnedRoutes(): readonly LearnedRoute[] {
    return learnedRoutes(this.#routing);
  }

  isConverged(): boolean {
    return this.#deferral.isConverged;
  }

  peers(): readonly PeerView[] {
    return this.#answers.peers();
  }

  refusedCallers(): readonly RefusedCaller[] {
    return this.#reception.refusedCallers;
  }

  refusedPasswords(): readonly PasswordRefusal[] {
    return this.#reception.refusedPasswords;
  }

  tables(): readonly TableCounts[] {
    return this.#answers.tables();
  }

  routes(question: RouteQuestion = { which: 'all' }): readonly RouteView[] {
    return this.#answers.routes(question);
  }

  advertised(peer?: IpAddress): readonly AdvertisementView[] {
    return this.#answers.advertised(peer);
  }

  explainPeer(address: IpAddress, link?: string): PeerExplanation | undefined {
    return this.#answers.explainPeer(address, link);
  }

  explainRoute(prefix: Prefix): RouteExplanation {
    return this.#answers.explainRoute(prefix);
  }

  resetPeer(address: IpAddress, message: string, link?: string): boolean {
    const neighbor = this.#answers.find(address, link);
    neighbor?.reset(message);
    return neighbor !== undefined;
  }

  refreshPeer(address: IpAddress, link?: string): readonly IpFamily[] | undefined {
    const neighbor = this.#answers.find(address, link);
    return neighbor?.settings.families.filter((family) => neighbor.requestRefresh(family));
  }

  onRoutesChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(how: CloseHow): Promise<void> {
    if (this.#closing === undefined) this.#closing = this.#close(how);
    else this.#drain?.hurry();
    return this.#closing;
  }

  async #start(): Promise<void> {
    if (this.#isStarted || this.#isClosed) return;
    if (!(await this.#reception.open(this.#settings.listen))) return;
    this.#isStarted = true;
    this.#drops.start();
    this.#deferral.start(this.#settings.gracefulRestart.deferralSeconds);
    this.#call(this.#neighbors.all);
  }

  /** Peers that are new. */
  #call(neighbors: readonly Neighbor[]): void {
    if (!this.#isStarted) return;
    if (this.#hasPeers && this.#startedAt === Infinity) this.#startedAt = this.#ports.clock.now();
    for (const neighbor of neighbors) neighbor.start();
  }

  async #close(how: CloseHow): Promise<void> {
    if (how.kind === 'drain') await this.#drained(how.waitSeconds);
    this.#isClosed = true;
    this.#work.close();
    this.#deferral.close();
    this.#drops.stop();
    this.#reception.stop();
    this.#listeners.clear();
    const farewell = how.kind === 'restart' ? undefined : shutdownFault(how.message);
    await this.#neighbors.stop(farewell);
    // A start under way closes what it opened; why it failed is for its own caller.
    await this.#starting?.catch(() => undefined);
    await this.#reception.close();
    await this.#bfd.close();
  }

  /** Nobody to tell is nobody to wait for. */
  async #drained(waitSeconds: number): Promise<void> {
    if (!this.#neighbors.all.some(({ isEstablished }) => isEstablished)) return;
    this.#ports.log.info({ waitSeconds }, 'draining: peers are told to use other routes');
    this.#drain = new Drain(waitSeconds, {
      clock: this.#ports.clock,
      isFlushed: () => this.#neighbors.all.every(({ isFlushed }) => isFlushed),
    });
    this.#routing.setDraining(true);
    this.#drain.look();
    await this.#drain.over;
  }

  #hostOf(isDynamic: boolean): NeighborHost {
    return {
      ports: this.#ports,
      routing: this.#routing,
      bgpIdentifier: this.#settings.bgpIdentifier,
      clusterId: () => this.#clusterId,
      isDeferring: () => this.#deferral.isDeferring,
      isStarting: () => !isDynamic && this.#ports.clock.now() < this.#startedAt + STARTING_SECONDS * 1000,
      isEndOfRibHeld: () => this.#isEndOfRibHeld(),
      patience: () => (this.#passesOn() ? 'RFC 4724' : 'everybody'),
      isDynamic,
      defer: (event) => {
        if (event.type === 'peerUp') this.#ports.peerUp();
        this.#deferral.take(event);
      },
      tcpEvidence: this.#ports.tcpEvidence,
      dropsBefore: () => this.#drops.before,
      progressed: () => {
        this.#drain?.look();
        this.#work.rested();
      },
    };
  }

  /** Whether peers are told what other peers said. */
  #passesOn(): boolean {
    return this.#settings.transit === true || this.#clusterId !== undefined;
  }

  /**
   * After a restart what others said is told when selection ran (RFC 4724 §4.1). A node that tells its own routes alone
   * has said everything as soon as they are known.
   */
  #isEndOfRibHeld(): boolean {
    return !this.#hasOriginated || (this.#passesOn() && !this.#deferral.isConverged);
  }

  /** Of a range nobody knows who calls, so that only the deferral time ends the wait. */
  #awaitPeers(): void {
    const wanted = this.#neighbors.configured.filter(({ settings }) => settings.shutdown === undefined);
    const ranges = this.#reception.ranges.map(({ prefix }) => `range ${formatPrefix(prefix)}`);
    this.#deferral.take({ type: 'peersSet', peers: [...wanted.map(({ id }) => id), ...ranges] });
  }

  #settled(): void {
    this.#deferral.settled();
    this.#drain?.look();
  }

  #caughtUp(): void {
    this.#announceChange();
    for (const neighbor of this.#neighbors.all) neighbor.pumpSoon();
  }

  #announceChange(): void {
    if (this.#isNewsDue || this.#isClosed) return;
    this.#isNewsDue = true;
    this.#ports.clock.after(0, () => {
      this.#isNewsDue = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
