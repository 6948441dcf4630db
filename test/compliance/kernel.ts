/** What every Kernel must do, one file per object of the kernel in `kernel/`; the fake and the real one run all of it. */
import { beforeEach, describe } from 'vitest';
import { addressesContract } from './kernel/addresses.ts';
import { batchesContract } from './kernel/batches.ts';
import { kernelBench } from './kernel/bench.ts';
import type { KernelBench, KernelCase } from './kernel/bench.ts';
import { conntrackContract } from './kernel/conntrack.ts';
import { linksContract } from './kernel/links.ts';
import { lookupsContract } from './kernel/lookups.ts';
import { neighboursContract } from './kernel/neighbours.ts';
import { routesContract } from './kernel/routes.ts';
import { rulesContract } from './kernel/rules.ts';
import { sysctlsContract } from './kernel/sysctls.ts';
import { watchContract } from './kernel/watch.ts';

/** `open` gives a fresh kernel for each test. */
export function kernelCompliance(name: string, open: () => Promise<KernelCase>): void {
  describe(`${name} keeps the kernel's contract`, () => {
    let bench: KernelBench;
    beforeEach(async () => {
      bench = await kernelBench(await open());
    });

    const given = (): KernelBench => bench;
    routesContract(given);
    batchesContract(given);
    rulesContract(given);
    linksContract(given);
    lookupsContract(given);
    addressesContract(given);
    neighboursContract(given);
    watchContract(given);
    conntrackContract(given);
    sysctlsContract(given);
  });
}
