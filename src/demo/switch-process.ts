/**
 * A switch played by our own speaker and dataplane, where BIRD and FRR are not to be had: a process of its own in the
 * switch's namespace, started as `switch-process.ts NAME SOCKET`. It ends with the cluster.
 */
import { createSpeaker } from '../../bird/index.ts';
import type { Speaker } from '../../bird/index.ts';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import { routeReport } from '../agent/status.ts';
import { bgpRoutes } from '../api/bgp-routes.ts';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { NodeStatus } from '../api/contract.ts';
import { nodeRoutes } from '../api/node-routes.ts';
import type { NodeApi } from '../api/node-routes.ts';
import { startApi } from '../api/server.ts';
import { parseInterfaceAddress } from '../model/ip.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import { BgpAnswers } from '../speaker/bgp-answers.ts';
import { peerStatus } from '../speaker/bgp-status.ts';
import { planSwitch } from './switch-plan.ts';
import { buildTopology, SWITCHES } from './topology.ts';
import type { DemoSwitch } from './topology.ts';

const DATAPLANE = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

interface RunningSwitch {
  readonly tor: DemoSwitch;
  readonly speaker: Speaker;
  readonly dataplane: Dataplane;
}

async function main([name = '', socketPath = '', etcd]: readonly string[]): Promise<void> {
  const tor = SWITCHES.find((one) => one.name === name);
  if (tor === undefined)
    throw new Error(`switch = '${name}': is none of ${SWITCHES.map((one) => one.name).join(', ')}`);
  const log = createLogger('info');
  const ports = { clock: systemClock, random: systemRandom };
  const kernel = createLinuxKernel();
  const dataplane = createDataplane(DATAPLANE, { ...ports, kernel, log: log.child({ component: 'felix' }) });
  await dataplane.start();
  const plan = planSwitch(tor, buildTopology({ etcd: etcd === 'etcd' }));
  const speaker = createSpeaker(plan.speaker, { ...ports, log: log.child({ component: 'bird' }) });
  const program = (): void => programLearned({ tor, speaker, dataplane });
  speaker.onRoutesChange(program);
  await speaker.start();
  speaker.setOriginated(plan.originated);
  speaker.setPeers(plan.peers);
  program();
  const api = switchApi({ tor, speaker, dataplane });
  const settings = { socketPath, socketMode: 0o666, setBy: 'socket' };
  await startApi(settings, [...bgpRoutes(api), ...nodeRoutes(api)], log);
}

/** A switch has no pools and no pods: all its routes are what it learned. */
function programLearned({ tor, speaker, dataplane }: RunningSwitch): void {
  dataplane.update({
    local: { name: tor.name, address: parseInterfaceAddress(`${tor.address}/24`) },
    ...{ nodes: [], pools: [], localBlocks: [], endpoints: [] },
    learned: speaker.learnedRoutes(),
    learnedComplete: speaker.isConverged(),
  });
}

/** The same questions as to an agent, so that the same CLI looks at it; it takes no pods. */
function switchApi({ tor, speaker, dataplane }: RunningSwitch): BgpApi & NodeApi {
  const startedAt = new Date().toISOString();
  const refuse = (): Promise<never> => Promise.reject(new Error(`${tor.name} is a switch and has no pods`));
  return {
    status: (): NodeStatus => {
      const routes = dataplane.routes();
      const count = (state: string): number => routes.filter((route) => route.state === state).length;
      const { asn, address } = tor;
      const peers = speaker.peers().map(peerStatus);
      return {
        ...{ node: tor.name, version: 'demo', pid: process.pid, startedAt },
        bgp: { asn, bgpIdentifier: address, address, converged: speaker.isConverged(), peers },
        datastore: { type: 'none', inSync: true, revision: 0 },
        dataplane: { routes: routes.length, pending: count('pending'), failed: count('failed') },
      };
    },
    routes: () => dataplane.routes().map(routeReport),
    settings: () => [],
    bgp: new BgpAnswers({
      speaker: () => speaker,
      whyNoPeer: () => [`${tor.name} knows no such peer`],
      ownRoute: () => undefined,
      kernelRoute: () => undefined,
    }),
    addPod: refuse,
    removePod: refuse,
    stop: refuse,
    drain: refuse,
  };
}

await main(process.argv.slice(2));
