/** Answers to route refresh, RFC 2918 §4, with marks around them where both sides speak RFC 7313. */
import type { IpFamily } from '../../src/model/ip.ts';
import { familyOf } from '../peer/negotiate.ts';
import { encodeMessage } from '../wire.ts';
import type { Exports } from './exports.ts';
import type { RoutingPeer } from './peer.ts';

/**
 * What is to be sent for a refresh when there is no UPDATE to send: BoRR before everything is told again, EoRR behind it.
 * However often the peer asks, one answer follows another. Not before End-of-RIB: RFC 7313 §4.
 */
export function nextRefresh(exports: Exports, peer: RoutingPeer, family: IpFamily): Uint8Array | undefined {
  const { negotiated } = peer.session ?? {};
  if (negotiated === undefined) return undefined;
  const mark = (subtype: 'begin' | 'end'): Uint8Array =>
    encodeMessage({ type: 'route-refresh', family: familyOf(family), subtype }, negotiated.send);
  if (exports.isTellingAgain(peer, family)) return undefined;
  if (peer.refreshing.delete(family)) return mark('end');
  if (!peer.refreshDue.has(family) || exports.isTelling(peer, family)) return undefined;
  peer.refreshDue.delete(family);
  exports.tellAgain(peer, family);
  if (!negotiated.enhancedRefresh) return exports.nextUpdate(peer, family);
  peer.refreshing.add(family);
  return mark('begin');
}
