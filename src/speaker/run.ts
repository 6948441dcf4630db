import { hostname } from 'node:os';
import { createSpeaker, rehearse } from '../../bird/index.ts';
import { bgpRoutes } from '../api/bgp-routes.ts';
import { noNodeRoutes } from '../api/node-routes.ts';
import { startApi } from '../api/server.ts';
import { giveBackMemory } from '../linux/give-back.ts';
import { systemClock } from '../runtime/clock.ts';
import { compileSooner } from '../runtime/compiler.ts';
import { restHeap } from '../runtime/heap-rest.ts';
import { createUnreadLogger } from '../runtime/logger.ts';
import type { Logger, LogThreshold } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import type { SpeakerConfiguration } from './convert.ts';
import { loadConfiguration } from './load.ts';
import { RestartMark } from './restart-mark.ts';
import { StandaloneSpeaker } from './standalone.ts';

export interface RunPorts {
  /** Of all levels; the file says which of them are let through. */
  readonly log: Logger;
  readonly version: string;
}

/** A full table's worth of peers waits no more than 0.1 s for what only saves memory. */
const REST_MEGABYTES = 40;

const NO_NODE = 'this is a speaker alone, without kernel and pods; calicoctl-ts routes --bgp shows what it knows';

/**
 * Runs a speaker as `file` says, which was read as `configuration`, until it is told to end; returns the exit code.
 * SIGHUP reads the file again. SIGTERM ends it as for an upgrade: without a NOTIFICATION, peers that speak graceful restart
 * keep our routes. SIGINT, and SIGTERM where no peer does so, tells the peers to withdraw. Throws one sentence where it
 * cannot start.
 */
export async function runSpeaker(
  file: string,
  configuration: SpeakerConfiguration,
  { log: root, version }: RunPorts,
): Promise<number> {
  const { socketPath, socketMode } = configuration;
  const threshold: LogThreshold = { level: configuration.logLevel };
  const log = root.child({ component: 'speaker' }, threshold);
  const birdLog = root.child({ component: 'bird' }, threshold);
  const mark = new RestartMark(socketPath);
  const ended = Promise.withResolvers<'restart' | 'shutdown'>();
  // The end may come before anybody waits for it.
  ended.promise.catch(() => undefined);
  const isRestart = mark.isThere;
  let endRehearsal: (() => void) | undefined;
  const speaker = new StandaloneSpeaker(configuration, isRestart, {
    ...{ file, version, log, host: hostname(), clock: systemClock },
    load: () => loadConfiguration(file),
    createSpeaker: (settings) =>
      createSpeaker(settings, {
        ...{ clock: systemClock, random: systemRandom, log: birdLog },
        // What it does now no rehearsal does better.
        peerUp: () => endRehearsal?.(),
      }),
    onLogLevel: (level) => void (threshold.level = level),
    onListening: () => {
      mark.set();
      log.info({ file, version, isRestart }, 'calico-node-ts speaker listens');
    },
    onFatal: (error) => ended.reject(error),
    onStopped: () => ended.resolve('shutdown'),
  });
  const api = await startApi(
    { socketPath, socketMode, setBy: 'socket' },
    [...bgpRoutes(speaker), ...noNodeRoutes(NO_NODE)],
    log,
  );
  const rest = restHeap(systemClock, { mostMegabytes: REST_MEGABYTES, giveBack: giveBackMemory });
  try {
    onSignals({ speaker, end: (how) => ended.resolve(how) });
    speaker.start();
    endRehearsal = rehearsal(configuration, () => rest?.giveBackSoon());
    const how = await ended.promise;
    if (how === 'shutdown') mark.remove();
    await speaker.close(how === 'restart' ? { kind: 'restart' } : { kind: 'shutdown', message: 'speaker stopped' });
    return 0;
  } finally {
    endRehearsal?.();
    rest?.close();
    await speaker.close({ kind: 'restart' });
    await api.close();
    log.info({ file }, 'calico-node-ts speaker ended');
  }
}

/** Begins one in the background; answers how to end it before its time, which `endedEarly` hears of. */
function rehearsal({ settings, peers, dynamicPeers }: SpeakerConfiguration, endedEarly: () => void): () => void {
  const like = { settings, peers: [...peers, ...dynamicPeers.map(({ template }) => template)] };
  const compileAsUsual = compileSooner();
  const world = { clock: systemClock, random: systemRandom, log: createUnreadLogger() };
  let isOver = false;
  const end = rehearse(like, world, () => {
    isOver = true;
    compileAsUsual();
    giveBackMemory();
  });
  return () => {
    if (isOver) return;
    isOver = true;
    end();
    compileAsUsual();
    endedEarly();
  };
}

interface Signalled {
  readonly speaker: StandaloneSpeaker;
  readonly end: (how: 'restart' | 'shutdown') => void;
}

/** A second SIGTERM or SIGINT ends the process at once. */
function onSignals({ speaker, end }: Signalled): void {
  process.on('SIGHUP', () => speaker.reload());
  process.once('SIGTERM', () => end(speaker.isRestartable ? 'restart' : 'shutdown'));
  process.once('SIGINT', () => end('shutdown'));
}
