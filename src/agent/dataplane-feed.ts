import type { Speaker } from '../../bird/index.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { KnownInputs } from './cluster-view.ts';
import { withLearned } from './cluster-view.ts';
import type { NewEndpoints } from './new-endpoints.ts';

export interface DataplaneFeedPorts {
  readonly dataplane: Pick<Dataplane, 'update'>;
  readonly newEndpoints: Pick<NewEndpoints, 'over'>;
  /** What follows for felix from what is known of the datastore now. */
  readonly known: () => KnownInputs | undefined;
  /** The one that listens. */
  readonly speaker: () => Speaker | undefined;
}

/** What felix is told: what follows from the datastore, over it bird's routes, and the endpoints that the datastore does not tell yet. */
export class DataplaneFeed {
  readonly #ports: DataplaneFeedPorts;
  #known: KnownInputs | undefined;
  /** Of the view that was looked at last. */
  #revision = 0;
  #computedFor: Speaker | undefined;

  constructor(ports: DataplaneFeedPorts) {
    this.#ports = ports;
  }

  /** Another view is known. */
  looked(revision: number): void {
    this.#revision = revision;
  }

  /** A computation begins; where it does not come to its end, what felix was told last is older than the view. */
  began(): void {
    this.#computedFor = undefined;
  }

  /** It came to its end, and the speaker has been told. */
  computed(): void {
    this.#computedFor = this.#ports.speaker();
    this.renew();
  }

  /** bird's routes alone are others; false where a speaker that is new has to be told everything first. */
  get canTakeRoutes(): boolean {
    return this.#computedFor === this.#ports.speaker();
  }

  /** Something is known anew. */
  renew(): void {
    this.#known = this.#ports.known();
    this.tell();
  }

  tell(): void {
    const { dataplane, newEndpoints } = this.#ports;
    const speaker = this.#ports.speaker();
    if (speaker === undefined || this.#known === undefined) return;
    const learned = { routes: speaker.learnedRoutes(), complete: speaker.isConverged() };
    const inputs = withLearned(this.#known, learned);
    dataplane.update({ ...inputs, endpoints: newEndpoints.over(inputs.endpoints, this.#revision) });
  }
}
