/** The shell of a cluster with one pool and one node, and the IPAM of its agents on the same store. */
import type { Json } from '../../../src/datastore/store.ts';
import { resourceKey } from '../../../src/datastore/keys.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { FakeShell } from '../../support/cli.ts';
import { hurriedClock } from '../../support/hurried-clock.ts';
import { pool } from '../../support/ipam.ts';

const API = 'projectcalico.org/v3';
const START = Date.UTC(2026, 0, 1);
export const pools = [pool('10.65.0.0/24', 30, 'main')];

export class IpamShell extends FakeShell {
  override now = START;
  readonly ipam: Ipam = createIpam(this.store, { clock: hurriedClock(() => this.now), random: () => 0 });

  /** Pool `main`, 10.65.0.0/24 in blocks of four, and node `n1`. */
  static async make(): Promise<IpamShell> {
    const shell = new IpamShell();
    await shell.put('IPPool', 'ippools', 'main', { cidr: '10.65.0.0/24', blockSize: 30 });
    await shell.put('Node', 'nodes', 'n1', { bgp: { ipv4Address: '172.30.1.11/24' } });
    return shell;
  }

  /** Unchecked, as somebody else wrote it. */
  async put(kind: string, plural: string, ...[name, spec, namespace]: readonly [string, Json, string?]): Promise<void> {
    const where = namespace === undefined ? {} : { namespace };
    const value = { apiVersion: API, kind, metadata: { name, ...where }, spec };
    await this.store.create(resourceKey({ plural, name, ...where }), value);
  }

  /** An address of a pod, with its endpoint or without. */
  async pod(name: string, node: string, { lives }: { readonly lives: boolean }): Promise<string> {
    const handleId = `k8s-pod-network.${name}`;
    const attributes = { pod: name, namespace: 'default' };
    const { addresses } = await this.ipam.autoAssign({ node, count: 1, handleId, attributes, pools });
    const text = formatIpAddress(addresses[0]!);
    if (lives) await this.endpoint(name, node, text);
    return text;
  }

  endpoint(name: string, node: string, ip: string): Promise<void> {
    const spec = {
      ...{ orchestrator: 'k8s', node, pod: name, endpoint: 'eth0', containerID: name },
      ...{ interfaceName: `cali${name}`, ipNetworks: [`${ip}/32`] },
    };
    return this.put('WorkloadEndpoint', 'workloadendpoints', `${node}-k8s-${name}-eth0`, spec, 'default');
  }
}
