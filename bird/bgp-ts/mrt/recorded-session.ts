import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import { addressOctets, afiOf, readAsn, writeAsn } from './field.ts';
import type { RecordedSession } from './record.ts';

type Head = Omit<RecordedSession, 'timestampSeconds' | 'microseconds'>;

/** The head that all BGP4MP subtypes share, RFC 6396 §4.4. The address family is that of the two addresses alone. */
export function decodeSession(body: Reader, fourOctetAs: boolean): Head {
  const peerAsn = readAsn(body, fourOctetAs);
  const localAsn = readAsn(body, fourOctetAs);
  const interfaceIndex = body.u16();
  const octets = addressOctets(body.u16());
  const peerAddress = body.take(octets);
  return { peerAsn, localAsn, interfaceIndex, peerAddress, localAddress: body.take(octets), fourOctetAs };
}

/** Throws a plain Error where a value does not fit. */
export function encodeSession(out: Writer, session: Head): void {
  const { peerAsn, localAsn, interfaceIndex, peerAddress, localAddress, fourOctetAs } = session;
  const afi = afiOf(peerAddress);
  if (afiOf(localAddress) !== afi) throw new Error('peer and local address are of two families');
  writeAsn(out, fourOctetAs, [peerAsn, 'peer AS']);
  writeAsn(out, fourOctetAs, [localAsn, 'local AS']);
  out.u16(interfaceIndex, 'interface index');
  out.u16(afi);
  out.bytes(peerAddress);
  out.bytes(localAddress);
}
