/**
 * The BFD thread: an event loop that has nothing else to do, so that a busy main thread delays no packet. An entry point of
 * its own, in the build too. docs/adr/0010-bfd-in-a-thread.md.
 */
import type { MessagePort } from 'node:worker_threads';
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { Engine } from './engine.ts';
import { sessionKey } from './name.ts';
import { loadLibc } from './libc.ts';
import type { Libc } from './libc.ts';
import type { FromThread, LiveView, ToThread } from './messages.ts';
import { UdpNetwork } from './udp.ts';

/** Ahead of everything that is not real time. */
const NICE = -10;
/** Counters need not be newer. */
const VIEWS_EVERY_MS = 1000;

if (parentPort !== null) runThread(parentPort);

function runThread(port: MessagePort): void {
  const libc = loadLibc();
  raisePriority(libc);
  const lives = new Map<string, number>();
  const network = new UdpNetwork(libc, systemRandom, (datagram) => engine.receive(datagram));
  process.on('exit', () => network.closeAll());
  const engine = new Engine({
    clock: systemClock,
    random: systemRandom,
    network,
    changed: (key, change) => {
      const session = live(key);
      if (session !== undefined) say({ type: 'change', change, session });
    },
  });
  const say = (message: FromThread): void => port.postMessage(message);
  const live = (key: string): LiveView | undefined => {
    const life = lives.get(key);
    const view = engine.view(key);
    return life === undefined || view === undefined ? undefined : { key, life, view };
  };
  const publish = (): void => {
    const sessions = [...lives.keys()].map(live).filter((session) => session !== undefined);
    say({ type: 'views', sessions, strangers: engine.strangers() });
    stopPublishing = systemClock.after(VIEWS_EVERY_MS, publish);
  };
  let stopPublishing = systemClock.after(VIEWS_EVERY_MS, publish);
  const obey = (message: ToThread): void => {
    if (message.do === 'close') {
      stopPublishing();
      port.close();
      void engine.close();
      return;
    }
    lives.clear();
    for (const { life, settings } of message.sessions) lives.set(sessionKey(settings), life);
    engine.setSessions(message.sessions.map(({ settings }) => settings));
  };
  port.on('message', obey);
}

/** Where we may; without it a machine that is busy everywhere delays us by some tens of milliseconds. */
function raisePriority(libc: Libc): void {
  try {
    libc.setPriority(NICE);
  } catch {
    // Not root and without CAP_SYS_NICE.
  }
}
