import type { Command } from 'commander';
import { clusterNode, listenPort } from '../../agent/cluster-view.ts';
import { AgentError } from '../../api/client.ts';
import type { NodeStatus, SpeakerStatus } from '../../api/contract.ts';
import type { Finding } from '../../host/doctor/finding.ts';
import { examine } from '../../host/doctor/doctor.ts';
import type { ClusterFacts } from '../../host/doctor/host-facts.ts';
import { parsePrefix } from '../../model/ip.ts';
import type { IpPool, ResourceClient } from '../../resources/index.ts';
import type { AgentOptions } from '../agent-option.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { formatFindings, tally } from '../findings.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { withResources } from '../session.ts';

interface Options extends AgentOptions {
  readonly nodes?: readonly string[];
  readonly output: string;
}

export function addDoctorCommand(node: Command, io: CliIo): void {
  addSocketOption(node.command('doctor'))
    .description(
      'looks for what breaks pod routing on this host and towards the other nodes: what, why it hurts, what to do; changes nothing',
    )
    .option('--nodes <names...>', 'ask only these nodes with packets (default: all, up to 100)')
    .addOption(outputOption())
    .action((options: Options) => doctor(options, io));
}

async function doctor(options: Options, io: CliIo): Promise<void> {
  const { nodes } = options;
  const agent = await agentClient(options, io)
    .get<NodeStatus | SpeakerStatus>('/v1/status')
    .catch((error: unknown) => ({
      absent: (error as Error).message,
      mayBeThere: !(error instanceof AgentError && error.isAbsent),
    }));
  const cluster = await clusterFacts('absent' in agent ? await io.nodeName() : agent.node, io);
  const findings = await examine(await io.doctor(), { cluster, agent, ...(nodes !== undefined && { nodes }) });
  io.stdout(options.output === 'json' ? formatJson(asJson(findings)) : formatFindings(findings));
  // What was found is said; the exit code alone is left to tell.
  if (tally(findings).problem > 0) throw new CommandError('');
}

const asJson = (findings: readonly Finding[]): object => ({ ...tally(findings), findings });

async function clusterFacts(name: string, io: CliIo): Promise<ClusterFacts | { readonly unknown: string }> {
  try {
    return await withResources(io, (client) => readCluster(name, client));
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

async function readCluster(name: string, client: ResourceClient): Promise<ClusterFacts> {
  const nodes = (await client.list('Node')).map(clusterNode).filter((node) => node !== undefined);
  const self = nodes.find((node) => node.name === name);
  return {
    ...(self && { self }),
    others: nodes.filter((node) => node !== self),
    pools: (await client.list('IPPool')).map(poolOf),
    bgp: await readBgp(name, client),
  };
}

const poolOf = ({ metadata: { name }, spec }: IpPool): ClusterFacts['pools'][number] => ({
  ...{ name, cidr: parsePrefix(spec.cidr), ipipMode: spec.ipipMode, vxlanMode: spec.vxlanMode },
  natOutgoing: spec.natOutgoing,
});

async function readBgp(self: string, client: ResourceClient): Promise<ClusterFacts['bgp']> {
  const configurations = await client.list('BGPConfiguration');
  const peers = await client.list('BGPPeer');
  const byName = new Map(configurations.map((each) => [each.metadata.name, each]));
  const shared = byName.get('default')?.spec;
  return {
    hasMesh: shared?.nodeToNodeMeshEnabled !== false,
    hasPasswords: shared?.nodeMeshPassword !== undefined || peers.some(({ spec }) => spec.password !== undefined),
    portOf: (node) => listenPort(node ?? self, byName),
  };
}
