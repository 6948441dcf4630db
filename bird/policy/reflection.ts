/** Route reflection, RFC 4456. Pure. */
import type { PathAttributes } from '../wire.ts';

/** From a client to everybody, from the others to clients alone. RFC 4456 §6. */
export const mayReflect = (fromClient: boolean, toClient: boolean): boolean => fromClient || toClient;

/** Who brought it into the AS, kept if known, and our cluster in front of those it went through. RFC 4456 §8. */
export function reflect(
  attributes: PathAttributes,
  by: { readonly clusterId: number; readonly sourceIdentifier: number },
): PathAttributes {
  return {
    ...attributes,
    originatorId: attributes.originatorId ?? by.sourceIdentifier,
    clusterList: [by.clusterId, ...(attributes.clusterList ?? [])],
  };
}
