import type { AdvertisementReport, RouteExplainReport } from '../../api/bgp-contract.ts';

/** One prefix from its origin to those who are told, on one screen. */
export function formatRouteExplain(report: RouteExplainReport): string {
  const { asked, prefix, verdict, originator, own, kernel } = report;
  const around =
    asked === prefix || `${asked}/32` === prefix || `${asked}/128` === prefix ? '' : `, which holds ${asked}`;
  return [
    `${prefix}${around}: ${verdict}`,
    ...(originator === undefined ? [] : [`Originated by: ${originator}`]),
    ...(own === undefined ? [] : [`This node ${own}`]),
    ...section('Paths:', report.paths.flatMap(pathLines)),
    ...section(
      'Peers are told:',
      report.advertised.map((told) => advertisedLine(told, report)),
    ),
    ...(kernel === undefined ? [] : [`Kernel: ${kernelText(kernel)}`]),
    '',
  ].join('\n');
}

const kernelText = ({ prefix, target, state, reason, error }: NonNullable<RouteExplainReport['kernel']>): string =>
  `${prefix} ${target}, ${state}: ${reason}${error === undefined ? '' : `; ${error}`}`;

function pathLines(path: RouteExplainReport['paths'][number]): readonly string[] {
  const id = path.pathId === undefined ? '' : ` path ${path.pathId}`;
  const stale = path.stale ? '; stale: its peer is restarting' : '';
  return [
    `  ${path.best ? '*' : ' '} ${path.from}${id}: ${path.reason}${stale}`,
    `      ${attributesText(path)}`,
    ...(path.rule === undefined || path.reason.endsWith(path.rule) ? [] : [`      decided by ${path.rule}`]),
    ...(path.changes.length === 0 ? [] : [`      import changed: ${path.changes.join(', ')}`]),
  ];
}

/** Whose path it is goes without saying where only the best one is told. */
function advertisedLine(
  { to, from, outcome, reason, pathId, attributes }: AdvertisementReport,
  { paths }: RouteExplainReport,
): string {
  const id = pathId === undefined ? '' : ` path ${pathId}`;
  const isBest = paths.find(({ best }) => best)?.from === from;
  const whose = isBest && pathId === undefined ? '' : `, from ${from}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const what = attributes === undefined ? '' : ` (${attributesText(attributes)})`;
  return `  ${to}: ${outcome === 'kept back' ? 'not told' : outcome}${id}${whose}${why}${what}`;
}

interface Attributes {
  readonly nextHop?: string;
  readonly asPath: string;
  readonly origin: string;
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
}

const attributesText = ({ nextHop, asPath, origin, localPref, med, communities }: Attributes): string =>
  [
    `next hop ${nextHop ?? 'none'}`,
    `AS_PATH ${asPath === '' ? 'empty' : asPath}`,
    `origin ${origin}`,
    ...(localPref === undefined ? [] : [`LOCAL_PREF ${localPref}`]),
    ...(med === undefined ? [] : [`MED ${med}`]),
    ...(communities.length === 0 ? [] : [`communities ${communities.join(' ')}`]),
  ].join(', ');

const section = (heading: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [heading, ...lines];
