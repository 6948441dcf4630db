/**
 * Our BFD as a process of its own, so that a test can put it into a network namespace, block its main thread and kill it.
 * Takes commands as JSON lines on stdin, and answers each with a JSON line on stdout. The module that it runs is its first
 * argument: the sources or a bundle.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type * as Door from '../../bird/bfd/index.ts';
import type { Bfd, BfdChange, BfdSessionSettings, BfdSessionView } from '../../bird/bfd/index.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

export interface SessionText {
  readonly address: string;
  readonly localAddress?: string;
  readonly interface?: string;
  readonly multihop?: boolean;
  readonly transmitMs?: number;
  readonly receiveMs?: number;
  readonly multiplier?: number;
}

export type BfdCommand =
  | { readonly do: 'setSessions'; readonly sessions: readonly SessionText[] }
  | { readonly do: 'status' }
  /** Keeps the main thread busy, garbage included; the answer comes afterwards. */
  | { readonly do: 'block'; readonly ms: number }
  | { readonly do: 'close' }
  /** process.exit, without a close. */
  | { readonly do: 'exit' };

/** A change, and when it was heard of: milliseconds since 1970. */
export type TimedChange = BfdChange & { readonly at: number };

export interface BfdStatus {
  readonly sessions: readonly BfdSessionView[];
  readonly changes: readonly TimedChange[];
}

function settingsOf({ address, localAddress, ...rest }: SessionText): BfdSessionSettings {
  return {
    transmitMs: 300,
    receiveMs: 300,
    multiplier: 3,
    ...rest,
    address: parseIpAddress(address),
    ...(localAddress !== undefined && { localAddress: parseIpAddress(localAddress) }),
  };
}

function keepBusy(ms: number): void {
  const end = systemClock.now() + ms;
  let kept: object[] = [];
  while (systemClock.now() < end) {
    kept.push({ at: kept.length });
    if (kept.length > 500_000) kept = [];
  }
}

const { createBfd } = (await import(pathToFileURL(process.argv[2]!).href)) as typeof Door;
const bfd: Bfd = createBfd({ log: silentLogger, clock: systemClock });
const changes: TimedChange[] = [];
bfd.onChange((change) => changes.push({ ...change, at: systemClock.wallTime() }));

async function obey(command: BfdCommand): Promise<unknown> {
  switch (command.do) {
    case 'setSessions':
      bfd.setSessions(command.sessions.map(settingsOf));
      return null;
    case 'status':
      return { sessions: bfd.sessions(), changes } satisfies BfdStatus;
    case 'block':
      keepBusy(command.ms);
      return null;
    case 'close':
      await bfd.close();
      return null;
    case 'exit':
      return process.exit(7);
  }
}

process.stdout.write('"started"\n');
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as BfdCommand;
  process.stdout.write(`${JSON.stringify(await obey(command))}\n`);
  if (command.do === 'close') break;
}
// Nothing else may keep the process.
process.stdin.destroy();
