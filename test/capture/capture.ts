import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FamilyKey, Open } from '../../bird/bgp-ts/index.ts';
import { decodeMessage, familyKey } from '../../bird/bgp-ts/index.ts';
import { nodeProgram } from '../support/lab-processes.ts';
import type { CaptureSession, Daemon } from './daemon.ts';
import type { CapturedSession, ContextText } from './fixture.ts';
import { contextOf } from './fixture.ts';
import type { CaptureLab } from './lab.ts';
import { DAEMON, makeLab, RECORDER } from './lab.ts';
import { encodeOpen, openMessage, unsettled } from './our-side.ts';
import type { RecorderSettings } from './recorder-process.ts';
import { commonFamilies, settled } from './settled.ts';

const OPEN_MS = 15_000;
const FEED_MS = 30_000;
const STEP_MS = 50;
/** After the last End-of-RIB, for what a daemon says behind it. */
const SHORT_QUIET_MS = 500;
/** Where End-of-RIB does not come: FRR gathers UPDATEs for one second. */
const QUIET_MS = 2500;

/** A running session with a daemon. */
export interface LiveSession {
  /** All messages as hex in order of arrival. */
  readonly messages: readonly string[];
  readonly context: ContextText;
  readonly lab: CaptureLab;
  /** Sends a message to the daemon. */
  send(message: Uint8Array): void;
  /** One line for the daemon's own command line. */
  control(line: string): string;
  /** Resolves when the daemon has nothing more to say. Throws where it hung up. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a daemon and a recorder, up to the end of the first feed. Closes all where that fails or `signal` aborts it. */
export async function openSession(daemon: Daemon, session: CaptureSession, signal = never): Promise<LiveSession> {
  signal.throwIfAborted();
  const lab = makeLab(`${daemon.name}-${session.name}`);
  try {
    await daemon.start(lab, session.config);
    for (const line of session.before ?? []) daemon.control(lab, line);
    const heard: Heard = { messages: [], at: Date.now(), closed: false, signal };
    const recorder = startRecorder(lab, [daemon, session], heard);
    const theirs = await theirOpen(heard);
    const ours = openMessage(session.ours);
    const context = settled(ours, theirs);
    const live: LiveSession = {
      messages: heard.messages,
      context,
      lab,
      send: (message) => void recorder.stdin!.write(`${Buffer.from(message).toString('hex')}\n`),
      control: (line) => daemon.control(lab, line),
      quiet: () => untilQuiet(heard, [], context),
      close: () => lab.close(),
    };
    await untilQuiet(heard, commonFamilies(ours, theirs), context);
    return live;
  } catch (error) {
    const said = lab.output();
    await lab.close();
    signal.throwIfAborted();
    throw new Error(`${daemon.name} ${session.name}: ${String(error)}\n${said}`, { cause: error });
  }
}

/** Everything that the daemon sends in one session, and what was agreed. */
export async function capture(daemon: Daemon, session: CaptureSession, signal = never): Promise<CapturedSession> {
  const live = await openSession(daemon, session, signal);
  try {
    for (const line of session.after ?? []) live.control(line);
    if (session.after !== undefined) await live.quiet();
    const { ours, expect, ...text } = session;
    const sent = Buffer.from(encodeOpen(ours)).toString('hex');
    return { ...text, context: live.context, sent, messages: withOneKeepalive(live.messages), expect };
  } finally {
    await live.close();
  }
}

interface Heard {
  readonly messages: string[];
  /** When the last message but KEEPALIVE came, ms. */
  at: number;
  closed: boolean;
  readonly signal: AbortSignal;
}

const never = new AbortController().signal;

function startRecorder(
  lab: CaptureLab,
  [daemon, { ours }]: readonly [Daemon, CaptureSession],
  heard: Heard,
): ChildProcess {
  const over = ours.over ?? 4;
  const settings: RecorderSettings = {
    open: Buffer.from(encodeOpen(ours)).toString('hex'),
    local: RECORDER[over],
    remote: DAEMON[over],
    dials: daemon.dials,
  };
  const child = lab.startRecorder(nodeProgram(), 'test/capture/recorder-process.ts', JSON.stringify(settings));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line === 'closed') heard.closed = true;
    else {
      heard.messages.push(line);
      if (!isKeepalive(line)) heard.at = Date.now();
    }
  });
  return child;
}

async function theirOpen(heard: Heard): Promise<Open> {
  const end = Date.now() + OPEN_MS;
  while (heard.messages.length === 0) {
    if (Date.now() > end) throw new Error(`no OPEN within ${OPEN_MS} ms`);
    await pause(heard);
  }
  const result = decodeMessage(Buffer.from(heard.messages[0]!, 'hex'), unsettled);
  if (result.kind === 'fault' || result.message.type !== 'open') throw new Error(`no OPEN but ${heard.messages[0]!}`);
  return result.message;
}

/** Until End-of-RIB of all `families`, or a long silence. */
async function untilQuiet(heard: Heard, families: readonly FamilyKey[], context: ContextText): Promise<void> {
  const start = Date.now();
  heard.at = start;
  for (;;) {
    const last = heard.messages.at(-1);
    if (heard.closed) throw new Error(`the daemon hung up after ${last ?? 'nothing'}`);
    const ended = heard.messages.flatMap((message) => endOfRib(message, context));
    const complete = families.length > 0 && families.every((family) => ended.includes(family));
    if (Date.now() - heard.at > (complete ? SHORT_QUIET_MS : QUIET_MS)) return;
    if (Date.now() - start > FEED_MS) throw new Error(`still not quiet after ${FEED_MS} ms`);
    await pause(heard);
  }
}

/** A fault is no matter of the recorder's. */
function endOfRib(message: string, context: ContextText): readonly FamilyKey[] {
  const result = decodeMessage(Buffer.from(message, 'hex'), contextOf(context));
  if (result.kind === 'fault' || result.message.type !== 'update') return [];
  return result.message.endOfRib === undefined ? [] : [familyKey(result.message.endOfRib)];
}

const isKeepalive = (message: string): boolean => message.slice(36) === '04';

const withOneKeepalive = (messages: readonly string[]): readonly string[] =>
  messages.filter((message, index) => !isKeepalive(message) || messages.indexOf(message) === index);

async function pause({ signal }: Heard): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  signal.throwIfAborted();
}
