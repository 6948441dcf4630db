import type { Speaker } from '../../bird/index.ts';
import { sameRoutes } from '../model/route.ts';
import type { Dataplane } from '../../felix/index.ts';
import type { Knowledge, KnownInputs, Learned } from './cluster-view.ts';
import { withLearned } from './cluster-view.ts';
import type { NewEndpoints } from './new-endpoints.ts';

export interface DataplaneFeedPorts {
  readonly dataplane: Pick<Dataplane, 'update'>;
  readonly newEndpoints: Pick<NewEndpoints, 'over' | 'onExpected'>;
  /** What follows for felix from what is known of the datastore now. */
  readonly known: () => KnownInputs | undefined;
  /** The one that listens. */
  readonly speaker: () => Speaker | undefined;
}

/** What felix is told: what follows from the datastore, over it bird's routes, and the endpoints that the datastore does not tell yet. */
export class DataplaneFeed {
  readonly #ports: DataplaneFeedPorts;
  #known: KnownInputs | undefined;
  #told: Learned | undefined;
  /** As felix was told last, by their interfaces. */
  #toldInterfaces: ReadonlySet<string> = new Set();
  /** Of the view that was looked at last. */
  #looked = 0;
  /** Of the view that `#known` follows from: who wants to know something looks without a computation. */
  #revision = 0;
  #computedFor: Speaker | undefined;

  constructor(ports: DataplaneFeedPorts) {
    this.#ports = ports;
    ports.newEndpoints.onExpected((hostInterface) => this.#expected(hostInterface));
  }

  /** Another view is known. */
  looked(revision: number): void {
    this.#looked = revision;
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

  /** The same of a computation in which the blocks alone are others. */
  computedBlocks({ blocks, lent = [] }: Pick<Knowledge, 'blocks' | 'lent'>): void {
    if (this.#known === undefined) {
      this.computed();
      return;
    }
    this.#computedFor = this.#ports.speaker();
    this.#known = { ...this.#known, localBlocks: blocks, lentAddresses: lent };
    this.tell();
  }

  /** bird's routes alone are others; false where a speaker that is new has to be told everything first. */
  get canTakeRoutes(): boolean {
    return this.#computedFor === this.#ports.speaker();
  }

  /** Something is known anew. */
  renew(): void {
    this.#revision = this.#looked;
    this.#known = this.#ports.known();
    this.tell();
  }

  /** bird's best routes are others; where they are this node's own it is no news for felix. */
  routesChanged(): void {
    const learned = this.#learned();
    if (learned !== undefined && !isSameLearned(learned, this.#told)) this.#tell(learned);
  }

  tell(): void {
    const learned = this.#learned();
    if (learned !== undefined) this.#tell(learned);
  }

  /**
   * A pod's name is there again before felix heard that the one before is gone, whose address it would lead to the new interface. Of any
   * other it hears when there is something to tell.
   */
  #expected(hostInterface: string): void {
    if (this.#toldInterfaces.has(hostInterface)) this.tell();
  }

  #learned(): Learned | undefined {
    const speaker = this.#ports.speaker();
    return speaker && { routes: speaker.learnedRoutes(), complete: speaker.isConverged() };
  }

  #tell(learned: Learned): void {
    const { dataplane, newEndpoints } = this.#ports;
    if (this.#known === undefined) return;
    this.#told = learned;
    const inputs = withLearned(this.#known, learned);
    const endpoints = newEndpoints.over(inputs.endpoints, this.#revision);
    this.#toldInterfaces = new Set(endpoints.map(({ interfaceName }) => interfaceName));
    dataplane.update({ ...inputs, endpoints });
  }
}

const isSameLearned = (a: Learned, b: Learned | undefined): boolean =>
  a.complete === b?.complete && sameRoutes(a.routes, b.routes);
