import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { PeerIncident, PeerView, ReachView, SessionState } from '../view.ts';
import type { Fault, RouteRefresh } from '../wire.ts';
import { AdjacencyLog } from './adjacency-log.ts';
import type { LogSubject } from './adjacency-log.ts';
import { capabilityTexts } from './capability-text.ts';
import { Connections } from './connections.ts';
import type { Driver, SessionEffect } from './driver.ts';
import { Evidence } from './evidence.ts';
import { fault, shutdownFault } from './fault.ts';
import type { LocalSettings, Negotiated } from './negotiate.ts';
import { isCollision } from './reason.ts';
import { Refusals } from './refusals.ts';
import type { Connection, Target, Transport } from './transport.ts';
import { startEvent } from './vocabulary.ts';
import type { Loss } from './vocabulary.ts';

/** What a session tells the routing above it. */
export interface SessionHandlers {
  up(session: Negotiated, localAddress: IpAddress): void;
  down(loss: Loss): void;
  /** A whole UPDATE, to be read in place before this returns; a fault ends the session. */
  update(frame: Uint8Array): Fault | undefined;
  refresh(refresh: RouteRefresh): void;
  /** There is room to write again. */
  writable(): void;
}

export interface SessionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly transport: Transport;
}

/** Who the peer is and what it is set up for; asked each time, so that settings may change while the session lives. */
export interface SessionSetup {
  readonly ports: SessionPorts;
  readonly target: () => Target;
  readonly local: () => LocalSettings;
  /** A name that people gave the peer, for the log. */
  readonly description?: () => string | undefined;
  /** The same farewell so that routes go with it, whatever was agreed on. RFC 8538 §3.1. */
  readonly asLastWord?: (farewell: Fault) => Fault;
}

/** UPDATEs wait outside while more than this is queued, so that a keepalive never waits long behind them. */
const HIGH_WATER_OCTETS = 65_536;

/** The session with one peer: what operators and settings want of it, what the routing hears of it, and what people see. */
export class Session {
  readonly #setup: SessionSetup;
  readonly #handlers: SessionHandlers;
  readonly #evidence: Evidence;
  readonly #adjacency: AdjacencyLog;
  readonly #refusals: Refusals;
  readonly #connections: Connections;
  #since: number;
  #shown: SessionState = 'Idle';
  #flaps = 0;
  #isStopped = true;
  /** Held down by the operator. */
  #isShut = false;

  constructor(setup: SessionSetup, handlers: SessionHandlers) {
    const { clock } = setup.ports;
    this.#setup = setup;
    this.#handlers = handlers;
    this.#evidence = new Evidence(clock);
    this.#refusals = new Refusals(this.#evidence);
    this.#adjacency = new AdjacencyLog(setup.ports, () => this.#subject());
    this.#connections = this.#makeConnections();
    this.#since = clock.wallTime();
  }

  get state(): SessionState {
    return this.#shown;
  }

  /** Milliseconds since 1970 of the last change of state. */
  get since(): number {
    return this.#since;
  }

  /** How often it was Established and then lost. */
  get flaps(): number {
    return this.#flaps;
  }

  /** What happened since the peer is configured, the newest last; bounded. */
  get incidents(): readonly PeerIncident[] {
    return this.#evidence.incidents;
  }

  get reach(): ReachView {
    return this.#evidence.reach;
  }

  get messages(): PeerView['messages'] {
    return this.#evidence.messages;
  }

  /** Both ends of the TCP connection; undefined while there is none. */
  get connection(): PeerView['connection'] {
    const { localAddress, localPort, remotePort, retransmits } = this.#main.connection ?? {};
    if (localAddress === undefined) return undefined;
    return {
      localAddress,
      ...(localPort !== undefined && { localPort }),
      ...(remotePort !== undefined && { remotePort }),
      ...(retransmits !== undefined && { retransmits }),
    };
  }

  /** Of the OPENs of the connection that stands, or of the last one; undefined before the first. */
  get capabilities(): PeerView['capabilities'] {
    const { sent, received } = this.#main.opens;
    if (sent === undefined && received === undefined) return undefined;
    return {
      sent: capabilityTexts(sent?.capabilities ?? []),
      received: capabilityTexts(received?.capabilities ?? []),
    };
  }

  /** How many octets of UPDATEs may be written now. */
  get room(): number {
    const connection = this.#main.state.name === 'Established' ? this.#main.connection : undefined;
    return connection === undefined ? 0 : HIGH_WATER_OCTETS - connection.queuedOctets;
  }

