/**
 * What no peer should send, each with the reaction that the RFCs ask for; rows and numbers are those of the project's list
 * of malformed input. `departs` says why where we react in another way than the list has it.
 */
import { hostileAttributes } from './hostile-input/attributes.ts';
import { hostileLengths } from './hostile-input/lengths.ts';
import { afterOpens, inPlaceOfOpen } from './hostile-input/opens.ts';
import type { HostileInput } from './hostile-input/row.ts';

/** All but 65, which is silence. */
export const hostileInput: readonly HostileInput[] = [
  ...[...hostileLengths, ...hostileAttributes].map((row) => ({ ...row, when: 'in the session' as const })),
  ...inPlaceOfOpen.map((row) => ({ ...row, when: 'in place of the OPEN' as const })),
  ...afterOpens.map((row) => ({ ...row, when: 'after the OPENs' as const })),
].sort((a, b) => a.number - b.number);
