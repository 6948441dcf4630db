import { expect } from 'vitest';
import { MAIN_TABLE, SCOPE } from '../../../felix/routes/kernel-route.ts';
import type { Kernel, KernelLink } from '../../../felix/kernel.ts';
import type { KernelRoute } from '../../../felix/routes/kernel-route.ts';
import { parseInterfaceAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { Connection } from '../../support/conntrack-entries.ts';

export interface KernelCase {
  /** A kernel with nothing but `lo`, which is down, and what its modules put into every namespace. */
  readonly kernel: Kernel;
  /** Another process's way to the same one. */
  readonly somebodyElse: Pick<Kernel, 'writeRoutes'>;
  /** Waits until the condition holds; the real kernel's events and carriers take a moment. */
  readonly eventually: (condition: () => boolean | Promise<boolean>) => Promise<void>;
  readonly connections: {
    readonly give: (connection: Connection) => Promise<void>;
    /** In the words of connectionText, sorted. */
    readonly list: () => readonly string[];
  };
}

/** A kernel with a veth pair, both ends up; `near` and `far` are as they were made, before they were set up. */
export interface KernelBench extends KernelCase {
  /** Has 10.1.0.1/24 and 2001:db8::1/64. */
  readonly near: KernelLink;
  readonly far: KernelLink;
  /** The link of this name as it is now; throws where there is none. */
  readonly link: (name: string) => Promise<KernelLink>;
  /** A route of ours, through 10.1.0.2 on `near` where `fields` do not say otherwise. */
  readonly route: (cidr: string, fields?: Partial<KernelRoute>) => KernelRoute;
  /** Through 2001:db8::2 on `near`. */
  readonly hop6: () => KernelRoute['hops'];
  /** Routes without those that the kernel adds by itself. */
  readonly ours: () => Promise<readonly KernelRoute[]>;
  /** Writes a route, which must succeed; by `kernel` where nobody else is named. */
  readonly replace: (wanted: KernelRoute, by?: KernelCase['somebodyElse']) => Promise<void>;
}

export async function kernelBench(given: KernelCase): Promise<KernelBench> {
  const { kernel } = given;

  const link = async (wanted: string): Promise<KernelLink> => {
    const found = (await kernel.listLinks()).find((one) => one.name === wanted);
    if (found === undefined) throw new Error(`no link ${wanted}`);
    return found;
  };

  await kernel.createLink({ kind: 'veth', name: 'near', mtu: 1400, mac: 'ee:ee:ee:ee:ee:ee', peer: { name: 'far' } });
  const near = await link('near');
  const far = await link('far');
  await kernel.setLink(near.index, { up: true });
  await kernel.setLink(far.index, { up: true });
  await kernel.addAddress({ ifindex: near.index, address: parseInterfaceAddress('10.1.0.1/24'), scope: 0 });
  await kernel.addAddress({ ifindex: near.index, address: parseInterfaceAddress('2001:db8::1/64'), scope: 0 });

  return {
    ...given,
    near,
    far,
    link,
    route: (cidr, fields = {}) => ({
      prefix: parsePrefix(cidr),
      table: MAIN_TABLE,
      protocol: 80,
      type: 'unicast',
      scope: SCOPE.universe,
      metric: 0,
      hops: [{ gateway: parseIpAddress('10.1.0.2'), ifindex: near.index, onlink: false }],
      ...fields,
    }),
    hop6: () => [{ gateway: parseIpAddress('2001:db8::2'), ifindex: near.index, onlink: false }],
    ours: async () => [...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80 || protocol === 12),
    replace: async (wanted, by = kernel) => {
      expect(await by.writeRoutes([{ op: 'replace', route: wanted }])).toEqual([undefined]);
    },
  };
}
