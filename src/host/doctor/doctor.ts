/** `calicoctl-ts node doctor`: everything that is known to break pod routing on a host, each looked at. */
import type { HostReader } from '../reader.ts';
import { checkAgent } from './agent.ts';
import { checkBgpPort } from './bgp-port.ts';
import type { Finding } from './finding.ts';
import type { ClockFacts, HostFacts, HostLink } from './host-facts.ts';
import { checkNetworkManager } from './network-manager.ts';
import { checkNetworkd } from './networkd.ts';
import type { ProbingPorts } from './other-nodes.ts';
import { checkOtherNodes } from './other-nodes.ts';
import { ourLinks } from './our-links.ts';
import { checkNodeAddress, checkOwnMtu } from './own-address.ts';
import { checkClock, checkConntrack, checkForwarding, checkModules, checkReversePath } from './own-host.ts';

/** The host and the network as the doctor touches them; it changes neither. */
export interface DoctorPorts extends ProbingPorts {
  readonly reader: HostReader;
  links(): Promise<readonly HostLink[]>;
  /** Throws SystemError. */
  clock(): ClockFacts;
}

export interface DoctorQuestion extends Pick<HostFacts, 'cluster' | 'agent'> {
  /** Only these nodes are asked; absent: all, up to a limit. */
  readonly nodes?: readonly string[];
}

export async function examine(ports: DoctorPorts, { nodes, ...known }: DoctorQuestion): Promise<readonly Finding[]> {
  const facts: HostFacts = {
    ...{ reader: ports.reader, ...known },
    links: await ports.links(),
    clock: clockFacts(ports),
  };
  const ours = ourLinks(facts);
  return [
    ...checkAgent(facts),
    ...checkForwarding(facts),
    ...checkReversePath(facts),
    ...checkNodeAddress(facts),
    ...checkBgpPort(facts),
    ...checkModules(facts),
    ...checkOwnMtu(facts),
    ...checkNetworkManager(ports.reader, ours),
    ...checkNetworkd(ports.reader, ours),
    ...checkConntrack(facts),
    ...checkClock(facts),
    ...(await checkOtherNodes(ports, facts, nodes)),
  ];
}

function clockFacts(ports: DoctorPorts): HostFacts['clock'] {
  try {
    return ports.clock();
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}
