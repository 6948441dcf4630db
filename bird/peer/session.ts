import type { IpAddress } from '../../src/model/ip.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { SessionLoss } from '../graceful-restart/loss.ts';
import type { SessionState } from '../view.ts';
import type { Fault, Open, RouteRefresh } from '../wire.ts';
import { admitIncoming, judgeOpen } from './collision.ts';
import { Driver } from './driver.ts';
import type { DriverOwner, SessionEffect } from './driver.ts';
import type { State } from './fsm.ts';
import type { LocalSettings, Negotiated } from './negotiate.ts';
import type { Connection, Target, Transport } from './transport.ts';

/** What a session tells the routing above it. */
export interface SessionHandlers {
  up(session: Negotiated, localAddress: IpAddress): void;
  down(loss: SessionLoss): void;
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

/** UPDATEs wait outside while more than this is queued, so that a keepalive never waits long behind them. */
const HIGH_WATER_OCTETS = 65_536;

/**
 * The session with one peer: one driver, and for a moment two, where both sides connected at the same time.
 * Which of the two lives is collision.ts' to say; everything else is fsm.ts'.
 */
export class Session {
  readonly #ports: SessionPorts;
  readonly #target: () => Target;
  readonly #local: () => LocalSettings;
  readonly #handlers: SessionHandlers;
  readonly #owner: DriverOwner;
  readonly #goodbyes = new Set<Promise<void>>();
  #main: Driver;
  #rival: Driver | undefined;
  #since: number;
  #shown: SessionState = 'Idle';
  #lastError: string | undefined;
  #flaps = 0;
  #isStopped = true;

  constructor(
    {
      ports,
      target,
      local,
    }: { readonly ports: SessionPorts; readonly target: () => Target; readonly local: () => LocalSettings },
    handlers: SessionHandlers,
  ) {
    this.#ports = ports;
    this.#target = target;
    this.#local = local;
    this.#handlers = handlers;
    this.#owner = this.#makeOwner();
    this.#main = new Driver(this.#owner, 0);
    this.#since = ports.clock.wallTime();
  }

  get state(): SessionState {
    return this.#shown;
  }

  /** Milliseconds since 1970 of the last change of state. */
  get since(): number {
    return this.#since;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get flaps(): number {
    return this.#flaps;
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

  start(): void {
    this.#isStopped = false;
    this.#main.post({ type: 'ManualStart' });
  }

  /** The peer connected to us. */
  accept(connection: Connection): void {
    const decision = this.#isStopped ? 'refuse' : admitIncoming(this.#main.state, this.#rival !== undefined);
    switch (decision) {
      case 'takeOver':
        this.#main.adopt(connection);
        return;
      case 'rival':
        this.#rival = new Driver(this.#owner, this.#main.state.failures);
        this.#rival.waitForPeer();
        this.#rival.adopt(connection);
        return;
      case 'refuse':
        this.#ports.log.debug({ state: this.#main.state.name }, 'refused a connection of the peer');
        connection.destroy();
    }
  }

  /** Begins anew with settings that have changed: hangs up without a word, so that the peer keeps our routes. RFC 4724. */
  restart(reason: string): void {
    if (this.#isStopped) return;
    this.#rival?.discard();
    this.#rival = undefined;
    if (this.#main.state.name === 'Established') {
      this.#main.post({ type: 'TcpConnectionFails', reason });
      return;
    }
    this.#main.post({ type: 'ManualStop' });
    this.#main.post({ type: 'ManualStart' });
  }

  write(octets: Uint8Array): void {
    this.#main.write(octets);
  }

  /** Ends for good: with a NOTIFICATION, or by hanging up where there is none. Resolves when it can have arrived. */
  async stop(farewell?: Fault): Promise<void> {
    this.#isStopped = true;
    for (const driver of [this.#rival, this.#main]) {
      driver?.post({ type: 'ManualStop', ...(farewell !== undefined && { farewell }) });
      if (driver !== undefined) this.#goodbyes.add(driver.farewell);
      driver?.discard();
    }
    await Promise.all(this.#goodbyes);
  }

  #makeOwner(): DriverOwner {
    const { clock, random, transport } = this.#ports;
    return {
      clock,
      random,
      local: this.#local,
      dial: () => transport.connect(this.#target()),
      admitOpen: (driver, open) => this.#admitOpen(driver, open),
      perform: (driver, effect) => this.#perform(driver, effect),
      writable: (driver) => {
        if (driver === this.#main && driver.state.name === 'Established') this.#handlers.writable();
      },
      stateChanged: (driver) => this.#stateChanged(driver),
    };
  }

  #admitOpen(arrived: Driver, open: Open): boolean {
    const other = arrived === this.#main ? this.#rival : this.#main;
    if (other === undefined) return true;
    const local = this.#local();
    const verdict = judgeOpen(arrived.direction, other.state, {
      local,
      remote: { asn: local.remoteAsn, bgpIdentifier: open.bgpIdentifier },
    });
    if (verdict === 'both') return true;
    if (verdict === 'keepOther') return false;
    this.#dump(other);
    return true;
  }

  /** Ends the connection that lost; the other becomes, or stays, the main one. */
  #dump(loser: Driver): void {
    const winner = loser === this.#main ? this.#rival : this.#main;
    if (loser.state.name === 'Established') {
      loser.post({ type: 'TcpConnectionFails', reason: 'the peer connected anew, so it must have restarted' });
    } else {
      loser.post({ type: 'OpenCollisionDump' });
    }
    this.#goodbyes.add(loser.farewell);
    loser.discard();
    if (winner !== undefined) this.#main = winner;
    this.#rival = undefined;
  }

  #perform(driver: Driver, effect: SessionEffect): void {
    switch (effect.do) {
      case 'report':
        this.#lastError = effect.text;
        this.#ports.log.info({ reason: effect.text }, 'session not up');
        return;
      case 'sessionUp': {
        const other = driver === this.#main ? this.#rival : this.#main;
        if (other !== undefined && other !== driver) this.#dump(other);
        const localAddress = driver.connection?.localAddress;
        if (localAddress !== undefined) this.#handlers.up(effect.session, localAddress);
        return;
      }
      case 'sessionDown':
        this.#flaps++;
        this.#handlers.down(effect);
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

  #stateChanged(driver: Driver): void {
    if (driver === this.#rival && isOver(driver.state)) {
      this.#goodbyes.add(driver.farewell);
      this.#rival = undefined;
      driver.discard();
    } else if (driver === this.#main && this.#rival !== undefined && isOver(driver.state)) {
      // The main connection failed while another is under way: that one carries on.
      const rival = this.#rival;
      this.#goodbyes.add(driver.farewell);
      driver.discard();
      this.#main = rival;
      this.#rival = undefined;
    }
    this.#show();
  }

  #show(): void {
    const { name } = this.#main.state;
    if (name === this.#shown) return;
    this.#ports.log.debug({ from: this.#shown, to: name }, 'session state');
    this.#shown = name;
    this.#since = this.#ports.clock.wallTime();
  }
}

/** Nothing is under way there any more. */
const isOver = ({ name }: State): boolean => name === 'Idle' || name === 'Active';
