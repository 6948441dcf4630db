/**
 * A speaker as a process of its own, so that a test can put it into a network namespace and kill it. Takes its settings
 * as JSON in the first argument, commands as JSON lines on stdin, and answers each with a JSON line on stdout.
 */
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createSpeaker } from '../../bird/index.ts';
import type { RouteView, SpeakerSettings } from '../../bird/index.ts';
import { formatIpAddress, formatPrefix, parsePrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { dynamicPeers, peerSettings } from './bgp.ts';
import type { PeerText } from './bgp.ts';
import { overhearTables } from './speaker-sizes.ts';
import type { TableSizes } from './speaker-sizes.ts';

export type SpeakerCommand =
  | { readonly do: 'setPeers'; readonly peers: readonly PeerText[] }
  | { readonly do: 'setDynamicPeers'; readonly ranges: readonly RangeText[] }
  | { readonly do: 'setOriginated'; readonly prefixes: readonly string[] }
  | { readonly do: 'status' }
  /** Of each peer its state, without anything of its routes. */
  | { readonly do: 'states' }
  /** Answered with SpeakerTables. */
  | { readonly do: 'tables' }
  /** Collects garbage where the process runs with --expose-gc, so that the memory says something; SpeakerMemory. */
  | { readonly do: 'memory' }
  | { readonly do: 'close'; readonly how: 'restart' | 'shutdown' | 'drain' };

export interface RangeText {
  readonly prefix: string;
  readonly limit: number;
  readonly template: Partial<PeerText>;
}

export interface SpeakerStatus {
  readonly converged: boolean;
  readonly peers: readonly {
    readonly address: string;
    readonly state: string;
    readonly lastError?: string;
    readonly flaps: number;
    readonly isDynamic: boolean;
    readonly received: number;
    readonly advertised: number;
    readonly staleRoutes: number;
  }[];
  /** By prefix as a text, in whatever order they came. */
  readonly learned: readonly { readonly prefix: string; readonly nextHops: readonly string[]; readonly from: string }[];
  readonly paths: readonly {
    readonly prefix: string;
    readonly asPath: string;
    readonly reason: string;
    readonly communities: readonly string[];
    readonly pathId?: number;
  }[];
  readonly refused: readonly { readonly address: string; readonly count: number; readonly why: string }[];
  readonly openDescriptors: number;
  readonly residentMb: number;
}

/** Every path with its reason, addresses as text. */
export interface SpeakerTables {
  readonly routes: readonly (Omit<RouteView, 'prefix' | 'nextHop'> & {
    readonly prefix: string;
    readonly nextHop?: string;
  })[];
  readonly learned: SpeakerStatus['learned'];
}

/** In MB; and how many sets of attributes and prefixes the tables hold. */
export interface SpeakerMemory extends TableSizes {
  readonly rss: number;
  readonly heap: number;
  readonly buffers: number;
}

const tableSizes = overhearTables();
const settings = JSON.parse(process.argv[2] ?? '{}') as SpeakerSettings;
const speaker = createSpeaker(settings, { clock: systemClock, random: systemRandom, log: silentLogger });

function status(): SpeakerStatus {
  return {
    converged: speaker.isConverged(),
    peers: speaker.peers().map((peer) => ({
      address: formatIpAddress(peer.settings.address),
      state: peer.state,
      ...(peer.lastError !== undefined && { lastError: peer.lastError }),
      flaps: peer.flaps,
      isDynamic: peer.isDynamic ?? false,
      received: peer.received,
      advertised: peer.advertised,
      staleRoutes: peer.gracefulRestart?.staleRoutes ?? 0,
    })),
    learned: speaker
      .learnedRoutes()
      .map(({ prefix, nextHops, learnedFrom }) => ({
        prefix: formatPrefix(prefix),
        nextHops: nextHops.map(formatIpAddress),
        from: learnedFrom,
      }))
      .sort((a, b) => (a.prefix < b.prefix ? -1 : 1)),
    refused: speaker
      .refusedCallers()
      .map(({ address, count, why }) => ({ address: formatIpAddress(address), count, why })),
    ...held(),
    paths: speaker.routes().map(({ prefix, asPath, reason, communities, pathId }) => ({
      prefix: formatPrefix(prefix),
      asPath,
      reason,
      communities,
      ...(pathId !== undefined && { pathId }),
    })),
  };
}

function tables(): SpeakerTables {
  const routes = speaker.routes().map(({ prefix, nextHop, ...view }) => ({
    ...view,
    prefix: formatPrefix(prefix),
    ...(nextHop !== undefined && { nextHop: formatIpAddress(nextHop) }),
  }));
  return { routes, learned: status().learned };
}

function memory(): SpeakerMemory {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const megabytes = (octets: number): number => Math.round(octets / 1e5) / 10;
  return { rss: megabytes(rss), heap: megabytes(heapUsed), buffers: megabytes(arrayBuffers), ...tableSizes() };
}

/** What the process holds; -1 where it has no descriptor left to look with. */
function held(): Pick<SpeakerStatus, 'openDescriptors' | 'residentMb'> {
  try {
    return { openDescriptors: readdirSync('/proc/self/fd').length, residentMb: process.memoryUsage.rss() / 2 ** 20 };
  } catch {
    return { openDescriptors: -1, residentMb: -1 };
  }
}

async function obey(command: SpeakerCommand): Promise<unknown> {
  switch (command.do) {
    case 'setPeers':
      speaker.setPeers(command.peers.map(peerSettings));
      return null;
    case 'setDynamicPeers':
      speaker.setDynamicPeers(
        command.ranges.map(({ prefix, limit, template }) => dynamicPeers(prefix, template, { limit })),
      );
      return null;
    case 'setOriginated':
      speaker.setOriginated(command.prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test' })));
      return null;
    case 'status':
      return status();
    case 'states':
      return Object.fromEntries(speaker.peers().map((peer) => [formatIpAddress(peer.settings.address), peer.state]));
    case 'tables':
      return tables();
    case 'memory':
      return memory();
    case 'close':
      await speaker.close({ kind: command.how, message: 'over and out', waitSeconds: 4 });
      return null;
  }
}

async function main(): Promise<void> {
  await speaker.start();
  process.stdout.write('"started"\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as SpeakerCommand;
    process.stdout.write(`${JSON.stringify(await obey(command))}\n`);
    if (command.do === 'close') break;
  }
  process.exit(0);
}

await main();
