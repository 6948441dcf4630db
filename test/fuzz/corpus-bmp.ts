import { bytes, context } from '../support/bgp-bytes.ts';
import { messageSeeds } from './corpus.ts';
import { Dissection, roles } from './dissect.ts';
import type { Seed } from './mutate.ts';

const HEADER_OCTETS = 6;
const PEER_OCTETS = 42;

const number = (value: number, octets: number): string => value.toString(16).padStart(octets * 2, '0');
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const text = (value: string): string => Buffer.from(value).toString('hex');
const v6 = '20010db8000000000000000000000001';
const v4 = `${'00'.repeat(12)}c0000202`;

/** RFC 7854 §4.1: version, length of all, type. */
const message = (type: number, body: string): Uint8Array => {
  const octets = bytes(body);
  return bytes('03', number(HEADER_OCTETS + octets.length, 4), number(type, 1), hexOf(octets));
};

/** RFC 7854 §4.4: type and length in two octets each. */
const tlv = (type: number, value: string): string => `${number(type, 2)}${number(bytes(value).length, 2)}${value}`;

/** RFC 7854 §4.2: type, flags, distinguisher, address, AS, identifier, time. */
const peer = (type: number, flags: number, address = v4): string =>
  `${number(type, 1)}${number(flags, 1)} 0000000000000000 ${address} 0000fde9 c0000202 65000000 000f423f`;

const peers: readonly string[] = [
  peer(0, 0),
  peer(0, 0x80, v6),
  peer(0, 0x40),
  peer(0, 0x20),
  peer(0, 0x10),
  peer(1, 0x50).replace('0000000000000000', '0000fde900000064'),
  peer(2, 0),
  peer(3, 0x80, '00'.repeat(16)),
  peer(9, 0xff),
];

const updates = messageSeeds
  .filter(({ octets }) => octets[18] === 2 && octets.length < 200)
  .map(({ octets }) => octets);
const opens = messageSeeds.filter(({ octets }) => octets[18] === 1 && octets.length < 120).map(({ octets }) => octets);
const notification = hexOf(messageSeeds.find(({ octets }) => octets[18] === 3)!.octets);
const ports = '00b3 c001';

const statistics = [
  ...[0, 1, 2, 3, 4, 5, 6, 11, 12, 13].map((type) => tlv(type, '00000007')),
  ...[7, 8, 14, 15].map((type) => tlv(type, '0000000000000007')),
  ...[9, 10, 16, 17].map((type) => tlv(type, '000101 0000000000000007')),
  tlv(99, '010203'),
];

const plain: readonly Uint8Array[] = [
  message(4, tlv(0, text('hello')) + tlv(1, text('a router')) + tlv(2, text('r1')) + tlv(77, 'ff00')),
  message(4, ''),
  message(5, tlv(0, text('bye')) + tlv(1, '0001')),
  message(5, tlv(1, '0000')),
  message(1, `${peers[0]!} ${number(statistics.length, 4)} ${statistics.join('')}`),
  message(1, `${peers[7]!} 00000000`),
  message(2, `${peers[0]!} 01 ${notification}`),
  message(2, `${peers[1]!} 02 0018`),
  message(2, `${peers[0]!} 03 ${notification}`),
  message(2, `${peers[0]!} 04`),
  message(2, `${peers[0]!} 05`),
  message(2, `${peers[7]!} 06 ${tlv(3, text('default'))}`),
  message(2, `${peers[0]!} 09 0102`),
  message(6, peers[0]! + tlv(0, hexOf(updates[0]!)) + tlv(1, '0001')),
  message(99, 'deadbeef'),
];

const monitored = updates.slice(0, 90).map((update, i) => message(0, peers[i % peers.length]! + hexOf(update)));
const ups = opens.slice(0, 24).map((open, i) => {
  const [own, local] = [peers[i % peers.length]!, i % peers.length === 1 ? v6 : v4];
  const information = i % 3 === 0 ? tlv(0, text('up')) + tlv(3, text('default')) + tlv(4, text('label')) : '';
  return message(3, `${own} ${local} ${ports} ${hexOf(open)} ${hexOf(opens[0]!)} ${information}`);
});

/** Messages of every type, peer type and reason that RFC 7854, 8671 and 9069 have, and of some that they have not. */
export const bmpSeeds: readonly Seed[] = [...plain, ...monitored, ...ups].map((octets) => {
  const session = context({ external: false });
  const dissection = new Dissection(octets, session);
  dissection.measured(roles.message, [0, octets.length], 1);
  dissection.item(roles.octet, 5, 6);
  const type = octets[5]!;
  const body = type === 4 || type === 5 ? HEADER_OCTETS : HEADER_OCTETS + PEER_OCTETS;
  if (body > HEADER_OCTETS)
    for (const at of [0, 1]) dissection.item(roles.octet, HEADER_OCTETS + at, HEADER_OCTETS + at + 1);
  if (type === 0) dissection.message(body);
  else if (type === 1) dissection.tlvs(body + 4, octets.length, 2);
  else if (type === 2) dissection.item(roles.octet, body, body + 1);
  else if (type === 3) dissection.tlvs(dissection.message(dissection.message(body + 20)), octets.length, 2);
  else if (type <= 6) dissection.tlvs(body, octets.length, 2);
  return { octets, session, spans: dissection.spans };
});
