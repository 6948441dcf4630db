import * as z from 'zod';
import { addressOrNetwork, distinct, fields, plainSelector, resourceName, wholeNumber } from './fields.ts';
import { caseless, choice, duration, ENABLED, words } from './felix-values.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { labels } from './metadata.ts';
import { once } from './once.ts';

/** How Calico's controllers in Kubernetes run, which this project has not: it is checked and kept for them. */

const OWNER = 'KubeControllersConfiguration.spec';

const controller = (name: string) =>
  fields(`${OWNER}.controllers.${name}`, { reconcilerPeriod: duration('5m0s') }).exactOptional();

const hostEndpoint = once(() =>
  fields(`${OWNER}.controllers.node.hostEndpoint`, {
    autoCreate: choice(ENABLED, 'Disabled'),
    createDefaultHostEndpoint: choice(ENABLED),
    templates: z
      .array(
        fields(`${OWNER}.controllers.node.hostEndpoint.templates`, {
          generateName: resourceName.exactOptional(),
          interfaceCIDRs: distinct(addressOrNetwork).exactOptional(),
          interfacePattern: words(),
          labels: labels.exactOptional(),
          nodeSelector: plainSelector.exactOptional(),
        }),
      )
      .exactOptional(),
  }),
);

const controllers = once(() =>
  fields(`${OWNER}.controllers`, {
    node: fields(`${OWNER}.controllers.node`, {
      reconcilerPeriod: duration('5m0s'),
      syncLabels: choice(ENABLED, 'Enabled', "whether a Node gets the labels of Kubernetes' node"),
      hostEndpoint: hostEndpoint().exactOptional(),
      leakGracePeriod: duration('15m0s', 'how long an address may belong to nobody before it is released; 0: for ever'),
    }).exactOptional(),
    policy: controller('policy'),
    workloadEndpoint: controller('workloadEndpoint'),
    serviceAccount: controller('serviceAccount'),
    namespace: controller('namespace'),
    loadBalancer: fields(`${OWNER}.controllers.loadBalancer`, {
      assignIPs: choice(['AllServices', 'RequestedServicesOnly'], 'AllServices'),
    }).exactOptional(),
    policyMigration: fields(`${OWNER}.controllers.policyMigration`, {
      enabled: choice(ENABLED, 'Enabled'),
    }).exactOptional(),
  }),
);

const spec = once(() =>
  fields(OWNER, {
    logSeverityScreen: choice(['None', 'Debug', 'Info', 'Warning', 'Error', 'Fatal', 'Panic'], 'Info'),
    healthChecks: caseless(ENABLED)
      .meta({ enum: [...ENABLED] })
      .default('Enabled'),
    etcdV3CompactionPeriod: duration('10m0s', '0: never'),
    prometheusMetricsPort: wholeNumber(0, 65_535).meta({ absent: 9094, description: '0: none' }).exactOptional(),
    debugProfilePort: wholeNumber(0, 65_535).exactOptional(),
    controllers: controllers().default({}).describe('one that is absent does not run'),
  }),
);

const schema = once(() => envelope('KubeControllersConfiguration', false, spec()));

export type KubeControllersConfiguration = z.output<ReturnType<typeof schema>>;

export const kubeControllersConfiguration: KindSpec<KubeControllersConfiguration> = {
  kind: 'KubeControllersConfiguration',
  plural: 'kubecontrollersconfigurations',
  aliases: ['kubecontrollersconfig', 'kubecontrollersconfigs'],
  namespaced: false,
  schema,
  inert: true,
  columns: [nameColumn],
  wideColumns: [nameColumn],
};
