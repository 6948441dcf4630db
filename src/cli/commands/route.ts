import type { Command } from 'commander';
import type { RouteExplainReport } from '../../api/bgp-contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatRouteExplain } from '../bgp/route-explain.ts';

export function addRouteCommand(program: Command, io: CliIo): void {
  const route = program.command('route').description('asks about one route');
  addSocketOption(route.command('explain'))
    .argument('<prefix>', 'or an address: then the longest prefix that holds it')
    .description('who originated it, what became of each path and why, and which peer is told')
    .addOption(outputOption())
    .action(async (prefix: string, options: AgentOptions & { readonly output: string }) => {
      const query = new URLSearchParams({ prefix });
      const report = await agentClient(options, io).get<RouteExplainReport>(`/v1/bgp/explain?${query.toString()}`);
      io.stdout(options.output === 'json' ? formatJson(report) : formatRouteExplain(report));
    });
}
