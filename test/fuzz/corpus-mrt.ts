import { bytes, context, mandatory } from '../support/bgp-bytes.ts';
import { messageSeeds } from './corpus.ts';
import { Dissection, roles } from './dissect.ts';
import type { Seed } from './mutate.ts';

const HEADER_OCTETS = 12;

const number = (value: number, octets: number): string => value.toString(16).padStart(octets * 2, '0');
const octetsOf = (hex: string): number => bytes(hex).length;
const v6 = '20010db8000000000000000000000001';

/** RFC 6396 §2: timestamp, type, subtype, length. */
const record = (type: number, subtype: number, body: string): Uint8Array =>
  bytes('65000000', number(type, 2), number(subtype, 2), number(octetsOf(body), 4), body);

/** RFC 6396 §4.3.4: peer, time, attributes; RFC 8050 §4 puts a path identifier before their length. */
const entry = (attributes: string, pathId = ''): string =>
  `0000 65000000 ${pathId} ${number(octetsOf(attributes), 2)} ${attributes}`;

const mpNextHop = `800e11 10${v6}`;
const path = '40010100 4002060201 0000fde9';

const tableDumps: readonly Uint8Array[] = [
  record(
    13,
    1,
    `c0000201 0003 726962 0003 00 c0000202 c0000202 fde9 02 c0000203 c0000203 0000fde9 03 c0000204 ${v6} 0000fde9`,
  ),
  record(13, 1, 'c0000201 0000 0000'),
  record(13, 2, `00000000 18 0a0001 0002 ${entry(mandatory)} ${entry(`${mandatory} 800404 00000064`)}`),
  record(13, 3, `00000001 18 0a0001 0001 ${entry(mandatory)}`),
  record(13, 4, `00000002 20 20010db8 0001 ${entry(path + mpNextHop)}`),
  record(13, 5, `00000003 20 20010db8 0000`),
  record(13, 6, `00000004 0001 80 70 000641 0000fde900000064 0a0001 0001 ${entry(path)}`),
  record(13, 6, `00000004 0019 46 0211 00 0001 ${entry(path)}`),
  record(13, 7, 'c0000201 00000000 00000000 0001 00 c0000202 c0000202 fde9 42280000 41500000'),
  record(13, 8, `00000005 18 0a0001 0001 ${entry(mandatory, '00000007')}`),
  record(13, 10, `00000005 20 20010db8 0001 ${entry(path + mpNextHop, '00000007')}`),
  record(13, 12, `00000006 0001 04 30 000641 0a0001 0001 ${entry(path, '00000007')}`),
  record(12, 1, `0000 0001 0a000100 18 01 65000000 c0000202 fde9 ${number(octetsOf(mandatory), 2)} ${mandatory}`),
];

const head2 = 'fde9 fdea 0000 0001 c0000202 c0000201';
const head4 = `0000fde9 0000fdea 0000 0002 ${v6} ${v6}`;
const states: readonly Uint8Array[] = [
  record(16, 0, `${head2} 0003 0006`),
  record(16, 5, `${head4} 0006 0001`),
  record(17, 5, `000f4240 ${head4} 0006 0001`),
  record(48, 0, '0102'),
  record(11, 0, 'deadbeef'),
];

const messages: readonly Uint8Array[] = messageSeeds
  .filter(({ octets }) => octets.length < 200)
  .slice(0, 120)
  .map(({ octets }, i) => {
    const message = Buffer.from(octets).toString('hex');
    const [subtype, head] = [[1, head2] as const, [4, head4] as const][i % 2]!;
    if (i % 5 === 0) return record(17, subtype, `000f423f ${head} ${message}`);
    return record(
      16,
      i % 7 === 0 ? (subtype === 1 ? 8 : 9) : i % 11 === 0 ? subtype + (subtype === 1 ? 5 : 3) : subtype,
      head + message,
    );
  });

/** Records of every type and subtype that RFC 6396, 6397 and 8050 have, and of some that they have not. */
export const mrtSeeds: readonly Seed[] = [...tableDumps, ...states, ...messages].map((octets) => {
  const session = context({ external: false });
  const dissection = new Dissection(octets, session);
  dissection.measured(roles.content, [HEADER_OCTETS, octets.length], 8);
  dissection.item(roles.mrtType, 4, 6);
  dissection.item(roles.mrtSubtype, 6, 8);
  if (octets[5] === 13) dissectEntries(dissection);
  const marker = octets.findIndex(
    (octet, at) => octet === 0xff && octets.subarray(at, at + 16).every((each) => each === 0xff),
  );
  if (marker >= 0) dissection.message(marker);
  return { octets, session, spans: dissection.spans };
});

/** The attributes begin with ORIGIN here, behind their length. */
function dissectEntries(dissection: Dissection): void {
  const { octets } = dissection;
  for (let at = HEADER_OCTETS + 2; at + 4 <= octets.length; at++) {
    if (octets[at] !== 0x40 || octets[at + 1] !== 1 || octets[at + 2] !== 1 || octets[at + 3] !== 0) continue;
    const end = dissection.content(at, 2);
    dissection.item(roles.number, at - 2, at);
    dissection.attributes(at, end);
  }
}
