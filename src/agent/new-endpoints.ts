import type { LocalEndpoint, WorkloadInterface } from '../../felix/index.ts';

interface NewEndpoint extends LocalEndpoint {
  /** Of its record in the datastore. Absent: it is not written yet. */
  readonly revision?: number;
}

/**
 * Endpoints of ADDs of this agent that the datastore's watch may not have told of yet. Felix is told of them from before their
 * interface is made: else a view from before, which comes late, would have their routes taken away again. Once the view is as new as the
 * record, it alone counts, for what it says then of the endpoint is what became of it.
 */
export class NewEndpoints {
  readonly #byInterface = new Map<string, NewEndpoint>();
  readonly #onForgotten: () => void;
  #onExpected: (hostInterface: string) => void = () => undefined;

  /** `onForgotten`: felix may have been told of one that is none any more. */
  constructor(onForgotten: () => void = () => undefined) {
    this.#onForgotten = onForgotten;
  }

  /** Who wants to know that one is expected, before its interface is made. */
  onExpected(listener: (hostInterface: string) => void): void {
    this.#onExpected = listener;
  }

  /** Its interface is about to be made. */
  expect({ hostInterface, addresses }: Pick<WorkloadInterface, 'hostInterface' | 'addresses'>): void {
    this.#byInterface.set(hostInterface, { name: hostInterface, interfaceName: hostInterface, addresses });
    this.#onExpected(hostInterface);
  }

  /** Its record has this revision; nothing where it was forgotten meanwhile. */
  written(hostInterface: string, revision: number): void {
    const endpoint = this.#byInterface.get(hostInterface);
    if (endpoint !== undefined) this.#byInterface.set(hostInterface, { ...endpoint, revision });
  }

  has(hostInterface: string): boolean {
    return this.#byInterface.has(hostInterface);
  }

  /** It failed, or goes. */
  forget(hostInterface: string): void {
    if (this.#byInterface.delete(hostInterface)) this.#onForgotten();
  }

  /** What a view of this revision has, with the new ones in place of older ones behind the same interface. */
  over(known: readonly LocalEndpoint[], viewRevision: number): readonly LocalEndpoint[] {
    for (const [name, { revision }] of this.#byInterface) {
      if (revision !== undefined && revision <= viewRevision) this.#byInterface.delete(name);
    }
    if (this.#byInterface.size === 0) return known;
    const ahead = [...this.#byInterface.values()].map(({ name, interfaceName, addresses }) => ({
      ...{ name: known.find((each) => each.interfaceName === interfaceName)?.name ?? name, interfaceName, addresses },
    }));
    return [...known.filter(({ interfaceName }) => !this.#byInterface.has(interfaceName)), ...ahead];
  }
}
