/**
 * A speaker as a process of its own, so that a test can put it into a network namespace and kill it. Takes its settings
 * as JSON in the first argument, commands as JSON lines on stdin, and answers each with a JSON line on stdout.
 */
import { createInterface } from 'node:readline';
import { createSpeaker } from '../../bird/index.ts';
import type { SpeakerSettings } from '../../bird/index.ts';
import { formatIpAddress, formatPrefix, parsePrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { peerSettings } from './bgp.ts';
import type { PeerText } from './bgp.ts';

export type SpeakerCommand =
  | { readonly do: 'setPeers'; readonly peers: readonly PeerText[] }
  | { readonly do: 'setOriginated'; readonly prefixes: readonly string[] }
  | { readonly do: 'status' }
  | { readonly do: 'close'; readonly how: 'restart' | 'shutdown' };

export interface SpeakerStatus {
  readonly converged: boolean;
  readonly peers: readonly {
    readonly address: string;
    readonly state: string;
    readonly lastError?: string;
    readonly received: number;
    readonly advertised: number;
    readonly staleRoutes: number;
  }[];
  readonly learned: readonly { readonly prefix: string; readonly nextHops: readonly string[]; readonly from: string }[];
  readonly paths: readonly {
    readonly prefix: string;
    readonly asPath: string;
    readonly reason: string;
    readonly pathId?: number;
  }[];
}

const settings = JSON.parse(process.argv[2] ?? '{}') as SpeakerSettings;
const speaker = createSpeaker(settings, { clock: systemClock, random: systemRandom, log: silentLogger });

function status(): SpeakerStatus {
  return {
    converged: speaker.isConverged(),
    peers: speaker.peers().map((peer) => ({
      address: formatIpAddress(peer.settings.address),
      state: peer.state,
      ...(peer.lastError !== undefined && { lastError: peer.lastError }),
      received: peer.received,
      advertised: peer.advertised,
      staleRoutes: peer.gracefulRestart?.staleRoutes ?? 0,
    })),
    learned: speaker.learnedRoutes().map(({ prefix, nextHops, learnedFrom }) => ({
      prefix: formatPrefix(prefix),
      nextHops: nextHops.map(formatIpAddress),
      from: learnedFrom,
    })),
    paths: speaker.routes().map(({ prefix, asPath, reason, pathId }) => ({
      prefix: formatPrefix(prefix),
      asPath,
      reason,
      ...(pathId !== undefined && { pathId }),
    })),
  };
}

async function obey(command: SpeakerCommand): Promise<unknown> {
  switch (command.do) {
    case 'setPeers':
      speaker.setPeers(command.peers.map(peerSettings));
      return null;
    case 'setOriginated':
      speaker.setOriginated(command.prefixes.map((text) => ({ prefix: parsePrefix(text), reason: 'test' })));
      return null;
    case 'status':
      return status();
    case 'close':
      await speaker.close(
        command.how === 'restart' ? { kind: 'restart' } : { kind: 'shutdown', message: 'over and out' },
      );
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
