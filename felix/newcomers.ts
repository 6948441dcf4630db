/** Pods whose interface was made and of which the inputs may not tell yet: their routes are written at once and stay. */
import { hostPrefix } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { WorkloadInterface } from './contract.ts';
import type { DataplaneInputs } from './inputs.ts';
import type { KernelLink } from './kernel.ts';
import { prefixId } from './routes/route-id.ts';
import type { RouteId } from './routes/route-id.ts';
import type { RouteTable } from './routes/route-table.ts';
import { KernelWords } from './routes/route-words.ts';

type Routes = Pick<RouteTable, 'writeAhead' | 'leaveToPlan'>;

export class Newcomers {
  readonly #routes: Routes;
  readonly #clock: Clock;
  /** The routes of each, by the interface's name. */
  readonly #ids = new Map<string, readonly RouteId[]>();

  constructor(routes: Routes, clock: Clock) {
    this.#routes = routes;
    this.#clock = clock;
  }

  /** As the plan will have them, and the youngest interface wins there, too. Rejects with the kernel's refusal. */
  route({ hostInterface, addresses }: WorkloadInterface, link: KernelLink): Promise<void> {
    this.leave(hostInterface);
    const words = new KernelWords(new Map([[hostInterface, link]]));
    const target = { kind: 'link', interfaceName: hostInterface } as const;
    const ids = addresses.map((address) => prefixId(hostPrefix(address)));
    this.#ids.set(hostInterface, ids);
    return this.#routes.writeAhead(new Map(ids.map((id) => [id, words.bodyOf(id, target)])), this.#clock.now());
  }

  /** The plan follows from these inputs: whom they tell of is no newcomer any more. */
  planned({ endpoints }: Pick<DataplaneInputs, 'endpoints'>): void {
    if (this.#ids.size === 0) return;
    for (const { interfaceName, addresses } of endpoints) {
      const ids = this.#ids.get(interfaceName);
      if (ids === undefined) continue;
      const told = new Set(addresses.map((address) => prefixId(hostPrefix(address))));
      if (ids.every((id) => told.has(id))) this.leave(interfaceName);
    }
  }

  /** The interface goes, or did not come to be. */
  leave(hostInterface: string): void {
    this.#routes.leaveToPlan(this.#ids.get(hostInterface) ?? []);
    this.#ids.delete(hostInterface);
  }
}
