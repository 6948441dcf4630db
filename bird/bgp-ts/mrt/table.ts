import { afis, safis } from '../iana.ts';
import { bgp4mpMessage } from './bgp4mp-message.ts';
import { bgp4mpStateChange } from './bgp4mp-state-change.ts';
import type { RecordCodec } from './codec.ts';
import { geoPeerTable } from './geo-peer-table.ts';
import { peerIndexTable } from './peer-index-table.ts';
import type { KnownRecord } from './record.ts';
import { rib } from './rib.ts';

/** One subtype of MRT: its numbers and its name as registered with IANA. */
export interface SubtypeRow<R extends KnownRecord = KnownRecord> {
  readonly type: number;
  readonly subtype: number;
  readonly name: string;
  readonly codec: RecordCodec<R>;
}

const tableDumpV2 = <R extends KnownRecord>(subtype: number, name: string, codec: RecordCodec<R>): SubtypeRow<R> => ({
  type: 13,
  subtype,
  name,
  codec,
});

const bgp4mp = <R extends KnownRecord>(subtype: number, name: string, codec: RecordCodec<R>): SubtypeRow<R> => ({
  type: 16,
  subtype,
  name: `BGP4MP_${name}`,
  codec,
});

const ribs = [
  ['RIB_IPV4_UNICAST', { afi: afis.ipv4, safi: safis.unicast }, 2, 8],
  ['RIB_IPV4_MULTICAST', { afi: afis.ipv4, safi: safis.multicast }, 3, 9],
  ['RIB_IPV6_UNICAST', { afi: afis.ipv6, safi: safis.unicast }, 4, 10],
  ['RIB_IPV6_MULTICAST', { afi: afis.ipv6, safi: safis.multicast }, 5, 11],
] as const;

const message = (fourOctetAs: boolean, local: boolean, addPath: boolean): ReturnType<typeof bgp4mpMessage> =>
  bgp4mpMessage({ fourOctetAs, local, addPath });

/** A kind of record without a row does not compile, nor a row without a codec. What has no row is kept as bytes. */
const table: {
  readonly [T in KnownRecord['type']]: readonly SubtypeRow<Extract<KnownRecord, { readonly type: T }>>[];
} = {
  'peer-index-table': [tableDumpV2(1, 'PEER_INDEX_TABLE', peerIndexTable)],
  rib: [
    ...ribs.map(([name, family, subtype]) => tableDumpV2(subtype, name, rib({ family, addPath: false }))),
    tableDumpV2(6, 'RIB_GENERIC', rib({ addPath: false })),
    ...ribs.map(([name, family, , subtype]) => tableDumpV2(subtype, `${name}_ADDPATH`, rib({ family, addPath: true }))),
    tableDumpV2(12, 'RIB_GENERIC_ADDPATH', rib({ addPath: true })),
  ],
  'geo-peer-table': [tableDumpV2(7, 'GEO_PEER_TABLE', geoPeerTable)],
  'bgp4mp-message': [
    bgp4mp(1, 'MESSAGE', message(false, false, false)),
    bgp4mp(4, 'MESSAGE_AS4', message(true, false, false)),
    bgp4mp(6, 'MESSAGE_LOCAL', message(false, true, false)),
    bgp4mp(7, 'MESSAGE_AS4_LOCAL', message(true, true, false)),
    bgp4mp(8, 'MESSAGE_ADDPATH', message(false, false, true)),
    bgp4mp(9, 'MESSAGE_AS4_ADDPATH', message(true, false, true)),
    bgp4mp(10, 'MESSAGE_LOCAL_ADDPATH', message(false, true, true)),
    bgp4mp(11, 'MESSAGE_AS4_LOCAL_ADDPATH', message(true, true, true)),
  ],
  'bgp4mp-state-change': [
    bgp4mp(0, 'STATE_CHANGE', bgp4mpStateChange(false)),
    bgp4mp(5, 'STATE_CHANGE_AS4', bgp4mpStateChange(true)),
  ],
};

/** The table ties each row to the type of its records. */
const rows = Object.values(table).flat() as unknown as readonly SubtypeRow[];

const byNumbers: ReadonlyMap<string, SubtypeRow> = new Map(rows.map((row) => [`${row.type}/${row.subtype}`, row]));

/** The row of a type (the plain one, not its _ET) and subtype; undefined for what nobody here reads. */
export const rowOfNumbers = (type: number, subtype: number): SubtypeRow | undefined =>
  byNumbers.get(`${type}/${subtype}`);

/** The subtype that `record` is written in; undefined where none fits, such as a VPN prefix without `generic`. */
export const rowOfRecord = (record: KnownRecord): SubtypeRow | undefined =>
  (table[record.type] as unknown as readonly SubtypeRow[]).find(({ codec }) => codec.writes(record));
