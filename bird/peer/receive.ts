/** From a whole message to the event that it is. Pure. */
import type { Fault, Notification } from '../wire.ts';
import {
  decodeMessage,
  EXTENDED_MAX_OCTETS,
  MAX_OCTETS,
  messageType,
  NOTIFICATION_TYPE,
  UPDATE_TYPE,
} from '../wire.ts';
import { isVersionError, notificationText, PLAIN } from './fault.ts';
import type { Negotiated } from './negotiate.ts';
import type { Event } from './vocabulary.ts';

/** UPDATEs go on as they are: they are read in place, and not here. */
export function messageEvent(frame: Uint8Array): Event {
  if (messageType(frame) === UPDATE_TYPE) return { type: 'UpdateMsg', frame };
  const result = decodeMessage(frame, PLAIN);
  if (result.kind === 'fault') return faultEvent(frame, result.fault);
  const { message } = result;
  switch (message.type) {
    case 'open':
      return { type: 'BGPOpen', open: message };
    case 'keepalive':
      return { type: 'KeepAliveMsg' };
    case 'notification':
      return notificationEvent(message);
    case 'route-refresh':
      return { type: 'RouteRefreshMsg', refresh: message };
    case 'update': // never decoded here
      return { type: 'UpdateMsg', frame };
  }
}

function notificationEvent(notification: Notification): Event {
  const { code, subcode, data } = notification;
  const fault: Fault = { text: notificationText(notification), code: [code, subcode], data };
  return { type: isVersionError(fault.code) ? 'NotifMsgVerErr' : 'NotifMsg', fault };
}

/** A NOTIFICATION is never answered with another, however broken it is. RFC 4271 §6.4. */
function faultEvent(frame: Uint8Array, fault: Fault): Event {
  if (messageType(frame) === NOTIFICATION_TYPE) {
    return { type: 'NotifMsg', fault: { ...fault, text: `NOTIFICATION received that cannot be read: ${fault.text}` } };
  }
  return { type: fault.code[0] === 2 ? 'BGPOpenMsgErr' : 'BGPHeaderErr', fault };
}

/** How long a message may be that the peer sends: RFC 8654 §4, in this direction. */
export const maxReceivedOctets = ({ receive }: Pick<Negotiated, 'receive'>): number =>
  receive.extendedMessage ? EXTENDED_MAX_OCTETS : MAX_OCTETS;
