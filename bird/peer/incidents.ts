/** What happened to a session, as those who ask why will read it. */
import type { PeerIncident } from '../view.ts';
import { errorName } from '../wire.ts';
import { operatorsText } from './fault.ts';
import type { Reason } from './reason.ts';

const MAX_INCIDENTS = 32;
/** Of a NOTIFICATION's data; enough for the attribute that was wrong. */
const MAX_DATA_OCTETS = 128;

/**
 * Bounded, the newest last. What happens again and again is one incident that counts, or a peer that refuses us every few
 * seconds would push out the NOTIFICATION that tells why. The end of an Established session always stands for itself.
 */
export class Incidents {
  #list: readonly PeerIncident[] = [];

  get list(): readonly PeerIncident[] {
    return this.#list;
  }

  add(incident: PeerIncident): void {
    const same = incident.isFlap ? undefined : this.#list.find((earlier) => isSame(earlier, incident));
    const others = this.#list.filter((earlier) => earlier !== same);
    const again = same === undefined ? {} : { firstAt: same.firstAt ?? same.at, count: (same.count ?? 1) + 1 };
    this.#list = [...others, { ...incident, ...again }].slice(-MAX_INCIDENTS);
  }
}

export function incidentOf(reason: Reason, at: number, isFlap: boolean): PeerIncident {
  const { kind, text, errno, notification } = reason;
  return {
    at,
    kind,
    text,
    isFlap,
    ...(errno !== undefined && { errno }),
    ...(notification !== undefined && { notification: notificationOf(notification) }),
  };
}

function notificationOf({ code: [code, subcode], data }: NonNullable<Reason['notification']>): NotificationView {
  const shutdownText = operatorsText({ type: 'notification', code, subcode, data });
  return {
    code,
    subcode,
    name: errorName([code, subcode]),
    data: hex(data.subarray(0, MAX_DATA_OCTETS)),
    ...(shutdownText !== undefined && { shutdownText }),
  };
}

type NotificationView = NonNullable<PeerIncident['notification']>;

const isSame = (a: PeerIncident, b: PeerIncident): boolean =>
  !a.isFlap && a.kind === b.kind && a.text === b.text && a.errno === b.errno;

const hex = (octets: Uint8Array): string => Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
