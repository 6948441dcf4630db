/** What stands in the NOTIFICATION of an incident. Pure. */
import type { PeerIncident } from '../view.ts';

export interface Notified {
  readonly code: number;
  readonly subcode: number;
  /** Hex. */
  readonly data: string;
}

/** A Hard Reset carries the NOTIFICATION that it stands for. RFC 8538 §3. Undefined where none was sent or received. */
export function notifiedIn({ notification }: PeerIncident): Notified | undefined {
  if (notification === undefined) return undefined;
  const { code, subcode, data } = notification;
  if (code !== CEASE || subcode !== HARD_RESET || data.length < 4) return { code, subcode, data };
  return {
    code: Number.parseInt(data.slice(0, 2), 16),
    subcode: Number.parseInt(data.slice(2, 4), 16),
    data: data.slice(4),
  };
}

const CEASE = 6;
const HARD_RESET = 9;

/** What a Cease is about, as far as explanations tell apart; undefined where it is none. RFC 4486 §3. */
export function ceaseOf(
  incident: PeerIncident,
): 'ended by an operator' | 'comes back' | 'connection rejected' | 'connection collision' | 'other' | undefined {
  const { code, subcode } = notifiedIn(incident) ?? {};
  if (code !== CEASE || subcode === undefined) return undefined;
  return CEASES[subcode] ?? 'other';
}

/** A prefix limit holds a session down as an operator's shutdown does. */
const CEASES: Readonly<Record<number, ReturnType<typeof ceaseOf>>> = {
  1: 'ended by an operator',
  2: 'ended by an operator',
  3: 'ended by an operator',
  4: 'comes back',
  5: 'connection rejected',
  6: 'comes back',
  7: 'connection collision',
};

/** An unsigned number of 1 to 4 octets at an octet of the data; undefined where it is shorter. */
export function numberAt({ data }: Notified, at: number, octets: number): number | undefined {
  const digits = data.slice(at * 2, (at + octets) * 2);
  return digits.length < octets * 2 ? undefined : Number.parseInt(digits, 16);
}
