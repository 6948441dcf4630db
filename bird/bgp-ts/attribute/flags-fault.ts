import type { ErrorCode, Remedy } from '../error.ts';
import { updateError } from '../iana.ts';

/** The Optional and Transitive bits are not those of the row; the session-reset rows say so as RFC 4760 §7 does, with 3/9. */
export function flagsFault(
  flags: number,
  spec: { readonly flags: number; readonly onFlags?: Remedy },
): { readonly text: string; readonly code: ErrorCode } {
  const code = spec.onFlags === 'session-reset' ? updateError.optionalAttribute : updateError.attributeFlags;
  return { text: `flags ${hex(flags)} conflict with ${hex(spec.flags)}`, code };
}

const hex = (flags: number): string => `0x${flags.toString(16).padStart(2, '0')}`;
