import type { z } from 'zod';
import { matchesSelector, parseSelector } from '../model/selector.ts';
import type { Labels } from '../model/selector.ts';
import { bpfFields } from './felix-bpf-fields.ts';
import {
  formerFields,
  healthFields,
  interfaceFields,
  logFields,
  natFields,
  policyFields,
  processFields,
  reportFields,
  routeFields,
  tunnelFields,
} from './felix-fields.ts';
import type { Fault } from './fields.ts';
import { fields, obeys, plainSelector } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

const spec = once(() =>
  fields('FelixConfiguration.spec', {
    nodeSelector: plainSelector.exactOptional().describe('which nodes; not in `default` and `node.<name>`'),
    ...routeFields(),
    ...interfaceFields(),
    ...tunnelFields(),
    ...natFields(),
    ...healthFields(),
    ...logFields(),
    ...policyFields(),
    ...reportFields(),
    ...processFields(),
    ...bpfFields(),
    ...formerFields(),
  }),
);

type Spec = z.output<ReturnType<typeof spec>>;

const MAX_TABLES = 65_535;

function tableFaults({ routeTableRange, routeTableRanges = [] }: Spec): readonly Fault[] {
  const reversed = 'is before min';
  const all = routeTableRanges.reduce((sum, { min, max }) => sum + max - min + 1, 0);
  return [
    ...(routeTableRange !== undefined && routeTableRanges.length > 0
      ? [[['routeTableRange'], 'cannot be set beside routeTableRanges'] as const]
      : []),
    ...(routeTableRange !== undefined && routeTableRange.min > routeTableRange.max
      ? [[['routeTableRange', 'max'], reversed] as const]
      : []),
    ...routeTableRanges.flatMap(({ min, max }, i) =>
      min > max ? [[['routeTableRanges', i, 'max'], reversed] as const] : [],
    ),
    ...(all > MAX_TABLES ? [[['routeTableRanges'], `are ${all} tables, more than ${MAX_TABLES}`] as const] : []),
  ];
}

const DEFAULT = 'default';
const ofNode = (name: string): string => `node.${name}`;

/** `default`, `node.<name>`, or of any other name for the nodes that nodeSelector selects. */
const schema = once(() =>
  envelope('FelixConfiguration', false, spec()).check(
    obeys(({ metadata: { name }, spec: value }): readonly Fault[] => [
      ...tableFaults(value).map(([path, reason]): Fault => [['spec', ...path], reason]),
      ...(value.nodeSelector !== undefined && (name === DEFAULT || name.startsWith('node.'))
        ? [[['spec', 'nodeSelector'], `cannot be set in ${name}, whose nodes its name says`] as const]
        : []),
    ]),
  ),
);

export type FelixConfiguration = z.output<ReturnType<typeof schema>>;

export const felixConfiguration: KindSpec<FelixConfiguration> = {
  kind: 'FelixConfiguration',
  plural: 'felixconfigurations',
  aliases: ['felixconfig', 'felixconfigs'],
  namespaced: false,
  schema,
  columns: [nameColumn],
  wideColumns: [nameColumn],
};

/**
 * Those that one node goes by, the strongest first: its own, the one that selects it, the cluster's. Where several select it
 * Calico takes the oldest, so that a new one disturbs nothing.
 */
export function felixConfigurationsOf(
  node: { readonly name: string; readonly labels?: Labels },
  configurations: ReadonlyMap<string, FelixConfiguration>,
): readonly FelixConfiguration[] {
  const own = configurations.get(ofNode(node.name));
  const selecting = [...configurations.values()]
    .filter(({ spec: { nodeSelector } }) => nodeSelector !== undefined)
    .filter(({ spec: { nodeSelector = '' } }) => matchesSelector(parseSelector(nodeSelector), node.labels ?? {}))
    .toSorted((a, b) => compareTexts(age(a), age(b)) || compareTexts(a.metadata.name, b.metadata.name));
  return [own, selecting[0], configurations.get(DEFAULT)].filter((each) => each !== undefined);
}

/** RFC 3339 in UTC sorts as text. */
const age = ({ metadata }: FelixConfiguration): string => metadata.creationTimestamp ?? '';

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
