import { join } from 'node:path';
import { createSpeaker } from '../../bird/index.ts';
import type { SpeakerSettings } from '../../bird/index.ts';
import { createDataplane, createLinuxKernel, createLinuxNftables, recordingKernel } from '../../felix/index.ts';
import type { Dataplane, Kernel, LinuxKernelOptions } from '../../felix/index.ts';
import { bgpRoutes } from '../api/bgp-routes.ts';
import { cniRoute } from '../api/cni-route.ts';
import { nodeRoutes } from '../api/node-routes.ts';
import { startApi } from '../api/server.ts';
import type { ApiSettings } from '../api/server.ts';
import type { InstallReport } from '../cni/install/install.ts';
import type { AgentSettings, RuntimeSettings } from '../config/settings.ts';
import { SOCKET_NAME } from '../config/socket-name.ts';
import { openStore } from '../datastore/open.ts';
import type { Store } from '../datastore/store.ts';
import { UnavailableError } from '../datastore/store.ts';
import { HostRecordFile, recordPath } from '../host/record-file.ts';
import { createResourceClient } from '../resources/index.ts';
import type { ResourceClient } from '../resources/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { giveBackMemory } from '../linux/give-back.ts';
import { keepHeapSmall, letHeapGrow, restHeap } from '../runtime/heap-rest.ts';
import type { Logger, LogThreshold } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import type { ChosenAddress } from './address-choice.ts';
import { AddressWatch } from './address-watch.ts';
import { Agent } from './agent.ts';
import { AgentHealth } from './agent-health.ts';
import { AgentMetrics } from './agent-metrics.ts';
import { listenPlaces } from './cluster-view.ts';
import { CniFiles } from './cni-files.ts';
import { whenUnlocked } from './datastore-lock.ts';
import { nodeName, rememberNodeName } from './identity.ts';
import { checkPortsAreFree, hasInterface, hostHasIpv6 } from './reach.ts';
import { refreshAddresses, registerNode } from './registration.ts';
import { TcpAnswers } from './tcp-answers.ts';

export interface RunPorts {
  readonly log: Logger;
  readonly version: string;
  /** Puts the CNI plugin's files in place; absent: somebody else does. */
  readonly installCni?: () => InstallReport;
  /** Where the agent meets the world; a test puts its own around them. */
  readonly around?: {
    readonly kernel: (kernel: Kernel) => Kernel;
    readonly store: (store: Store) => Store;
  };
}

const RETRY_MS = 1000;
/** An agent among a thousand nodes has 80 MB of heap at the end of its start: 0.2 s, once, in which its peers wait; BFD does not. */
const REST_MEGABYTES = 96;

/**
 * Runs the agent until it is told to end, and returns the exit code. SIGTERM and SIGINT end it as for a restart:
 * sessions close without a NOTIFICATION and peers keep our routes. Throws one sentence where it cannot start, and leaves
 * nothing open then.
 */
