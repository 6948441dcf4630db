/** A plan as people read it: the summary first, then what to beware of, then node by node. Pure. */
import type { NodeGroup, PeerRow, PlanReport, PlanSummary, RouteExample, RouteRow } from '../plan/report.ts';

/** So many peers, routes or nodes of one row are named. */
const MAX_NAMED = 4;

export function formatPlan(report: PlanReport): string {
  const { summary, resources, warnings, cluster, groups, unknown } = report;
  const parts: readonly (readonly string[])[] = [
    [summaryText(summary)],
    section('Resources', shortened(resources, 20)),
    section('Warnings', warnings),
    section('Every node', cluster),
    ...groups.map(groupLines),
    section('Not known from here', summary.changedNodes === 0 ? [] : unknown),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function summaryText({ nodes, changedNodes, sessions, routes }: PlanSummary): string {
  if (changedNodes === 0) return `None of ${count(nodes, 'node')} changes: no session, no route.`;
  const sessionParts = parts([
    [sessions.come, 'come', 'comes'],
    [sessions.go, 'go', 'goes'],
    [sessions.reset, 'are reset', 'is reset'],
    [sessions.change, 'go on with other settings', 'goes on with other settings'],
  ]);
  const routeParts = parts([
    [routes.come, 'come', 'comes'],
    [routes.go, 'go', 'goes'],
    [routes.changeWay, 'change their way', 'changes its way'],
  ]);
  return [
    `${grouped(changedNodes)} of ${count(nodes, 'node')} ${changedNodes === 1 ? 'changes' : 'change'}.`,
    `Sessions: ${sessionParts || 'none changes'}.`,
    `Routes: ${routeParts === '' ? '' : `${routeParts}; `}${grouped(routes.lost)} ${routes.lost === 1 ? 'is' : 'are'} lost.`,
  ].join('\n');
}

const parts = (words: readonly (readonly [number, string, string])[]): string =>
  words
    .filter(([n]) => n > 0)
    .map(([n, many, one]) => `${grouped(n)} ${n === 1 ? one : many}`)
    .join(', ');

/** 19,980 */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
const count = (n: number, noun: string): string => `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

function shortened(lines: readonly string[], limit: number): readonly string[] {
  return lines.length <= limit ? lines : [...lines.slice(0, limit), `and ${grouped(lines.length - limit)} more`];
}

function groupLines({ nodes, node, peers, routes }: NodeGroup): readonly string[] {
  const isOne = nodes.length === 1;
  const title = isOne ? `Node ${nodes[0]!}` : `${count(nodes.length, 'node')} alike: ${namesText(nodes)}`;
  const shown =
    isOne || peers.length + routes.length === 0 ? [] : [`(peers and routes of ${nodes[0]!}, the others' likewise)`];
  return section(title, [...shown, ...node, ...peers.flatMap(peerLines), ...routes.flatMap(routeLines)]);
}

function namesText(names: readonly string[]): string {
  if (names.length <= MAX_NAMED) return names.join(', ');
  return `${names.slice(0, MAX_NAMED).join(', ')} and ${grouped(names.length - MAX_NAMED)} more`;
}

const SIGNS = { comes: '+', goes: '-', 'is reset': '!', changes: '~' } as const;
const PEER_WORDS = {
  comes: [],
  goes: [],
  'is reset': ['the session is reset'],
  changes: ['the session goes on'],
} as const;

function peerLines({ change, origin, type, asn, fields, count: all, peers }: PeerRow): readonly string[] {
  const named = peers.slice(0, MAX_NAMED).join(', ');
  const rest = all > MAX_NAMED ? ` and ${grouped(all - MAX_NAMED)} more` : '';
  const subject = `${all === 1 ? 'peer' : `${grouped(all)} peers`} ${named}${rest}`;
  const about = `${subject}, AS ${asn}, ${type}, ${origin}`;
  return [
    `${SIGNS[change]} ${[about, ...(fields.length === 0 ? [] : [fields.join(', ')]), ...PEER_WORDS[change]].join(': ')}`,
  ];
}

const ROUTE_SIGNS = { comes: '+', goes: '-', 'is lost': '!', 'changes way': '~' } as const;

/** One route on one line; of several the first below what they share. */
function routeLines(row: RouteRow): readonly string[] {
  const { change, count: all, remotes, examples } = row;
  const way = wayText(row);
  const sign = ROUTE_SIGNS[change];
  if (examples.length === all && all <= MAX_NAMED) return examples.map((each) => `${sign} ${exampleText(each, way)}`);
  return [
    `${sign} ${count(all, 'route')} to ${count(remotes, 'node')}: ${way}`,
    ...examples.slice(0, 2).map((each) => `    ${exampleText(each, way)}`),
    `    and ${grouped(all - 2)} more`,
  ];
}

/** `direct → tunl0`, `tunl0: is lost` */
function wayText({ change, from = '', to = '' }: RouteRow): string {
  if (change === 'changes way') return from === to ? `${to}, another next hop` : `${from} → ${to}`;
  return change === 'comes' ? to : `${from}: ${change}`;
}

const exampleText = ({ prefix, via, viaBefore, reason }: RouteExample, way: string): string =>
  `${prefix} via ${viaBefore === undefined ? '' : `${viaBefore} → `}${via}: ${way}, ${reason}`;
