/** Cease/Hard Reset: the NOTIFICATION after which routes go although both sides agreed to keep them. Pure. RFC 8538 §3. */
import { cease } from '../wire.ts';
import type { ErrorCode, Fault, Notification } from '../wire.ts';

const [CEASE, HARD_RESET] = cease.hardReset;

export const isHardReset = ([code, subcode]: ErrorCode): boolean => code === CEASE && subcode === HARD_RESET;

/** The NOTIFICATION that would have been sent, code, subcode and data, in a Hard Reset. RFC 8538 §3.1. */
export function hardReset(fault: Fault): Fault {
  const [code, subcode] = fault.code;
  return { text: fault.text, code: cease.hardReset, data: Uint8Array.of(code, subcode, ...fault.data) };
}

/** What a Hard Reset is about; undefined where the peer did not say. */
export function hardResetReason({ code, subcode, data }: Notification): Notification | undefined {
  const [innerCode, innerSubcode] = data;
  if (!isHardReset([code, subcode]) || innerCode === undefined || innerSubcode === undefined) return undefined;
  return { type: 'notification', code: innerCode, subcode: innerSubcode, data: data.subarray(2) };
}
