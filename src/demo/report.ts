/** What the demo says at its end: one value, shown to people or to machines. */
import type { CheckResult } from './checks/index.ts';
import type { Layout } from './layout.ts';
import type { Datastore, Encapsulation, SwitchKind } from './options.ts';

export interface Report {
  readonly cluster: {
    readonly where: 'here' | 'vm';
    readonly encap: Encapsulation;
    /** Why this encapsulation and this place. */
    readonly reason: string;
    readonly datastore: Datastore;
    readonly switches: SwitchKind;
    /** Why not the real switches, where they are not. */
    readonly switchesReason?: string;
    readonly kernel: string;
  };
  readonly checks: readonly CheckResult[];
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

export function makeReport(cluster: Report['cluster'], checks: readonly CheckResult[], seconds: number): Report {
  const passed = checks.filter(({ ok }) => ok).length;
  return { cluster, checks, passed, failed: checks.length - passed, seconds };
}

/** One check as a paragraph. */
export function formatCheck({ ok, title, lines, seconds }: CheckResult, number: number): string {
  const head = `${ok ? '✓' : '✗'} ${number}. ${title} (${seconds} s)`;
  return `${[head, ...lines.map((line) => `     ${line}`)].join('\n')}\n`;
}

const ENCAPSULATION_NAMES = { ipip: 'IP-in-IP on tunl0', vxlan: 'VXLAN on vxlan.calico' } as const;

/** What was picked, before anything is raised. */
export function formatPick({ where, encap, reason, switches, switchesReason, kernel }: Report['cluster']): string {
  const place = where === 'vm' ? `in a VM (Linux ${kernel})` : `on this kernel (Linux ${kernel})`;
  const played =
    switches === 'real' ? [] : [`switches are played by our own speaker: ${switchesReason ?? '--switches own'}`];
  return `${[`between racks: ${ENCAPSULATION_NAMES[encap]}, ${place}: ${reason}`, ...played].join('\n')}\n`;
}

export const formatTotal = ({ passed, failed, seconds }: Report): string =>
  `${passed} passed, ${failed} failed in ${seconds} s\n`;

/** How to look around in a cluster that was kept. */
export function formatTour({ prefix, directory }: Layout, report: Report, podAddress: string): string {
  const ctl = 'node_modules/.bin/node dist/calicoctl-ts.mjs';
  const { datastore, switches } = report.cluster;
  const store =
    datastore === 'file'
      ? `DATASTORE_TYPE=file CALICO_FILE_DATASTORE=${directory}/datastore ${ctl}`
      : `ip netns exec ${prefix}etcd env DATASTORE_TYPE=etcdv3 ETCD_ENDPOINTS=http://172.30.8.10:2379 ${ctl}`;
  const looks = [
    ['sessions of a node', `CALICO_RUN_DIR=${directory}/node-a1 ${ctl} node status`],
    ['its routes, and why', `CALICO_RUN_DIR=${directory}/node-a1 ${ctl} routes`],
    ['the same by the kernel', `ip -n ${prefix}node-a1 route`],
    ['the cluster’s resources', `${store} get nodes -o wide`],
    ['a shell on a node', `ip netns exec ${prefix}node-a1 bash`],
    ['a pod pings', `ip netns exec ${prefix}pod-node-a1-1 ping ${podAddress}`],
    ...(switches === 'real'
      ? [
          ['tor-a, BIRD', `birdc -s ${directory}/tor-a/bird.ctl show protocols`],
          ['tor-b, FRR', `vtysh --vty_socket ${directory}/tor-b -c 'show bgp summary'`],
        ]
      : []),
    ['logs of an agent', `${directory}/node-a1/calico-node-ts.log`],
    ['the end', 'npm run demo -- --down'],
  ] as const;
  const width = Math.max(...looks.map(([what]) => what.length));
  return `The cluster is up.\n${looks.map(([what, how]) => `  ${what.padEnd(width)}  ${how}\n`).join('')}`;
}
