import { context } from '../support/bgp-bytes.ts';
import type { FuzzTarget } from './targets/target.ts';

/** Targets that do what no decoder may, so that the harness itself can be seen red. Some inputs in a thousand do it. */

const session = context();
const isTaken = ([first, second]: Uint8Array): boolean => first === 7 && second! < 80;

const target = (name: string, run: FuzzTarget['run']): FuzzTarget => ({
  name,
  share: 50,
  seeds: [],
  make: (random) => ({ octets: Uint8Array.of(random.octet(), random.octet()), session }),
  run,
});

export const targets: readonly FuzzTarget[] = [
  target('throws', (octets) => {
    if (isTaken(octets)) throw new RangeError(`octet ${octets[1]!} is taken badly`);
    return 'ok';
  }),
  target('hangs', (octets) => {
    while (isTaken(octets)) continue;
    return 'ok';
  }),
  target('exits', (octets) => {
    if (isTaken(octets)) process.exit(3);
    return 'ok';
  }),
];