export async function runAgent(settings: AgentSettings, ports: RunPorts): Promise<number> {
  const { log: origin, version, around } = ports;
  const openKernel = (options?: LinuxKernelOptions): Kernel => {
    const kernel = createLinuxKernel(options);
    return around?.kernel(kernel) ?? kernel;
  };
  const threshold: LogThreshold = { level: settings.logThreshold };
  const root = origin.child({}, threshold);
  const log = root.child({ component: 'agent' });
  const node = nodeName(settings.nodeName, settings.nodeNameFile);
  const opened: (() => Promise<void> | void)[] = [];
  try {
    const dataplane = createDataplane(settings.felix, {
      kernel: recordingKernel(openKernel(), hostRecord(settings.nodeNameFile, log)),
      openNamespace: (netns) => openKernel({ netns }),
      nftables: createLinuxNftables(),
      clock: systemClock,
      random: systemRandom,
      log: root.child({ component: 'felix' }),
    });
    opened.push(() => dataplane.close());
    await dataplane.start();
    const health = new AgentHealth({ clock: systemClock, dataplane, asBirdReady: settings.birdReady });
    health.start();
    opened.push(() => health.close());
    const metrics = new AgentMetrics({ node, version, clock: systemClock, dataplane, health });
    const answers = new TcpAnswers({ report: () => health.report(), metrics, clock: systemClock, log });
    opened.push(() => answers.close());
    await answers.open(settings);
    const datastore = await openDatastore(settings, log);
    const store = around?.store(datastore) ?? datastore;
    opened.push(() => store.close());
    const { agent, ended } = createAgent(settings, {
      ...{ node, version, store, dataplane, health, root },
      settingProblems: () => answers.problems(),
      onRuntimeSettings: (now) => {
        threshold.level = now.logThreshold;
        answers.change(now);
      },
    });
    metrics.attend(() => agent.knowledge());
    opened.push(() => agent.close({ kind: 'restart' }));
    const api = await startApi(
      apiSettings(settings),
      [...bgpRoutes(agent), ...nodeRoutes(agent), cniRoute(agent)],
      root.child({ component: 'api' }),
    );
    opened.push(() => api.close());
    rememberNodeName(node, settings.nodeNameFile);
    // A signal ends the wait for a datastore, too.
    const registration = await Promise.race([
      registered(node, settings, { store, dataplane, log, onWaiting: (isWaiting) => agent.waitForUnlock(isWaiting) }),
      ended,
    ]);
    if (typeof registration === 'number') return registration;
    agent.start(registration);
    const watch = watchAddresses(agent, registration, { node, settings, store, dataplane, log });
    opened.push(() => watch?.close());
    // Only now: with the configuration the runtime takes the node for ready.
    const files = keepCniFiles(ports.installCni, log);
    opened.push(() => files?.close());
    opened.push(restWhenQuiet(dataplane));
    log.info({ node, version, adopted: dataplane.adoptedRoutes() }, 'calico-node-ts started');
    return await ended;
  } finally {
    for (const close of opened.reverse()) await close();
    log.info({ node }, 'calico-node-ts ended; routes stay');
  }
}

/** Gives the way to stop it. An agent with a full table is no small process any more, and may be as fast as any. */
function restWhenQuiet(dataplane: Pick<Dataplane, 'onChange'>): () => void {
  const rest = restHeap(systemClock, {
    ...{ mostMegabytes: REST_MEGABYTES, giveBack: giveBackMemory },
    onSize: (isLarge) => (isLarge ? letHeapGrow() : keepHeapSmall()),
  });
  const forget = dataplane.onChange(() => rest?.worked());
  return () => {
    forget();
    rest?.close();
  };
}

const apiSettings = ({ runDirectory, socketMode }: AgentSettings): ApiSettings => ({
  ...{ socketPath: join(runDirectory, SOCKET_NAME), socketMode, setBy: 'CALICO_RUN_DIR' },
});

function keepCniFiles(install: RunPorts['installCni'], log: Logger): CniFiles | undefined {
  if (install === undefined) return undefined;
  const files = new CniFiles(install, { clock: systemClock, log });
  files.start();
  return files;
}

interface WatchParts {
  readonly node: string;
  readonly settings: AgentSettings;
  readonly store: Store;
  readonly dataplane: Dataplane;
  readonly log: Logger;
}

/** Undefined where no address is detected: what was given by hand stays. */
function watchAddresses(
  agent: Agent,
  found: readonly ChosenAddress[],
  { node, settings, store, dataplane, log }: WatchParts,
): AddressWatch | undefined {
  if (![settings.ip, settings.ip6].some(({ kind }) => kind === 'autodetect')) return undefined;
  const resources = createResourceClient(store);
  return new AddressWatch(found, {
    clock: systemClock,
    log,
    pollSeconds: settings.detectionPollSeconds,
    refresh: () => refreshAddresses(node, settings, { resources, interfaces: () => dataplane.interfaces(), log }),
    onAddresses: (addresses) => agent.setAddresses(addresses),
  });
}

