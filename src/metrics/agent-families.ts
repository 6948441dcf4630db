import { gauge, gauges } from './family.ts';
import type { Family } from './family.ts';

export const AGENT_FAMILIES: readonly Family[] = [
  gauges({
    name: 'calico_ts_build_info',
    help: 'Always 1: the version of the agent.',
    labels: ['version'],
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  }),
  gauges({
    name: 'felix_host',
    help: "Always 1: this node's name in the datastore.",
    labels: ['host'],
    read: ({ node }) => [{ labels: { host: node }, value: 1 }],
  }),
  gauges({
    name: 'calico_ts_live',
    help: '1 where the part of the agent is live; 0: a restart is the remedy. The parts are those of /liveness.',
    labels: ['part'],
    read: ({ health }) => health.reporters.map(({ name, live }) => ({ labels: { part: name }, value: Number(live) })),
  }),
  gauges({
    name: 'calico_ts_ready',
    help: '1 where the part of the agent is ready; 0: this node does not do its work yet, or not now.',
    labels: ['part'],
    read: ({ health }) => health.reporters.map(({ name, ready }) => ({ labels: { part: name }, value: Number(ready) })),
  }),
  gauge(
    'calico_ts_event_loop_lag_seconds',
    'How late the event loop came to its timer at worst, in the last 30 s.',
    ({ worstLagMs }) => worstLagMs / 1000,
  ),
  gauge(
    'calico_ts_unmet_wishes',
    'What resources ask of this node and do not get; calicoctl-ts node status has a sentence for each.',
    ({ agent }) => agent?.unmet,
  ),
  gauge(
    'calico_ts_setting_problems',
    'What settings say and is not in force; calicoctl-ts node status has a sentence for each.',
    ({ agent }) => agent?.settingProblems,
  ),
];
