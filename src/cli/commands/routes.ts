import { Argument } from 'commander';
import type { Command } from 'commander';
import type { AdvertisementReport } from '../../api/bgp-contract.ts';
import type { PathReport, RouteReport } from '../../api/contract.ts';
import type { AgentClient } from '../../api/client.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { UsageError } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatTabs } from '../table.ts';

interface RoutesOptions extends AgentOptions {
  readonly output: string;
  readonly bgp?: boolean;
  readonly peer?: string;
}

interface Listing {
  readonly rows: readonly (readonly string[])[];
  readonly json: unknown;
}

const CHOICES = ['received', 'accepted', 'best', 'advertised'];

export function addRoutesCommand(program: Command, io: CliIo): void {
  addSocketOption(program.command('routes'))
    .description('the routes that this node programs, each with its reason; or one of the tables of BGP')
    .addArgument(
      new Argument(
        '[table]',
        'received: as peers told them; accepted: as import left them; best: selected; advertised: what peers are told',
      ).choices(CHOICES),
    )
    .option('--bgp', 'every path that BGP knows, and why it is best or not')
    .option('--peer <address>', 'of this peer alone')
    .addOption(outputOption())
    .action(async (table: string | undefined, options: RoutesOptions) => {
      const client = agentClient(options, io);
      const { rows, json } = await listing(client, table, options);
      io.stdout(options.output === 'json' ? formatJson(json) : formatTabs(rows));
    });
}

async function listing(client: AgentClient, table: string | undefined, options: RoutesOptions): Promise<Listing> {
  const { bgp = false, peer } = options;
  const query = new URLSearchParams(peer === undefined ? {} : { peer });
  if (table === 'advertised') {
    const told = await client.get<readonly AdvertisementReport[]>(`/v1/bgp/advertised?${query.toString()}`);
    return { rows: [ADVERTISED_HEADINGS, ...told.map(advertisedRow)], json: told };
  }
  if (table !== undefined || bgp) {
    query.set('which', table ?? 'all');
    const paths = await client.get<readonly PathReport[]>(`/v1/bgp/routes?${query.toString()}`);
    return { rows: [PATH_HEADINGS, ...paths.map(pathRow)], json: paths };
  }
  if (peer !== undefined) throw new UsageError('--peer needs a table: received, accepted, best or advertised');
  const routes = await client.get<readonly RouteReport[]>('/v1/routes');
  return { rows: [ROUTE_HEADINGS, ...routes.map(routeRow)], json: routes };
}

const ROUTE_HEADINGS = ['PREFIX', 'TARGET', 'STATE', 'REASON'];

const routeRow = ({ prefix, target, state, reason, error, fight }: RouteReport): readonly string[] => [
  prefix,
  target,
  state,
  [reason, error, fight].filter((text) => text !== undefined).join('; '),
];

const PATH_HEADINGS = ['PREFIX', 'BEST', 'NEXTHOP', 'ASPATH', 'LOCPREF', 'MED', 'FROM', 'REASON'];

const pathRow = (path: PathReport): readonly string[] => [
  path.pathId === undefined ? path.prefix : `${path.prefix} path ${path.pathId}`,
  path.best ? '*' : '',
  path.nextHop ?? '-',
  path.asPath === '' ? '-' : path.asPath,
  String(path.localPref ?? '-'),
  String(path.med ?? '-'),
  path.from,
  path.stale ? `${path.reason}; stale, its peer is restarting` : path.reason,
];

const ADVERTISED_HEADINGS = ['PREFIX', 'TO', 'STATE', 'NEXTHOP', 'ASPATH', 'LOCPREF', 'MED', 'FROM'];

const advertisedRow = ({ prefix, pathId, to, outcome, attributes, from }: AdvertisementReport): readonly string[] => [
  pathId === undefined ? prefix : `${prefix} path ${pathId}`,
  to,
  outcome,
  attributes?.nextHop ?? '-',
  attributes === undefined || attributes.asPath === '' ? '-' : attributes.asPath,
  String(attributes?.localPref ?? '-'),
  String(attributes?.med ?? '-'),
  from,
];
