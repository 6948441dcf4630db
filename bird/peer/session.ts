import type { IpAddress } from '../../src/model/ip.ts';
import { formatIpAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { PeerIncident, PeerView, ReachView, SessionState } from '../view.ts';
import type { Fault, Open, RouteRefresh } from '../wire.ts';
import { AdjacencyLog } from './adjacency-log.ts';
import type { LogSubject } from './adjacency-log.ts';
import { capabilityTexts } from './capability-text.ts';
import { admitIncoming, judgeOpen } from './collision.ts';
import { Driver } from './driver.ts';
import type { DriverOwner, SessionEffect } from './driver.ts';
import { Evidence } from './evidence.ts';
import { fault, shutdownFault } from './fault.ts';
import type { LocalSettings, Negotiated } from './negotiate.ts';
import { isCollision } from './reason.ts';
import { Refusals } from './refusals.ts';
import type { Connection, Target, Transport } from './transport.ts';
import { startEvent } from './vocabulary.ts';
import type { Loss, State } from './vocabulary.ts';

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

/**
 * The session with one peer: one driver, and for a moment two, where both sides connected at the same time.
 * Which of the two lives is collision.ts' to say; everything else is fsm.ts'.
 */
export class Session {
  readonly #setup: SessionSetup;
  readonly #handlers: SessionHandlers;
  readonly #owner: DriverOwner;
  readonly #evidence: Evidence;
  readonly #adjacency: AdjacencyLog;
  readonly #refusals: Refusals;
  readonly #goodbyes = new Set<Promise<void>>();
  #main: Driver;
  #rival: Driver | undefined;
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
    this.#owner = this.#makeOwner();
    this.#main = new Driver(this.#owner, 0);
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
    if (this.#local().shutdown === undefined) this.#main.post(startEvent('automatic', this.#local().passive));
    else this.settingsChanged();
  }

  /** Takes over what needs no new session: that the operator holds the peer down, or lets it go. */
  settingsChanged(): void {
    if (this.#isStopped) return;
    const { shutdown, passive } = this.#local();
    if (this.#isShut === (shutdown !== undefined)) return;
    this.#isShut = shutdown !== undefined;
    if (shutdown === undefined) this.#main.post(startEvent('manual', passive));
    else this.#end(this.#asLastWord(shutdownFault(shutdown)));
  }

  /** Begins anew with settings that have changed: hangs up without a word, so that the peer keeps our routes. RFC 4724. */
  restart(text: string): void {
    if (this.#isStopped || this.#isShut) return;
    this.#rival?.discard();
    this.#rival = undefined;
    this.#main.post({ type: 'SettingsChanged', text });
  }

  /**
   * Ends the session now with this Cease and comes back by itself: at once, as after an operator's reset; after
   * `waitSeconds`, as after a prefix limit; with Infinity not before an operator says so (`reset` again, or new settings).
   */
  reset(farewell: Fault, waitSeconds = 0): void {
    if (this.#isStopped || this.#isShut) return;
    if (waitSeconds > 0) {
      this.#endRival(farewell);
      this.#main.post({ type: 'AutomaticStop', farewell, waitSeconds });
      return;
    }
    this.#end(farewell);
    this.#main.post(startEvent('manual', this.#local().passive));
  }

  /** BFD lost the peer: an Established session ends with Cease/BFD Down, any other state does not care. RFC 9384. */
  bfdDown(text = 'BFD says that the path to the peer is down'): void {
    this.#main.post({ type: 'BfdDown', text });
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
    this.#end(farewell);
    this.#main.discard();
    await Promise.all(this.#goodbyes);
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

  #makeOwner(): DriverOwner {
    const { clock, random, transport, log } = this.#setup.ports;
    return {
      clock,
      random,
      evidence: this.#evidence,
      local: this.#setup.local,
      dial: () => transport.connect(this.#setup.target()),
      admitOpen: (driver, open) => this.#admitOpen(driver, open),
      perform: (driver, effect) => this.#perform(driver, effect),
      writable: (driver) => {
        if (driver === this.#main && driver.state.name === 'Established') this.#handlers.writable();
      },
      stateChanged: (driver) => this.#stateChanged(driver),
      crashed: (error) => log.error({ ...this.#subject(), error }, 'a bug ended the session'),
    };
  }

  #end(farewell: Fault | undefined): void {
    this.#endRival(farewell);
    this.#main.post({ type: 'ManualStop', ...(farewell !== undefined && { farewell }) });
    this.#sayGoodbye(this.#main.farewell);
  }

  #endRival(farewell: Fault | undefined): void {
    const rival = this.#rival;
    this.#rival = undefined;
    rival?.post({ type: 'ManualStop', ...(farewell !== undefined && { farewell }) });
    if (rival !== undefined) this.#sayGoodbye(rival.farewell);
    rival?.discard();
  }

  #sayGoodbye(farewell: Promise<void>): void {
    this.#goodbyes.add(farewell);
    void farewell.finally(() => this.#goodbyes.delete(farewell));
  }

  #accept(connection: Connection): void {
    if (this.#isShut) {
      this.#refuse(
        connection,
        fault('connectionRejected', 'the peer is administratively down, so its connection was refused'),
      );
      return;
    }
    const admission = admitIncoming(this.#main, this.#rival !== undefined);
    switch (admission.as) {
      case 'main':
        this.#main.adopt(connection);
        return;
      case 'rival':
        this.#rival = new Driver(this.#owner, this.#main.state.connectRetryCounter);
        this.#rival.waitForPeer();
        this.#rival.adopt(connection);
        return;
      case 'refused':
        this.#refuse(connection, admission.fault);
    }
  }

  #refuse(connection: Connection, why: Fault): void {
    this.#setup.ports.log.debug({ ...this.#subject(), state: this.#main.state.name }, why.text);
    this.#sayGoodbye(this.#refusals.refuse(connection, why).catch((error: unknown) => this.#owner.crashed(error)));
  }

  #admitOpen(arrived: Driver, open: Open): 'admit' | 'dump' | 'wait' {
    const other = arrived === this.#main ? this.#rival : this.#main;
    if (other === undefined) return 'admit';
    const local = this.#local();
    const verdict = judgeOpen(arrived.direction, other.state, {
      local,
      remote: { asn: local.remoteAsn, bgpIdentifier: open.bgpIdentifier },
    });
    switch (verdict) {
      case 'keepArrived':
        this.#dump(other);
        return 'admit';
      case 'keepOther':
        return 'dump';
      case 'wait':
        return 'wait';
      case 'both':
        return 'admit';
    }
  }

  /** Ends the connection that lost; the other becomes, or stays, the main one. */
  #dump(loser: Driver): void {
    const winner = loser === this.#main ? this.#rival : this.#main;
    if (loser.state.name === 'Established') {
      const reason = { text: 'the peer connected anew, so it must have restarted' };
      loser.post({ type: 'TcpConnectionFails', reason });
    } else {
      loser.post({ type: 'OpenCollisionDump' });
    }
    this.#sayGoodbye(loser.farewell);
    loser.discard();
    if (winner !== undefined) this.#main = winner;
    this.#rival = undefined;
  }

  #perform(driver: Driver, effect: SessionEffect): void {
    switch (effect.do) {
      case 'report':
        this.#report(effect);
        return;
      case 'sessionUp': {
        const other = driver === this.#main ? this.#rival : this.#main;
        if (other !== undefined && other !== driver) this.#dump(other);
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

  #stateChanged(driver: Driver): void {
    const rival = this.#rival;
    if (rival !== undefined && isOver(driver.state) && (driver === rival || driver === this.#main)) {
      // One of two failed: the other carries on.
      this.#sayGoodbye(driver.farewell);
      driver.discard();
      this.#main = driver === rival ? this.#main : rival;
      this.#rival = undefined;
      this.#main.release();
    }
    this.#show();
  }

  #show(): void {
    const { name } = this.#main.state;
    if (name === this.#shown) return;
    this.#setup.ports.log.debug({ ...this.#subject(), from: this.#shown, to: name }, 'session state');
    this.#shown = name;
    this.#since = this.#setup.ports.clock.wallTime();
  }
}

/** Nothing is under way there any more. */
const isOver = (state: State): boolean => state.name === 'Idle' || (state.name === 'Active' && !state.isDelayingOpen);
