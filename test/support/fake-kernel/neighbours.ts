import { formatPrefix } from '../../../src/model/ip.ts';
import { KernelError } from '../../../felix/kernel.ts';
import type { KernelNeighbour } from '../../../felix/kernel.ts';
import type { FakeNamespace } from './namespace.ts';

/** What tells two entries apart, which serves as words for one, too. */
export const neighbourKey = (one: KernelNeighbour): string =>
  one.kind === 'fdb'
    ? `fdb ${one.ifindex} ${one.mac}`
    : `neighbour ${one.ifindex} ${formatPrefix({ address: one.address, length: 0 })}`;

export function replaceNeighbour(namespace: FakeNamespace, neighbour: KernelNeighbour): void {
  if (!namespace.links.has(neighbour.ifindex)) {
    throw new KernelError(`replace neighbour on link ${neighbour.ifindex}: ENODEV (no such device)`, 'ENODEV');
  }
  const others = namespace.neighbours.filter((one) => neighbourKey(one) !== neighbourKey(neighbour));
  namespace.neighbours = [...others, neighbour];
  namespace.emit({ kind: 'neighbour', change: 'set', neighbour });
}

export function removeNeighbour(namespace: FakeNamespace, neighbour: KernelNeighbour): void {
  const lost = namespace.neighbours.find((one) => neighbourKey(one) === neighbourKey(neighbour));
  if (lost === undefined) return;
  namespace.neighbours = namespace.neighbours.filter((one) => one !== lost);
  // As the kernel tells it: of a neighbour, the MAC is forgotten by then.
  const told = lost.kind === 'fdb' ? lost : { ...lost, mac: '', permanent: false };
  namespace.emit({ kind: 'neighbour', change: 'removed', neighbour: told });
}
