/** What the tests of felix under fire share: the lab with its fabric, its traffic, and the seeds they go by. */
import { Random } from '../fuzz/random.ts';
import { a, b, c, HOSTS } from './dataplane-lab.ts';
import type { DataplaneLab, LabHost } from './dataplane-lab.ts';
import type { Modes } from './route-oracle.ts';

/** One encapsulation, and what is different about it. */
export interface Encapsulation {
  readonly kind: 'vxlan' | 'ipip';
  readonly device: 'vxlan.calico' | 'tunl0';
  /** Octets of the outer headers. */
  readonly overhead: number;
  readonly modes: readonly Modes[];
}

export const VXLAN: Encapsulation = {
  ...{ kind: 'vxlan', device: 'vxlan.calico', overhead: 50 },
  modes: [{ vxlan: 'Always' }, { vxlan: 'CrossSubnet' }, {}],
};
export const IPIP: Encapsulation = {
  ...{ kind: 'ipip', device: 'tunl0', overhead: 20 },
  modes: [{ ipip: 'Always' }, { ipip: 'CrossSubnet' }, {}],
};

/** A far and a near neighbour, in both directions. */
export const PAIRS: readonly (readonly [LabHost, LabHost])[] = [
  [a, b],
  [a, c],
];

/** CHAOS_SEED, or these. */
export function seeds(usual: readonly number[]): readonly number[] {
  const asked = process.env['CHAOS_SEED'];
  return asked === undefined ? usual : [Number(asked)];
}

export const randomOf = (seed: number): Random => new Random().reseed(seed, 0, 0);

export const shuffled = <T>(list: readonly T[], random: Random): readonly T[] => {
  const rest = [...list];
  return list.map(() => rest.splice(random.below(rest.length), 1)[0]!);
};

/** Without encapsulation the fabric must know the blocks, as a ToR would by BGP. */
export function teachFabric(lab: DataplaneLab): void {
  for (const { block, address } of HOSTS) lab.ip('r', 'route', 'replace', block, 'via', address);
}

/** A line among the test's output: figures are for people, and say what they are of. */
export const tell = (line: string): void => void process.stderr.write(`chaos: ${line}\n`);
