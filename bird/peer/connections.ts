import type { Fault, Open } from '../wire.ts';
import { admitIncoming, judgeOpen } from './collision.ts';
import { Driver } from './driver.ts';
import type { DriverOwner, SessionEffect } from './driver.ts';
import type { Connection } from './transport.ts';
import type { Event, State } from './vocabulary.ts';

/** What the connections ask of the session that they are. */
export interface ConnectionsOwner extends Pick<
  DriverOwner,
  'clock' | 'random' | 'evidence' | 'local' | 'dial' | 'crashed'
> {
  perform(driver: Driver, effect: SessionEffect): void;
  /** The network took something of what the main connection said. */
  writable(): void;
  /** The main connection may be another one, or elsewhere. */
  stateChanged(): void;
}

/**
 * The connections of one session: a driver, and for a moment two, where both sides connected at the same time. Which of the
 * two lives is collision.ts' to say; this puts it into effect. The session is what the main one is.
 */
export class Connections {
  readonly #owner: ConnectionsOwner;
  readonly #driverOwner: DriverOwner;
  readonly #goodbyes = new Set<Promise<void>>();
  #main: Driver;
  #rival: Driver | undefined;

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
    this.#driverOwner = this.#makeDriverOwner();
    this.#main = new Driver(this.#driverOwner, 0);
  }

  get main(): Driver {
    return this.#main;
  }

  /** To the main one. */
  post(event: Event): void {
    this.#main.post(event);
  }

  /** The peer made it. Why it was not taken, where it was not: then it is still to be ended. */
  accept(connection: Connection): Fault | undefined {
    const admission = admitIncoming(this.#main, this.#rival !== undefined);
    switch (admission.as) {
      case 'main':
        this.#main.adopt(connection);
        return undefined;
      case 'rival':
        this.#rival = new Driver(this.#driverOwner, this.#main.state.connectRetryCounter);
        this.#rival.waitForPeer();
        this.#rival.adopt(connection);
        return undefined;
      case 'refused':
        return admission.fault;
    }
  }

  /** Both, until the next start. */
  end(farewell: Fault | undefined): void {
    this.endRival(farewell);
    this.#main.post({ type: 'ManualStop', ...(farewell !== undefined && { farewell }) });
    this.sayGoodbye(this.#main.farewell);
  }

  endRival(farewell: Fault | undefined): void {
    const rival = this.#rival;
    this.#rival = undefined;
    rival?.post({ type: 'ManualStop', ...(farewell !== undefined && { farewell }) });
    if (rival !== undefined) this.sayGoodbye(rival.farewell);
    rival?.discard();
  }

  dropRival(): void {
    this.#rival?.discard();
    this.#rival = undefined;
  }

  /** `close` waits for it. */
  sayGoodbye(farewell: Promise<void>): void {
    this.#goodbyes.add(farewell);
    void farewell.finally(() => this.#goodbyes.delete(farewell));
  }

  /** For good. Resolves when every last word can have arrived. */
  async close(): Promise<void> {
    this.#main.discard();
    await Promise.all(this.#goodbyes);
  }

  #makeDriverOwner(): DriverOwner {
    const { clock, random, evidence } = this.#owner;
    return {
      clock,
      random,
      evidence,
      local: () => this.#owner.local(),
      dial: () => this.#owner.dial(),
      admitOpen: (driver, open) => this.#admitOpen(driver, open),
      perform: (driver, effect) => {
        if (effect.do === 'sessionUp') this.#dumpOtherThan(driver);
        this.#owner.perform(driver, effect);
      },
      writable: (driver) => {
        if (driver === this.#main && driver.state.name === 'Established') this.#owner.writable();
      },
      stateChanged: (driver) => this.#stateChanged(driver),
      crashed: (error) => this.#owner.crashed(error),
    };
  }

  #admitOpen(arrived: Driver, open: Open): 'admit' | 'dump' | 'wait' {
    const other = arrived === this.#main ? this.#rival : this.#main;
    if (other === undefined) return 'admit';
    const local = this.#owner.local();
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

  #dumpOtherThan(winner: Driver): void {
    const other = winner === this.#main ? this.#rival : this.#main;
    if (other !== undefined) this.#dump(other);
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
    this.sayGoodbye(loser.farewell);
    loser.discard();
    if (winner !== undefined) this.#main = winner;
    this.#rival = undefined;
  }

  /** Where one of two failed the other carries on. */
  #stateChanged(driver: Driver): void {
    const rival = this.#rival;
    if (rival !== undefined && isOver(driver.state) && (driver === rival || driver === this.#main)) {
      this.sayGoodbye(driver.farewell);
      driver.discard();
      this.#main = driver === rival ? this.#main : rival;
      this.#rival = undefined;
      this.#main.release();
    }
    this.#owner.stateChanged();
  }
}

/** Nothing is under way there any more. */
const isOver = (state: State): boolean => state.name === 'Idle' || (state.name === 'Active' && !state.isDelayingOpen);
