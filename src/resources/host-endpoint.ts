import * as z from 'zod';
import { parseIpAddress } from '../model/ip.ts';
import type { Fault } from './fields.ts';
import { checkedText, distinct, fields, obeys, resourceName } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';
import { endpointPort } from './traffic-fields.ts';

const spec = once(() =>
  fields('HostEndpoint.spec', {
    node: resourceName,
    interfaceName: z
      .string()
      .regex(/^(\*|[a-zA-Z0-9_.-]{0,15})$/, 'is not "*" or an interface name of at most 15 characters')
      .exactOptional()
      .describe('`*`: all of the host; absent: the one that has one of expectedIPs'),
    expectedIPs: distinct(checkedText((value) => parseIpAddress(value)))
      .exactOptional()
      .describe('what selectors mean by this endpoint'),
    profiles: distinct(resourceName).exactOptional().describe('in order, after all policies'),
    ports: z.array(endpointPort('HostEndpoint.spec.ports')).exactOptional().describe('names that rules use'),
  }).check(
    obeys(({ interfaceName = '', expectedIPs = [] }): readonly Fault[] =>
      interfaceName !== '' || expectedIPs.length > 0
        ? []
        : [[['interfaceName'], 'is required where there are no expectedIPs']],
    ),
  ),
);

const schema = once(() => envelope('HostEndpoint', false, spec()));

export type HostEndpoint = z.output<ReturnType<typeof schema>>;

const node = { heading: 'NODE', value: ({ spec: own }: HostEndpoint) => own.node };

export const hostEndpoint: KindSpec<HostEndpoint> = {
  kind: 'HostEndpoint',
  plural: 'hostendpoints',
  aliases: ['hep', 'heps'],
  namespaced: false,
  schema,
  inert: true,
  columns: [nameColumn, node],
  wideColumns: [
    nameColumn,
    node,
    { heading: 'INTERFACE', value: ({ spec: own }) => own.interfaceName ?? '' },
    { heading: 'IPS', value: ({ spec: { expectedIPs = [] } }) => expectedIPs.join(',') },
    { heading: 'PROFILES', value: ({ spec: { profiles = [] } }) => profiles.join(',') },
  ],
};
