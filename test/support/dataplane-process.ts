/**
 * A dataplane in a process of its own, to be started inside a network namespace: one JSON request per line on stdin,
 * one JSON answer per line on stdout. Ends with stdin, and leaves the kernel as it is.
 */
import { createInterface } from 'node:readline';
import type { Dataplane, NatStatus, RepairStatus, RouteStatus } from '../../felix/index.ts';
import { createDataplane, createLinuxKernel, createLinuxNftables } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import type { IpAddress } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { Fate } from './mortal-kernel.ts';
import { memoryLogger } from './memory-logger.ts';
import { mortalKernel } from './mortal-kernel.ts';

export type DataplaneRequest =
  | { readonly update: DataplaneInputs }
  | {
      readonly pod: {
        readonly netns: string;
        readonly hostInterface: string;
        readonly addresses: readonly IpAddress[];
      };
    }
  | { readonly ask: 'routes' }
  /** As update, and killed by itself once so many writes are done; see mortal-kernel.ts. */
  | { readonly update: DataplaneInputs; readonly dieAfterWrites: number };

export interface DataplaneAnswer {
  readonly adopted: number;
  readonly routes: readonly RouteStatus[];
  readonly repairs: RepairStatus;
  readonly nat: readonly NatStatus[];
}

async function answer(dataplane: Dataplane, request: DataplaneRequest, fate: Fate): Promise<DataplaneAnswer> {
  if ('dieAfterWrites' in request) fate.left = request.dieAfterWrites;
  if ('update' in request) dataplane.update(request.update);
  if ('pod' in request) {
    const { netns, hostInterface, addresses } = request.pod;
    await dataplane.addWorkloadInterface({ netns, hostInterface, addresses, containerInterface: 'eth0', mtu: 0 });
  }
  await dataplane.settled();
  fate.left = undefined;
  return {
    adopted: dataplane.adoptedRoutes(),
    routes: dataplane.routes(),
    repairs: dataplane.repairs(),
    nat: dataplane.nat(),
  };
}

if (import.meta.main) {
  const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };
  const fate: Fate = { left: undefined };
  const dataplane = createDataplane(settings, {
    kernel: mortalKernel(createLinuxKernel(), fate),
    nftables: createLinuxNftables(),
    clock: systemClock,
    random: systemRandom,
    // Not the agent's: of the time that this process takes to start, pino would be a quarter.
    log: memoryLogger().log,
  });
  await dataplane.start();
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(dataplane, JSON.parse(line) as DataplaneRequest, fate))}\n`);
  }
  await dataplane.close();
}
