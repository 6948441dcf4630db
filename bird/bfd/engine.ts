/** All sessions of the speaker: who there is, whose packet it is. Runs in the BFD thread; knows no thread itself. */
import type { BfdChange, BfdSessionSettings, BfdSessionView } from './contract.ts';
import type { DiscardReason } from './demultiplex.ts';
import { SessionIndex } from './demultiplex.ts';
import { Endpoint } from './endpoint.ts';
import type { EndpointHost } from './endpoint.ts';
import { sessionKey } from './name.ts';
import type { Datagram } from './network.ts';

export interface EngineOwner extends Omit<EndpointHost, 'changed'> {
  changed(key: string, change: BfdChange): void;
}

/** When the process ends, AdminDown is said so often and so far apart: nobody waits for a Detection Time then. */
const FAREWELLS = 3;
const FAREWELL_GAP_MS = 20;

export class Engine {
  readonly #owner: EngineOwner;
  readonly #endpoints = new Map<string, Endpoint>();
  /** Out of the set, and still telling their peers so; with what cancels the end. */
  readonly #leaving = new Map<string, () => void>();
  readonly #index = new SessionIndex<Endpoint>();
  #strangers: Partial<Record<DiscardReason, number>> = {};

  constructor(owner: EngineOwner) {
    this.#owner = owner;
  }

  /** The whole desired set, no two of one name. */
  setSessions(sessions: readonly BfdSessionSettings[]): void {
    const wanted = new Map(sessions.map((settings) => [sessionKey(settings), settings]));
    for (const key of this.#endpoints.keys()) if (!wanted.has(key)) this.#leave(key);
    for (const [key, settings] of wanted) {
      const endpoint = this.#endpoints.get(key);
      if (endpoint === undefined) this.#begin(key, settings);
      else {
        this.#stay(key);
        endpoint.adjust(settings);
      }
    }
  }

  receive(datagram: Datagram): void {
    const verdict = this.#index.judge(datagram);
    if (!('reason' in verdict)) verdict.owner.receive(verdict.packet);
    else if (verdict.owner !== undefined) verdict.owner.drop(verdict.reason);
    else this.#strangers[verdict.reason] = (this.#strangers[verdict.reason] ?? 0) + 1;
  }

  /** Undefined for one that is not in the set. */
  view(key: string): BfdSessionView | undefined {
    return this.#leaving.has(key) ? undefined : this.#endpoints.get(key)?.view();
  }

  /** What came and belonged to no session, by reason. */
  strangers(): Readonly<Partial<Record<DiscardReason, number>>> {
    return { ...this.#strangers };
  }

  /** Says AdminDown to every peer, and resolves when that is done. */
  async close(): Promise<void> {
    const { clock } = this.#owner;
    for (const cancel of this.#leaving.values()) cancel();
    for (const endpoint of this.#endpoints.values()) endpoint.disable();
    for (let said = 1; said < FAREWELLS; said++) {
      await new Promise<void>((resolve) => clock.after(FAREWELL_GAP_MS, resolve));
      for (const endpoint of this.#endpoints.values()) endpoint.repeat();
    }
    for (const key of [...this.#endpoints.keys()]) this.#forget(key);
  }

  #begin(key: string, settings: BfdSessionSettings): void {
    const host: EndpointHost = {
      clock: this.#owner.clock,
      random: this.#owner.random,
      network: this.#owner.network,
      changed: (_, change) => {
        if (!this.#leaving.has(key)) this.#owner.changed(key, change);
      },
    };
    const endpoint = new Endpoint(settings, this.#freeDiscriminator(), host);
    this.#endpoints.set(key, endpoint);
    this.#index.add(endpoint);
    endpoint.start();
  }

  /** RFC 5880 §6.8.16: AdminDown for a Detection Time, so that the peer does not take it for a failure. */
  #leave(key: string): void {
    const endpoint = this.#endpoints.get(key)!;
    if (this.#leaving.has(key)) return;
    this.#leaving.set(key, () => undefined);
    endpoint.disable();
    const { farewellMs } = endpoint;
    if (farewellMs === 0) this.#forget(key);
    else
      this.#leaving.set(
        key,
        this.#owner.clock.after(farewellMs, () => this.#forget(key)),
      );
  }

  #stay(key: string): void {
    this.#leaving.get(key)?.();
    this.#leaving.delete(key);
  }

  #forget(key: string): void {
    const endpoint = this.#endpoints.get(key)!;
    this.#index.remove(endpoint);
    endpoint.close();
    this.#endpoints.delete(key);
    this.#leaving.delete(key);
  }

  /** RFC 5880 §6.8.1: unique, not zero, and by chance. */
  #freeDiscriminator(): number {
    let discriminator = Math.floor(this.#owner.random() * 2 ** 32);
    while (discriminator === 0 || this.#index.hasDiscriminator(discriminator)) {
      discriminator = (discriminator + 1) % 2 ** 32;
    }
    return discriminator;
  }
}
