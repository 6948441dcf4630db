import {
  AFFINITIES_PREFIX,
  affinityKey,
  affinityPrefix,
  blockKey,
  blockPrefix,
  handleKey,
  IPAM_CONFIG_KEY,
  parseAffinityKey,
  parseBlockKey,
  resourcePrefix,
} from '../datastore/keys.ts';
import type { Store, Write } from '../datastore/store.ts';
import { AlreadyExistsError, ConflictError, MAX_WRITES, NotFoundError } from '../datastore/store.ts';
import type { IpFamily, Prefix } from '../model/ip.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { AffinityState } from './affinity.ts';
import { affinityFromJson, affinityToJson } from './affinity.ts';
import type { Block } from './block.ts';
import { blockFromJson, blockToJson } from './block-json.ts';
import { TooManyConflictsError } from './errors.ts';
import type { HandleCounts } from './handle.ts';
import { handleFromJson, handleToJson } from './handle.ts';
import { reservedNetworks, Reservations } from './reservations.ts';

export interface IpamPorts {
  readonly clock: Clock;
  readonly random: Random;
}

export interface Stored<T> {
  readonly value: T;
  readonly revision: number;
}

/** Calico's IPAMConfig as far as it governs us. */
export interface IpamConfig {
  readonly strictAffinity: boolean;
  readonly autoAllocateBlocks: boolean;
  /** 0: none given. */
  readonly maxBlocksPerHost: number;
  readonly cooldownSeconds: number;
}

const MAX_ATTEMPTS = 100;

/** Somebody else changed the record since we read it: read again. */
export const isConflict = (error: unknown): boolean =>
  error instanceof ConflictError || error instanceof NotFoundError || error instanceof AlreadyExistsError;

/** IPAM's records in the datastore, typed; each write is compare-and-swap. */
export class Records {
  readonly #store: Store;
  readonly #ports: IpamPorts;

  constructor(store: Store, ports: IpamPorts) {
    this.#store = store;
    this.#ports = ports;
  }

  nowMs(): number {
    return this.#ports.clock.wallTime();
  }

  /** How a released address is marked; undefined where it needs no rest. */
  cooldown(seconds: number): { readonly releasedAt: string } | undefined {
    return seconds > 0 ? { releasedAt: new Date(this.nowMs()).toISOString() } : undefined;
  }

  /** Tries until `attempt` ends without a conflict; a little pause keeps many hosts from running in step. */
  async retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    for (let conflicts = 1; conflicts <= MAX_ATTEMPTS; conflicts++) {
      try {
        return await attempt();
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const pauseMs = this.#ports.random() * Math.min(conflicts, 50);
      if (conflicts > 2) await new Promise<void>((resolve) => this.#ports.clock.after(pauseMs, resolve));
    }
    throw new TooManyConflictsError(`${what}: changed by others ${MAX_ATTEMPTS} times in a row`);
  }

  async config(): Promise<IpamConfig> {
    const entry = await this.#store.get(IPAM_CONFIG_KEY);
    const fields = (entry?.value ?? {}) as Readonly<Record<string, unknown>>;
    return {
      strictAffinity: fields['strict_affinity'] === true,
      autoAllocateBlocks: fields['auto_allocate_blocks'] !== false,
      maxBlocksPerHost: Number(fields['maxBlocksPerHost'] ?? 0),
      cooldownSeconds: Number(fields['ipCooldownSeconds'] ?? 0),
    };
  }

  /** Of all IPReservations. Throws InvalidValueError for one that cannot be read. */
  async reservations(): Promise<Reservations> {
    const { entries } = await this.#store.list(resourcePrefix('ipreservations'));
    return new Reservations(entries.flatMap(({ key, value }) => reservedNetworks(value, key)));
  }

  async block(prefix: Prefix): Promise<Stored<Block> | undefined> {
    const entry = await this.#store.get(blockKey(prefix));
    return entry && { value: blockFromJson(entry.value, entry.key), revision: entry.revision };
  }

  async blocks(family: IpFamily): Promise<readonly Block[]> {
    const { entries } = await this.#store.list(blockPrefix(family));
    return entries
      .filter(({ key }) => parseBlockKey(key) !== undefined)
      .map(({ key, value }) => blockFromJson(value, key));
  }

  async createBlock(block: Block): Promise<void> {
    await this.#store.create(blockKey(block.prefix), blockToJson(block));
  }

  async affinity(node: string, prefix: Prefix): Promise<Stored<AffinityState> | undefined> {
    const entry = await this.#store.get(affinityKey(node, prefix));
    return entry && { value: affinityFromJson(entry.value), revision: entry.revision };
  }

  /** The blocks that the host claims, whatever the state of the claim. */
  async affinities(node: string, family: IpFamily): Promise<readonly Prefix[]> {
    const { entries } = await this.#store.list(affinityPrefix(node, family));
    return entries.flatMap(({ key }) => parseAffinityKey(key)?.prefix ?? []);
  }

  /** Creates it where `revision` is undefined. Returns the new revision. */
  async writeAffinity(
    { node, prefix }: { readonly node: string; readonly prefix: Prefix },
    state: AffinityState,
    revision: number | undefined,
  ): Promise<number> {
    const key = affinityKey(node, prefix);
    const value = affinityToJson(state);
    const entry = await (revision === undefined
      ? this.#store.create(key, value)
      : this.#store.update(key, value, revision));
    return entry.revision;
  }

  async deleteAffinity(node: string, prefix: Prefix, revision: number): Promise<void> {
    await this.#store.delete(affinityKey(node, prefix), revision);
  }

  /** Calico marks each host that has had a block. */
  async forgetHost(node: string): Promise<void> {
    const key = `${AFFINITIES_PREFIX}${node}`;
    const marker = await this.#store.get(key);
    if (marker === undefined) return;
    await this.#store.delete(key).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
  }

  async handle(id: string): Promise<Stored<HandleCounts> | undefined> {
    const entry = await this.#store.get(handleKey(id));
    return entry && { value: handleFromJson(entry.value), revision: entry.revision };
  }

  /** What changes a handle's counts as they are now; a handle that holds nothing more is deleted. Undefined where nothing is to be written. */
  async handleWrite(id: string, change: (counts: HandleCounts) => HandleCounts): Promise<Write | undefined> {
    const key = handleKey(id);
    const stored = await this.handle(id);
    const next = change(stored?.value ?? new Map());
    if (stored === undefined) return next.size > 0 ? { type: 'create', key, value: handleToJson(next) } : undefined;
    const { revision } = stored;
    return next.size > 0
      ? { type: 'update', key, value: handleToJson(next), revision }
      : { type: 'delete', key, revision };
  }

  /** As one: a block and the counts of those who have addresses of it never tell different things. Throws conflicts, see `retry`. */
  async writeAll(writes: readonly Write[]): Promise<void> {
    for (let i = 0; i < writes.length; i += MAX_WRITES) await this.#store.writeAll(writes.slice(i, i + MAX_WRITES));
  }
}

export const blockUpdate = (block: Block, revision: number): Write => ({
  type: 'update',
  key: blockKey(block.prefix),
  value: blockToJson(block),
  revision,
});

export const blockDeletion = ({ prefix }: Block, revision: number): Write => ({
  type: 'delete',
  key: blockKey(prefix),
  revision,
});

export const affinityDeletion = (
  { node, prefix }: { readonly node: string; readonly prefix: Prefix },
  revision: number,
): Write => ({
  type: 'delete',
  key: affinityKey(node, prefix),
  revision,
});

export const handleDeletion = (id: string, revision: number): Write => ({
  type: 'delete',
  key: handleKey(id),
  revision,
});
