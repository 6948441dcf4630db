/** Where the netlink thread begins. An entry point of its own, in the build too. docs/adr/0014-netlink-thread-pumps-bytes.md. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { loadLibc } from '../../src/linux/libc.ts';
import type { Libc } from '../../src/linux/libc.ts';
import type { ThreadOrder, ToThread } from './messages.ts';
import { Pump } from './pump.ts';

interface Ports {
  readonly libc: Libc;
  readonly port: MessagePort;
  readonly wakeFd: number;
  readonly pump: Pump;
}

/** Returns to the event loop after each turn: there the thread can be ended from outside. */
function turn(ports: Ports): void {
  const { libc, port, wakeFd, pump } = ports;
  const ready = libc.waitToRead([wakeFd, ...pump.watched]);
  libc.calm(wakeFd);
  for (const fd of ready) if (fd !== wakeFd) pump.readWatched(fd);
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const message = next.message as ToThread;
    if (message.do === 'halt') return;
    pump.perform(message.id, message);
  }
  setImmediate(turn, ports);
}

if (parentPort !== null) {
  const port = parentPort;
  const libc = loadLibc();
  const pump = new Pump(libc, (message, octets) => port.postMessage(message, octets && [octets.buffer]));
  // Of the thread's own start 3 MB of garbage are left, and it hardly makes more: V8 would keep them for good.
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
  turn({ libc, port, wakeFd: (workerData as ThreadOrder).wakeFd, pump });
}
