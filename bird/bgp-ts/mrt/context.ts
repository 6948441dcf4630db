import type { CodecContext, FamilyKey } from '../context.ts';
import { familyKey } from '../context.ts';
import { familyRows } from '../nlri/families.ts';

/** Every family that has a name here. */
export const everyFamily: ReadonlySet<FamilyKey> = new Set(familyRows.map(({ family }) => familyKey(family)));

/**
 * A dump tells nothing of what was negotiated, so all that some session may carry is read: extended messages and next
 * hops, and what only an internal peer sends, LOCAL_PREF among it. But one label: a stack is told from a prefix by nothing.
 */
export const recordedContext: CodecContext = {
  fourOctetAs: true,
  addPath: new Set(),
  extendedNextHop: everyFamily,
  extendedMessage: true,
  external: false,
  ownRoutes: true,
};
