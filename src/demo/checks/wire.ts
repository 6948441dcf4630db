import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCapture } from '../capture.ts';
import type { Packet } from '../capture.ts';
import type { Cluster } from '../cluster.ts';
import { onHost } from '../layout.ts';
import { mustRun, startRecorder } from '../process.ts';
import type { Pod } from '../pods.ts';
import { NODES, OFFICE, RACK_BRIDGE, SWITCHES } from '../topology.ts';
import { until } from '../wait.ts';
import type { Look } from '../wait.ts';
import type { Check, Finding } from './check.ts';

const PINGS = 3;
const VXLAN_VNI = 4096;

/** One pair of hosts whose pings must look on the wire as `expected` says. */
export interface Flow {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly expected: Packet['wrapping'];
  /** Addresses of the two tunnel ends, in the order of `from` and `to`. */
  readonly tunnel?: readonly [string, string];
}

/** Captured on tor-a: what crosses between the racks is wrapped, and nothing else is. */
export const wire: Check = {
  name: 'wire',
  title: 'on the wire: wrapped between the racks, plain within a rack and to the office',
  run: async (cluster) => {
    const { layout, signal } = cluster;
    const [a1, a2, b1] = ['node-a1', 'node-a2', 'node-b1'].map((node) =>
      cluster.pods.find((pod) => pod.node === node)!,
    );
    const uplink = await startCapture(cluster, SWITCHES[0].uplink);
    const rack = await startCapture(cluster, RACK_BRIDGE);
    await ping(cluster, a1!.host, b1!);
    await ping(cluster, a1!.host, a2!);
    await ping(cluster, OFFICE.name, a1!);
    await ping(cluster, OFFICE.name, b1!);
    const flows = expectedFlows(cluster, { a1: a1!.address, a2: a2!.address, b1: b1!.address });
    const judge = async (): Promise<readonly Finding[]> => {
      const packets = { uplink: await uplink.packets(), rack: await rack.packets() };
      return flows.map((flow) => judgeFlow(packets[flow.seenOn], flow));
    };
    const complete = async (): Promise<Look<true>> =>
      (await judge()).every(({ ok }) => ok) ? { value: true } : { missing: 'some packets' };
    // tcpdump may be behind; what it still lacks after that is a finding.
    await until(complete, { what: 'the captures', timeoutMs: 10_000, signal }).catch(() => undefined);
    await Promise.all([uplink.stop(), rack.stop()]);
    const judged = await judge();
    await rm(join(layout.directory, 'captures'), { recursive: true, force: true });
    return {
      ok: judged.every(({ ok }) => ok),
      lines: judged.flatMap(({ lines }) => lines),
      data: judged.map(({ data }) => data),
    };
  },
};

interface SeenFlow extends Flow {
  readonly seenOn: 'uplink' | 'rack';
}

function expectedFlows(
  { choice }: Cluster,
  { a1, a2, b1 }: { readonly a1: string; readonly a2: string; readonly b1: string },
): readonly SeenFlow[] {
  const address = (name: string): string => NODES.find((node) => node.name === name)!.address;
  const tunnel = [address('node-a1'), address('node-b1')] as const;
  const office = { from: OFFICE.address, expected: 'plain' } as const;
  return [
    { title: 'pod to pod between racks', seenOn: 'uplink', from: a1, to: b1, expected: choice.encap, tunnel },
    { title: 'pod to pod within a rack', seenOn: 'rack', from: a1, to: a2, expected: 'plain' },
    { ...office, title: 'office to a pod of rack A', seenOn: 'rack', to: a1 },
    { ...office, title: 'office to a pod of rack B', seenOn: 'uplink', to: b1 },
  ];
}

/** Pure: whether all packets of a flow, both ways, look as expected, and there are as many as were sent. */
export function judgeFlow(packets: readonly Packet[], flow: Flow): Finding {
  const { title, from, to, expected, tunnel } = flow;
  const carries = (packet: Packet, source: string, destination: string): boolean => {
    const header = packet.inner ?? packet;
    return header.source === source && header.destination === destination && packet.protocol === 1;
  };
  const forth = packets.filter((packet) => carries(packet, from, to));
  const back = packets.filter((packet) => carries(packet, to, from));
  const fits = (packet: Packet, [source, destination]: readonly [string, string]): boolean =>
    packet.wrapping === expected &&
    (tunnel === undefined || (packet.source === source && packet.destination === destination)) &&
    (packet.wrapping !== 'vxlan' || packet.vni === VXLAN_VNI);
  const [near, far] = tunnel ?? [from, to];
  const wrong = [...forth.filter((p) => !fits(p, [near, far])), ...back.filter((p) => !fits(p, [far, near]))];
  const ok = forth.length >= PINGS && back.length >= PINGS && wrong.length === 0;
  const shown = forth[0] === undefined ? 'no packet seen' : describe(forth[0]);
  const unexpected = wrong[0] === undefined ? [] : [`  unexpected: ${describe(wrong[0])}`];
  return {
    ok,
    lines: [
      `${title}: ${forth.length} there, ${back.length} back, ${wrong.length} unexpected; ${shown}`,
      ...unexpected,
    ],
    data: {
      title,
      from,
      to,
      expected,
      there: forth.length,
      back: back.length,
      unexpected: wrong.length,
      example: shown,
    },
  };
}

const NAMES = { plain: 'plain', ipip: 'IP protocol 4', vxlan: 'VXLAN, UDP 4789' } as const;

function describe({ source, destination, wrapping, inner, vni }: Packet): string {
  const outer = `${source} > ${destination}`;
  if (inner === undefined) return `${outer}, ${NAMES[wrapping]}`;
  const network = vni === undefined ? '' : `, VNI ${vni}`;
  return `${outer}, ${NAMES[wrapping]}${network} [${inner.source} > ${inner.destination}]`;
}

interface Capture {
  /** What was written so far. */
  packets(): Promise<readonly Packet[]>;
  stop(): Promise<unknown>;
}

/** Captures an interface of tor-a, each packet written at once. */
async function startCapture({ layout }: Cluster, interfaceName: string): Promise<Capture> {
  const directory = join(layout.directory, 'captures');
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${interfaceName}.pcap`);
  const options = ['-i', interfaceName, '--immediate-mode', '-U', '-s', '128', '-Z', 'root', '-w', file, 'ip'];
  const recorder = await startRecorder(onHost(layout, SWITCHES[0].name, ['tcpdump', ...options]), /listening on/);
  return { packets: async () => readCapture(await readFile(file)), stop: () => recorder.stop() };
}

const ping = ({ layout }: Cluster, from: string, to: Pod): Promise<string> =>
  mustRun(onHost(layout, from, ['ping', '-n', '-c', String(PINGS), '-i', '0.2', '-W', '5', to.address]));