  /** All that was written has been taken by the network. */
  get isFlushed(): boolean {
    return (this.#main.connection?.queuedOctets ?? 0) === 0;
  }

  /** By configuration; a peer that `shutdown` holds down stays in Idle, and says so. */
  start(): void {
    this.#isStopped = false;
    if (this.#local().shutdown === undefined) this.#connections.post(startEvent('automatic', this.#local().passive));
    else this.settingsChanged();
  }

  /** Takes over what needs no new session: that the operator holds the peer down, or lets it go. */
  settingsChanged(): void {
    if (this.#isStopped) return;
    const { shutdown, passive } = this.#local();
    if (this.#isShut === (shutdown !== undefined)) return;
    this.#isShut = shutdown !== undefined;
    if (shutdown === undefined) this.#connections.post(startEvent('manual', passive));
    else this.#connections.end(this.#asLastWord(shutdownFault(shutdown)));
  }

  /** Begins anew with settings that have changed: hangs up without a word, so that the peer keeps our routes. RFC 4724. */
  restart(text: string): void {
    if (this.#isStopped || this.#isShut) return;
    this.#connections.dropRival();
    this.#connections.post({ type: 'SettingsChanged', text });
  }

  /**
   * Ends the session now with this Cease and comes back by itself: at once, as after an operator's reset; after
   * `waitSeconds`, as after a prefix limit; with Infinity not before an operator says so (`reset` again, or new settings).
   */
  reset(farewell: Fault, waitSeconds = 0): void {
    if (this.#isStopped || this.#isShut) return;
    if (waitSeconds > 0) {
      this.#connections.endRival(farewell);
      this.#connections.post({ type: 'AutomaticStop', farewell, waitSeconds });
      return;
    }
    this.#connections.end(farewell);
    this.#connections.post(startEvent('manual', this.#local().passive));
  }

  /** BFD lost the peer: an Established session ends with Cease/BFD Down, any other state does not care. RFC 9384. */
  bfdDown(text = 'BFD says that the path to the peer is down'): void {
    this.#connections.post({ type: 'BfdDown', farewell: this.#asLastWord(fault('bfdDown', text)) });
  }

  /** The peer connected to us. */
  accept(connection: Connection): void {
    this.#evidence.incoming();
    this.guard(() => this.#accept(connection));
  }

  /** Whole messages, UPDATEs or ROUTE-REFRESHes. */
  write(octets: Uint8Array): void {
    this.#main.write(octets);
  }

  /** Does what belongs to this session at another time than it asked for; if it throws, the session ends, and nothing else. */
  guard(action: () => void): void {
    this.#main.guard(action);
  }

  /** Ends for good: with a NOTIFICATION, or by hanging up where there is none. Resolves when it can have arrived. */
  async stop(farewell?: Fault): Promise<void> {
    this.#isStopped = true;
    this.#connections.end(farewell);
    await this.#connections.close();
  }

  get #main(): Driver {
    return this.#connections.main;
  }

  #local(): LocalSettings {
    return this.#setup.local();
  }

  #asLastWord(farewell: Fault): Fault {
    return this.#setup.asLastWord?.(farewell) ?? farewell;
  }

  #subject(): LogSubject {
    const { address, interface: link } = this.#setup.target();
    const name = this.#setup.description?.();
    const peer = `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`}`;
    return { peer, ...(name !== undefined && { name }) };
  }

  #makeConnections(): Connections {
    const { clock, random, transport } = this.#setup.ports;
    return new Connections({
      clock,
      random,
      evidence: this.#evidence,
      local: this.#setup.local,
      dial: () => transport.connect(this.#setup.target()),
      perform: (driver, effect) => this.#perform(driver, effect),
      writable: () => this.#handlers.writable(),
      stateChanged: () => this.#show(),
      crashed: (error) => this.#crashed(error),
    });
  }

  #crashed(error: unknown): void {
    this.#setup.ports.log.error({ ...this.#subject(), error }, 'a bug ended the session');
  }

  #accept(connection: Connection): void {
    const why = this.#isShut
      ? fault('connectionRejected', 'the peer is administratively down, so its connection was refused')
      : this.#connections.accept(connection);
    if (why === undefined) return;
    this.#setup.ports.log.debug({ ...this.#subject(), state: this.#shown }, why.text);
    const told = this.#refusals.refuse(connection, why).catch((error: unknown) => this.#crashed(error));
    this.#connections.sayGoodbye(told);
  }

  #perform(driver: Driver, effect: SessionEffect): void {
    switch (effect.do) {
      case 'report':
        this.#report(effect);
        return;
      case 'sessionUp': {
        this.#adjacency.up(effect.session, 'OpenConfirm');
        const localAddress = driver.connection?.localAddress;
        if (localAddress !== undefined) this.#handlers.up(effect.session, localAddress);
        return;
      }
      case 'sessionDown':
        this.#flaps++;
        this.#handlers.down(effect.loss);
        return;
      case 'deliverUpdate': {
        const fault = this.#handlers.update(effect.frame);
        if (fault !== undefined) driver.post({ type: 'UpdateMsgErr', fault });
        return;
      }
      case 'deliverRefresh':
        this.#handlers.refresh(effect.refresh);
    }
  }

  #report({ reason, from, to }: Extract<SessionEffect, { readonly do: 'report' }>): void {
    const isFlap = from === 'Established';
    this.#evidence.incident(reason, isFlap);
    if (isFlap) this.#adjacency.down(reason, to);
    else if (!isCollision(reason)) this.#adjacency.notUp(reason, { old: from, new: to });
  }

  #show(): void {
    const { name } = this.#main.state;
    if (name === this.#shown) return;
    this.#setup.ports.log.debug({ ...this.#subject(), from: this.#shown, to: name }, 'session state');
    this.#shown = name;
    this.#since = this.#setup.ports.clock.wallTime();
  }
}
