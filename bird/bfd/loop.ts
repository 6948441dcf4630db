import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { Engine } from './engine.ts';
import type { Libc } from './libc.ts';
import type { FromThread, LiveView, ToThread } from './messages.ts';
import { sessionKey } from './name.ts';
import { Timers } from './timers.ts';
import { UdpNetwork } from './udp.ts';

/** Counters need not be newer. */
const VIEWS_EVERY_MS = 1000;

export interface LoopPorts {
  readonly libc: Libc;
  readonly port: MessagePort;
  readonly wakeFd: number;
}

/** Sleeps until a packet, a timer or the main thread has something for it. Nothing else runs in its thread. */
export class BfdLoop {
  readonly #ports: LoopPorts;
  readonly #timers = new Timers(systemClock);
  readonly #network: UdpNetwork;
  readonly #engine: Engine;
  readonly #lives = new Map<string, number>();
  #isRunning = true;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#network = new UdpNetwork(ports.libc, systemRandom, (datagram) => this.#engine.receive(datagram));
    this.#engine = new Engine({
      clock: this.#timers,
      random: systemRandom,
      network: this.#network,
      changed: (key, change) => {
        const session = this.#live(key);
        if (session !== undefined) this.#say({ type: 'change', change, session });
      },
    });
  }

  run(): void {
    this.#timers.after(VIEWS_EVERY_MS, () => this.#publish());
    this.#turn();
  }

  /** Descriptors are the process's: those of a thread that dies by a fault would keep the ports. */
  closeSockets(): void {
    this.#network.closeAll();
  }

  /** Returns to the event loop after each turn: there promises go on, and there the thread can be ended from outside. */
  #turn(): void {
    if (!this.#isRunning) return;
    const { libc, port, wakeFd } = this.#ports;
    libc.wait([wakeFd, ...this.#network.descriptors], this.#timers.untilNext());
    libc.calm(wakeFd);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.#obey(next.message as ToThread);
    }
    this.#network.readWaiting();
    this.#timers.fireDue();
    setImmediate(() => this.#turn());
  }

  #obey(message: ToThread): void {
    switch (message.do) {
      case 'setSessions':
        this.#lives.clear();
        for (const { life, settings } of message.sessions) this.#lives.set(sessionKey(settings), life);
        this.#engine.setSessions(message.sessions.map(({ settings }) => settings));
        return;
      case 'close':
        void this.#engine.close().then(() => (this.#isRunning = false));
        return;
      case 'halt':
        this.#isRunning = false;
    }
  }

  #publish(): void {
    const sessions = [...this.#lives.keys()].map((key) => this.#live(key)).filter((session) => session !== undefined);
    this.#say({ type: 'views', sessions, strangers: this.#engine.strangers() });
    this.#timers.after(VIEWS_EVERY_MS, () => this.#publish());
  }

  #live(key: string): LiveView | undefined {
    const life = this.#lives.get(key);
    const view = this.#engine.view(key);
    return life === undefined || view === undefined ? undefined : { key, life, view };
  }

  #say(message: FromThread): void {
    this.#ports.port.postMessage(message);
  }
}
