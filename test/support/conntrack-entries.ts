/** Connections as a test gives them to a kernel and finds them again; into the real one by ctnetlink, out of it by procfs. */
import { AF, FLAG, NESTED } from '../../felix/netlink/constants.ts';
import { addressOctets, concat, encodeAttributes, portOctets, u8 } from '../../felix/netlink/attribute.ts';
import { openNamespace } from '../../felix/netlink/namespace.ts';
import { NetlinkSocket } from '../../felix/netlink/socket.ts';
import { netlinkThread } from '../../felix/netlink/thread.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import { formatIpAddress, parseIpAddress } from '../../src/model/ip.ts';
import type { TestNetns } from './netns.ts';

export interface Connection {
  readonly protocol: 'udp' | 'tcp';
  readonly from: string;
  readonly to: string;
  /** Where the answers come from and go to: not as above where NAT took part. */
  readonly answersFrom: string;
  readonly answersTo: string;
}

/** One that no NAT has touched. */
export const plainConnection = (protocol: Connection['protocol'], from: string, to: string): Connection => ({
  ...{ protocol, from, to },
  ...{ answersFrom: to, answersTo: from },
});

export const connectionText = ({ protocol, from, to, answersFrom, answersTo }: Connection): string =>
  `${protocol} ${from} > ${to}, ${answersFrom} > ${answersTo}`;

const NEW_CONNTRACK = 0x100;
const CTA = { tupleOriginal: 1, tupleReply: 2, protocolInfo: 4, timeout: 7, zone: 18 } as const;
const NUMBER = { tcp: 6, udp: 17 } as const;

/** Ports 40000 to 53. `zone`: one of its own. */
export async function addConntrackEntry(netns: TestNetns, connection: Connection, zone = 0): Promise<void> {
  const { protocol, from, to, answersFrom, answersTo } = connection;
  const seconds = new Uint8Array(4);
  new DataView(seconds.buffer).setUint32(0, 300);
  const isIpv4 = parseIpAddress(from).family === 4;
  const body = concat([
    Uint8Array.of(isIpv4 ? AF.inet : AF.inet6, 0, 0, 0),
    encodeAttributes([
      [CTA.tupleOriginal | NESTED, tuple(protocol, [from, 40_000], [to, 53])],
      [CTA.tupleReply | NESTED, tuple(protocol, [answersFrom, 53], [answersTo, 40_000])],
      // ESTABLISHED
      ...(protocol === 'tcp' ? [[CTA.protocolInfo | NESTED, nested(1, nested(1, u8(3), 0))] as const] : []),
      [CTA.timeout, seconds],
      ...(zone === 0 ? [] : [[CTA.zone, portOctets(zone)] as const]),
    ]),
  ]);
  const libc = loadLibc();
  const namespace = openNamespace(libc, netns.path);
  const socket = namespace.visit(() => new NetlinkSocket(libc, netlinkThread, 'netfilter'));
  netlinkThread.take();
  const verdict = await socket.execute({ type: NEW_CONNTRACK, flags: FLAG.create | FLAG.excl, body });
  await socket.close();
  await netlinkThread.release();
  namespace.close();
  if (verdict.errno !== 0) throw new Error(`conntrack entry ${connectionText(connection)}: errno ${verdict.errno}`);
}

const nested = (type: number, value: Uint8Array, flag = NESTED): Uint8Array => encodeAttributes([[type | flag, value]]);

function tuple(
  protocol: Connection['protocol'],
  [source, sourcePort]: readonly [string, number],
  [destination, destinationPort]: readonly [string, number],
): Uint8Array {
  const [from, to] = [parseIpAddress(source), parseIpAddress(destination)];
  const first = from.family === 4 ? 1 : 3;
  return encodeAttributes([
    [
      1 | NESTED,
      encodeAttributes([
        [first, addressOctets(from)],
        [first + 1, addressOctets(to)],
      ]),
    ],
    [
      2 | NESTED,
      encodeAttributes([
        [1, u8(NUMBER[protocol])],
        [2, portOctets(sourcePort)],
        [3, portOctets(destinationPort)],
      ]),
    ],
  ]);
}

/** As /proc/net/nf_conntrack tells them, in the words of connectionText, sorted. */
export function conntrackEntries(netns: TestNetns): readonly string[] {
  const lines = netns.run('cat', '/proc/net/nf_conntrack').split('\n');
  return lines
    .flatMap((line) => {
      const protocol = /\s(udp|tcp)\s/.exec(line)?.[1];
      const addresses = [...line.matchAll(/(?:src|dst)=(\S+)/g)].map(([, text = '']) =>
        formatIpAddress(parseIpAddress(text)),
      );
      const [from, to, answersFrom, answersTo] = addresses;
      if (protocol === undefined || answersTo === undefined) return [];
      return [`${protocol} ${from} > ${to}, ${answersFrom} > ${answersTo}`];
    })
    .sort();
}
