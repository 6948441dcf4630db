import type { Json } from '../datastore/store.ts';

/**
 * A host's claim to a block, beside the block itself:
 *
 *     (none) ── claim ──▶ pending ── block is ours ──▶ confirmed ── release ──▶ (none), in one write with the block
 *                            │ block is another's          │ release, by Calico
 *                            ▼                             ▼
 *                          (none)                     pendingDeletion ── block is in use ──▶ confirmed
 *
 * Only a confirmed one counts for routing. A crash leaves pending behind, and one of Calico's pendingDeletion; the host's next claim of
 * the same block takes either up again.
 */
export type AffinityState = 'pending' | 'confirmed' | 'pendingDeletion';

export const affinityToJson = (state: AffinityState): Json => ({ state, deleted: false });

/** Calico's old data have no state: such an affinity is confirmed. */
export function affinityFromJson(json: Json): AffinityState {
  const state = typeof json === 'object' && json !== null && 'state' in json ? json.state : undefined;
  return state === 'pending' || state === 'pendingDeletion' ? state : 'confirmed';
}

/** How a block names its owner. */
export const hostAffinity = (node: string): string => `host:${node}`;

/** The host that owns the block; undefined where it is nobody's, or not a host's. */
export const hostOf = (affinity: string | null): string | undefined =>
  affinity?.startsWith('host:') === true ? affinity.slice('host:'.length) : undefined;
