import type { Command } from 'commander';
import type { PathReport, RouteReport } from '../../api/contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatTabs } from '../table.ts';

interface RoutesOptions extends AgentOptions {
  readonly output: string;
  readonly bgp?: boolean;
}

export function addRoutesCommand(program: Command, io: CliIo): void {
  addSocketOption(program.command('routes'))
    .description('the routes that this node programs, each with its reason')
    .option('--bgp', 'every path that BGP knows instead, and why it is best or not')
    .addOption(outputOption())
    .action(async (options: RoutesOptions) => {
      const client = agentClient(options, io);
      if (options.bgp === true) {
        const paths = await client.get<readonly PathReport[]>('/v1/bgp/routes');
        io.stdout(options.output === 'json' ? formatJson(paths) : formatTabs([PATH_HEADINGS, ...paths.map(pathRow)]));
        return;
      }
      const routes = await client.get<readonly RouteReport[]>('/v1/routes');
      io.stdout(options.output === 'json' ? formatJson(routes) : formatTabs([ROUTE_HEADINGS, ...routes.map(routeRow)]));
    });
}

const ROUTE_HEADINGS = ['PREFIX', 'TARGET', 'STATE', 'REASON'];

const routeRow = ({ prefix, target, state, reason, error }: RouteReport): readonly string[] => [
  prefix,
  target,
  state,
  error === undefined ? reason : `${reason}; ${error}`,
];

const PATH_HEADINGS = ['PREFIX', 'BEST', 'NEXTHOP', 'ASPATH', 'LOCPREF', 'MED', 'FROM', 'REASON'];

const pathRow = (path: PathReport): readonly string[] => [
  path.prefix,
  path.best ? '*' : '',
  path.nextHop ?? '-',
  path.asPath === '' ? '-' : path.asPath,
  String(path.localPref ?? '-'),
  String(path.med ?? '-'),
  path.from,
  path.stale ? `${path.reason}; stale, its peer is restarting` : path.reason,
];
