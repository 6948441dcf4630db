/**
 * The recorder in its namespace. Takes `RecorderSettings` as its argument, dials or listens, sends our OPEN, answers
 * theirs, prints each message as one line of hex and sends each line of hex from stdin. Ends when stdin does.
 */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { EXTENDED_MAX_OCTETS, encodeMessage, Framer } from '../../bird/bgp-ts/index.ts';
import { unsettled } from './our-side.ts';

export interface RecorderSettings {
  /** Our OPEN as hex. */
  readonly open: string;
  readonly local: string;
  readonly remote: string;
  readonly dials: 'recorder' | 'daemon';
}

const PORT = 179;
const RETRY_MS = 100;
const OPEN = 1;
const KEEPALIVE = 4;
const TYPE_AT = 18;

const settings = JSON.parse(process.argv[2] ?? '{}') as RecorderSettings;
const keepalive = encodeMessage({ type: 'keepalive' }, unsettled);
const session: { socket?: Socket } = {};

function record(socket: Socket, again: () => void): void {
  const framer = new Framer(EXTENDED_MAX_OCTETS);
  let heard = false;
  socket.on('data', (chunk) => {
    framer.push(chunk);
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      heard = true;
      session.socket = socket;
      process.stdout.write(`${Buffer.from(frame).toString('hex')}\n`);
      // BIRD 2.0.12 sends no UPDATE before it has heard a KEEPALIVE more than the one that makes it Established.
      if (frame[TYPE_AT] === OPEN || frame[TYPE_AT] === KEEPALIVE) socket.write(keepalive);
    }
  });
  socket.on('error', () => undefined);
  // A daemon that is not ready yet refuses, or hangs up before its OPEN.
  socket.on('close', () => (heard ? process.stdout.write('closed\n') : again()));
  socket.write(Buffer.from(settings.open, 'hex'));
}

function dial(): void {
  const socket = connect({ host: settings.remote, port: PORT, localAddress: settings.local });
  record(socket, () => setTimeout(dial, RETRY_MS));
}

function listen(): void {
  createServer((socket) => record(socket, () => undefined)).listen(PORT, settings.local);
}

if (settings.dials === 'recorder') dial();
else listen();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void session.socket?.write(Buffer.from(line, 'hex')));
lines.on('close', () => process.exit(0));
