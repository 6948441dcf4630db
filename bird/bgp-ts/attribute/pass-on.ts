import type { PathAttributes } from './path-attributes.ts';
import { PARTIAL, TRANSITIVE } from './spec.ts';
import { attributeRows } from './table.ts';

const opaqueRows = attributeRows.filter(({ spec }) => spec.opaque === true);

/**
 * What of a received set may go on to another peer as far as understanding goes: of the attributes that nobody here
 * understands the transitive ones, with the partial bit, and not the others. RFC 4271 §5, §9. The rest is policy.
 */
export function passOn(attributes: PathAttributes): PathAttributes {
  const { unknown, partial = [], ...others } = attributes;
  const opaque = opaqueRows.filter(({ field }) => others[field as keyof typeof others] !== undefined);
  if (unknown === undefined && opaque.length === 0) return attributes;
  const transitive = (unknown ?? []).filter(({ flags }) => (flags & TRANSITIVE) !== 0);
  const codes = [...new Set([...partial, ...opaque.map(({ spec }) => spec.code)])].sort((a, b) => a - b);
  return {
    ...others,
    ...(transitive.length > 0 && { unknown: transitive.map((each) => ({ ...each, flags: each.flags | PARTIAL })) }),
    ...(codes.length > 0 && { partial: codes }),
  };
}
