import { hex, formatHex } from '../json/address.ts';
import { constant, oneOf, record, tagged, u16, u8 } from '../json/codec.ts';
import type { CodecContext } from '../context.ts';
import type { Reader } from '../reader.ts';
import { formatBgp, takeBgpMessage, writeBgpMessage } from './bgp-message.ts';
import type { PeerDown } from './message.ts';
import { decodePeerHeader, encodePeerHeader, formatPeerHeader, peerHeaderJson } from './peer-header.ts';
import { peerTlvs } from './peer-tlvs.ts';
import type { BmpSpec } from './spec.ts';

/** The place in the list is the code, RFC 7854 §4.9, RFC 9069 §5.3. */
const reasons = [
  undefined,
  'local-notification',
  'local-no-notification',
  'remote-notification',
  'remote-no-notification',
  'de-configured',
  'loc-rib-closed',
] as const;

type OfReason<R extends PeerDown['reason']> = Extract<PeerDown, { readonly reason: R }>;

const head = { type: constant('peer-down'), peer: peerHeaderJson };

const withNotification = record<OfReason<'local-notification' | 'remote-notification'>>({
  ...head,
  reason: oneOf(['local-notification', 'remote-notification']),
  bgp: hex(),
});

const withoutData = record<OfReason<'remote-no-notification' | 'de-configured'>>({
  ...head,
  reason: oneOf(['remote-no-notification', 'de-configured']),
});

/** RFC 7854 §4.9: per-peer header, reason, and what belongs to the reason. */
export const peerDown: BmpSpec<PeerDown> = {
  number: 2,
  decode: (body) => decodeReason({ type: 'peer-down', peer: decodePeerHeader(body) }, body),
  encode: (out, message) => {
    encodePeerHeader(out, message.peer);
    const code = message.reason === 'unknown' ? message.code : reasons.indexOf(message.reason);
    out.u8(code, 'reason');
    if ('bgp' in message) writeBgpMessage(out, message.bgp, 'notification');
    if ('fsmEvent' in message) out.u16(message.fsmEvent, 'FSM event');
    if ('tlvs' in message) peerTlvs.encode(out, message.tlvs);
    if ('data' in message) out.bytes(message.data);
  },
  json: tagged<PeerDown>('reason', {
    'local-notification': withNotification,
    'local-no-notification': record<OfReason<'local-no-notification'>>({
      ...head,
      reason: constant('local-no-notification'),
      fsmEvent: u16,
    }),
    'remote-notification': withNotification,
    'remote-no-notification': withoutData,
    'de-configured': withoutData,
    'loc-rib-closed': record<OfReason<'loc-rib-closed'>>({
      ...head,
      reason: constant('loc-rib-closed'),
      tlvs: peerTlvs.json,
    }),
    unknown: record<OfReason<'unknown'>>({
      ...head,
      reason: constant('unknown'),
      code: u8,
      data: hex(),
    }),
  }),
  line: (message, context) => ` ${formatPeerHeader(message.peer)}: ${message.reason}${formatDetails(message, context)}`,
};

function decodeReason(message: Pick<PeerDown, 'type' | 'peer'>, body: Reader): PeerDown {
  const code = body.u8();
  const reason = reasons[code];
  switch (reason) {
    case 'local-notification':
    case 'remote-notification':
      return { ...message, reason, bgp: takeBgpMessage(body, 'notification') };
    case 'local-no-notification':
      return { ...message, reason, fsmEvent: body.u16() };
    case 'remote-no-notification':
    case 'de-configured':
      return { ...message, reason };
    case 'loc-rib-closed':
      return { ...message, reason, tlvs: peerTlvs.decode(body) };
    case undefined:
      return { ...message, reason: 'unknown', code, data: body.rest() };
  }
}

function formatDetails(message: PeerDown, context: CodecContext): string {
  if ('bgp' in message) return ` ${formatBgp(message.bgp, context)}`;
  if ('fsmEvent' in message) return ` event ${message.fsmEvent}`;
  if ('tlvs' in message) return peerTlvs.line(message.tlvs, context);
  return 'data' in message ? ` ${message.code} ${formatHex(message.data)}`.trimEnd() : '';
}
