import { expect, test } from 'vitest';
import { parseIpAddress } from '../../../src/model/ip.ts';
import type { KernelBench } from './bench.ts';

/** Permanent neighbours, and forwarding entries of VXLAN links. */
export function neighboursContract(given: () => KernelBench): void {
  test.each(['10.1.0.7', '2001:db8::7'])('replaces and removes the permanent neighbour %s', async (text) => {
    const { kernel, near } = given();
    const neighbour = (mac: string) =>
      ({ kind: 'neighbour', ifindex: near.index, address: parseIpAddress(text), mac, permanent: true }) as const;
    const listed = async () => (await kernel.listNeighbours(near.index)).filter(({ permanent }) => permanent);
    await kernel.replaceNeighbour(neighbour('66:00:00:00:00:01'));
    await kernel.replaceNeighbour(neighbour('66:00:00:00:00:02'));
    expect(await listed()).toEqual([neighbour('66:00:00:00:00:02')]);
    await kernel.removeNeighbour(neighbour('66:00:00:00:00:02'));
    await kernel.removeNeighbour(neighbour('66:00:00:00:00:02'));
    expect(await listed()).toEqual([]);
  });

  test('replaces and removes the forwarding entries of a VXLAN link', async () => {
    const { kernel, near, link } = given();
    const vxlan = { vni: 4096, port: 4789, learning: false, parentIndex: near.index };
    await kernel.createLink({ kind: 'vxlan', name: 'vxlan.calico', vxlan });
    const { index: ifindex } = await link('vxlan.calico');
    const entry = (remote: string) =>
      ({ kind: 'fdb', ifindex, mac: '66:00:00:00:00:01', remote: parseIpAddress(remote), permanent: true }) as const;
    await kernel.replaceNeighbour(entry('10.1.0.2'));
    await kernel.replaceNeighbour(entry('10.1.0.3'));
    expect(await kernel.listNeighbours(ifindex)).toEqual([entry('10.1.0.3')]);
    expect((await kernel.listNeighbours(near.index)).filter(({ kind }) => kind === 'fdb')).toEqual([]);
    await kernel.removeNeighbour(entry('10.1.0.3'));
    await kernel.removeNeighbour(entry('10.1.0.3'));
    expect(await kernel.listNeighbours(ifindex)).toEqual([]);
  });
}
