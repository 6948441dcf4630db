import { counter, counters, gauge, gauges } from './family.ts';
import type { Family, Sample } from './family.ts';
import type { Moment } from './moment.ts';
import { wallSeconds } from './moment.ts';

/** Of NAT, as the status says it. */
const NAT_STATES = ['in force', 'pending', 'failed', 'off'] as const;

const passes = ({ dataplane }: Moment): Moment['dataplane']['tally']['passes'] => dataplane.tally.passes;

const inState =
  (states: readonly string[]): ((moment: Moment) => number) =>
  ({ dataplane }) =>
    dataplane.tally.routes.filter(({ state }) => states.includes(state)).reduce((sum, { count }) => sum + count, 0);

const byKind = (counts: Readonly<Record<string, number>>): readonly Sample[] =>
  Object.entries(counts).map(([kind, value]) => ({ labels: { kind }, value }));

const ofTunnels =
  (read: (tunnel: Moment['dataplane']['tally']['tunnels'][number]) => number | boolean): Family['read'] =>
  ({ dataplane }) =>
    dataplane.tally.tunnels.map((tunnel) => ({ labels: { interface: tunnel.name }, value: Number(read(tunnel)) }));

const ROUTE_FAMILIES: readonly Family[] = [
  gauges({
    name: 'calico_ts_routes',
    help: 'Routes by class and state, as calicoctl-ts routes shows them; a class and state without routes is left out.',
    labels: ['class', 'state'],
    read: ({ dataplane }) =>
      dataplane.tally.routes.map(({ class: routeClass, state, count }) => ({
        labels: { class: routeClass, state },
        value: count,
      })),
  }),
  gauge('calico_ts_routes_pending', 'Routes that the next pass will write or remove.', inState(['pending'])),
  gauge(
    'calico_ts_routes_failed',
    'Routes that the kernel refused; they are tried again, up to 10 s apart.',
    inState(['failed']),
  ),
  gauge(
    'calico_ts_dataplane_reconciled',
    '1 once a pass over all that is wanted has read the kernel and ended.',
    ({ dataplane }) => dataplane.health.hasReconciled,
  ),
  gauge(
    'calico_ts_dataplane_unreadable',
    '1 where the last pass could not read the kernel.',
    ({ dataplane }) => dataplane.health.error !== undefined,
  ),
];

const PASS_FAMILIES: readonly Family[] = [
  counter('calico_ts_dataplane_passes_total', 'Passes over the kernel that ended.', (moment) => passes(moment).ended),
  counter(
    'calico_ts_dataplane_pass_seconds_total',
    'How long passes over the kernel took altogether.',
    (moment) => passes(moment).totalMs / 1000,
  ),
  counter(
    'calico_ts_dataplane_full_passes_total',
    'Passes that read all of the kernel again because it was time to: FELIX_ROUTEREFRESHINTERVAL.',
    (moment) => passes(moment).full,
  ),
  gauge(
    'calico_ts_dataplane_last_full_pass_timestamp_seconds',
    'When the last of these began, in seconds since 1970; absent before the first.',
    (moment) => {
      const { lastFullAt } = passes(moment);
      return lastFullAt === undefined ? undefined : wallSeconds(moment, lastFullAt);
    },
  ),
  counter(
    'felix_int_dataplane_failures',
    'Passes that could not read the kernel, or of which the kernel refused something that will be tried again.',
    (moment) => passes(moment).failed,
  ),
];

const OTHERS_FAMILIES: readonly Family[] = [
  counters({
    name: 'calico_ts_repairs_total',
    help: 'What others had undone in the kernel and was put right, by kind.',
    labels: ['kind'],
    read: ({ dataplane }) => byKind(dataplane.repairs.counts),
  }),
  gauges({
    name: 'calico_ts_fights',
    help: 'Objects that somebody undoes again and again, by kind; calicoctl-ts node status says who.',
    labels: ['kind'],
    read: ({ dataplane: { repairs } }) =>
      byKind(
        Object.fromEntries(
          Object.keys(repairs.counts).map((kind) => [
            kind,
            repairs.fights.filter((fight) => fight.kind === kind).length,
          ]),
        ),
      ),
  }),
  gauges({
    name: 'calico_ts_tunnel_up',
    help: '1 while the tunnel is switched on, of those that this host has.',
    labels: ['interface'],
    read: ofTunnels(({ up }) => up),
  }),
  gauges({
    name: 'calico_ts_tunnel_mtu_bytes',
    help: 'MTU of the tunnel.',
    labels: ['interface'],
    read: ofTunnels(({ mtu }) => mtu),
  }),
  gauge(
    'calico_ts_workload_interfaces',
    'Interfaces of pods on this host.',
    ({ dataplane }) => dataplane.tally.workloadInterfaces,
  ),
  gauges({
    name: 'calico_ts_nat_rules',
    help: 'What asks for NAT, pools and tunnels, by state.',
    labels: ['state'],
    read: ({ dataplane }) =>
      NAT_STATES.map((state) => ({
        labels: { state },
        value: dataplane.nat.filter((each) => each.state === state).length,
      })),
  }),
];

export const DATAPLANE_FAMILIES: readonly Family[] = [...ROUTE_FAMILIES, ...PASS_FAMILIES, ...OTHERS_FAMILIES];