const hostRecord = (nodeNameFile: string, log: Logger): HostRecordFile =>
  new HostRecordFile(recordPath(nodeNameFile), (problem) => log.warn({ problem }, 'the host record begins anew'));

interface AgentParts {
  readonly node: string;
  readonly version: string;
  readonly store: Store;
  readonly dataplane: Dataplane;
  readonly health: AgentHealth;
  readonly root: Logger;
  readonly settingProblems: () => readonly string[];
  readonly onRuntimeSettings: (settings: RuntimeSettings) => void;
}

/** The agent, at rest, and the promise of its end: by signal, by `node stop`, or by an error that it cannot survive. */
function createAgent(
  settings: AgentSettings,
  parts: AgentParts,
): { readonly agent: Agent; readonly ended: Promise<number> } {
  const { root, ...given } = parts;
  const birdThreshold: LogThreshold = { level: settings.logLevel ?? 'info' };
  const birdLog = root.child({ component: 'bird' }, birdThreshold);
  const ended = Promise.withResolvers<number>();
  // The end may come before anybody waits for it.
  ended.promise.catch(() => undefined);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.resolve(0));
  const agent = new Agent(settings, {
    ...given,
    hasIpv6: hostHasIpv6(),
    hasInterface,
    createSpeaker: (speaker) => createSpeaker(speaker, { clock: systemClock, random: systemRandom, log: birdLog }),
    onBgpLogLevel: (level) => {
      if (settings.logLevel === undefined) birdThreshold.level = level;
    },
    clock: systemClock,
    random: systemRandom,
    log: root.child({ component: 'agent' }),
    datastoreLog: root.child({ component: 'datastore' }),
    onFatal: (error) => ended.reject(error),
    onStopped: () => ended.resolve(0),
  });
  return { agent, ended: ended.promise };
}

async function openDatastore(settings: AgentSettings, log: Logger): Promise<Store> {
  return patiently(settings, log, async () => {
    const store = await openStore(settings.datastore);
    try {
      // Opening may be lazy: whether anybody answers shows at the first question.
      await store.get('/calico/ready');
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  });
}

interface Registration {
  readonly store: Store;
  readonly dataplane: Dataplane;
  readonly log: Logger;
  readonly onWaiting: (isWaiting: boolean) => void;
}

function registered(
  node: string,
  settings: AgentSettings,
  { store, dataplane, log, onWaiting }: Registration,
): Promise<readonly ChosenAddress[]> {
  const resources = createResourceClient(store);
  const ports = { resources, interfaces: () => dataplane.interfaces(), log };
  return patiently(settings, log, async () => {
    await whenUnlocked({ resources, clock: systemClock, log, onWaiting });
    await checkPortsAreFree(await expectedPlaces(node, resources));
    return registerNode(node, settings, ports);
  });
}

/** As far as is known before the node is registered: with bindMode NodeIP a new node's own addresses are not. */
async function expectedPlaces(node: string, resources: ResourceClient): Promise<SpeakerSettings['listen']> {
  const [configurations, nodes] = await Promise.all([
    resources.list('BGPConfiguration'),
    resources.list('Node', undefined, node),
  ]);
  const self = nodes.find(({ metadata }) => metadata.name === node) ?? { metadata: { name: node }, spec: {} };
  return listenPlaces(self, new Map(configurations.map((each) => [each.metadata.name, each])), hostHasIpv6());
}

/** With WAIT_FOR_DATASTORE an absent datastore is waited for; anything else that is wrong ends the start at once. */
async function patiently<T>(settings: AgentSettings, log: Logger, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!settings.waitForDatastore || !(error instanceof UnavailableError)) throw error;
      if (attempt === 0) log.warn({ error: error.message }, 'waiting for the datastore');
      await new Promise<void>((resolve) => void systemClock.after(RETRY_MS, resolve));
    }
  }
}
