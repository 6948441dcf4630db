/** What one calculation of the routes leaves for the next: an UPDATE changes routes, and seldom what they are decided by. */
import { isDeepStrictEqual } from 'node:util';
import type { DataplaneInputs } from '../inputs.ts';
import type { HostView } from './host-view.ts';

/**
 * A map whose entries are lost where one calculation had no use for them: next hops come and go, and of those that are gone nothing
 * is to be kept.
 */
export class Recent<K, V> {
  readonly #now = new Map<K, V>();
  readonly #before: ReadonlyMap<K, V>;

  /** `before`: that of the calculation before, if what was noted in it holds still. */
  constructor(before?: Recent<K, V>) {
    this.#before = before === undefined ? new Map() : before.#now;
  }

  get(key: K): V | undefined {
    const known = this.#now.get(key);
    if (known !== undefined) return known;
    const older = this.#before.get(key);
    if (older !== undefined) this.#now.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    this.#now.set(key, value);
  }
}

/** Of the inputs all that a learned route is decided by beside itself; whoever tells other routes alone hands over the same objects. */
type Basis = Omit<DataplaneInputs, 'learned' | 'learnedComplete' | 'endpoints'>;

/** Holds one value, and no longer than the datastore and the host say what they said when it was noted. */
export class PlanMemory<V> {
  #last: { readonly inputs: Basis; readonly host: HostView; readonly value: V } | undefined;

  recall(inputs: DataplaneInputs, host: HostView): V | undefined {
    const last = this.#last;
    const isValid = last !== undefined && isSameBasis(last.inputs, inputs) && isDeepStrictEqual(last.host, host);
    return isValid ? last.value : undefined;
  }

  note(inputs: DataplaneInputs, host: HostView, value: V): void {
    // Without the routes: they are many, and nobody else may have them any more.
    const { local, nodes, pools, localBlocks, lentAddresses, peerGateways } = inputs;
    const basis = { local, nodes, pools, localBlocks };
    const more = { ...(lentAddresses && { lentAddresses }), ...(peerGateways && { peerGateways }) };
    this.#last = { inputs: { ...basis, ...more }, host, value };
  }
}

const isSameBasis = (a: Basis, b: Basis): boolean =>
  a.local === b.local &&
  a.nodes === b.nodes &&
  a.pools === b.pools &&
  a.localBlocks === b.localBlocks &&
  a.lentAddresses === b.lentAddresses &&
  a.peerGateways === b.peerGateways;
