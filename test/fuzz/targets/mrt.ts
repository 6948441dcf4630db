import type { MrtRecord } from '../../../bird/bgp-ts/mrt/index.ts';
import {
  decodeBgp4mpMessage,
  decodeMrt,
  encodeMrt,
  formatMrt,
  mrtFromJson,
  MrtReader,
  mrtToJson,
} from '../../../bird/bgp-ts/mrt/index.ts';
import { checkFault, checkResult, checkValue, isOneLine, promise } from '../check-shape.ts';
import { comparableAttributes } from '../comparable.ts';
import { mrtSeeds } from '../corpus-mrt.ts';
import { deepEqual, firstDifference } from '../deep-equal.ts';
import { Mutator } from '../mutate.ts';
import { sessions } from '../session.ts';
import type { FuzzTarget } from './target.ts';

const mutator = new Mutator(mrtSeeds);
/** RIB entries have AS numbers of four octets. */
const fourOctetAs = sessions.find((session) => session.fourOctetAs)!;

/** One record of a dump, and the same octets as a file in chunks. */
export const mrt: FuzzTarget = {
  name: 'mrt',
  share: 4,
  seeds: mrtSeeds,
  make: (random) => mutator.make(random),
  run: (octets) => {
    // Its buffer costs more than a decoding.
    if ((octets.at(-1) ?? 0) % 16 === 0) checkReader(octets);
    const result = decodeMrt(octets);
    if (result.kind === 'malformed') {
      promise(result.text !== '' && isOneLine(result.text), 'the text of a fault is not one line');
      return 'malformed';
    }
    promise((result.kind as string) === 'ok', 'neither ok nor malformed');
    const { record } = result;
    // Degrees are no whole numbers.
    if (record.type !== 'geo-peer-table') checkValue(record, '');
    promise(isOneLine(formatMrt(record)), 'the text of a record is more than one line');
    if (record.type === 'bgp4mp-message') checkResult(decodeBgp4mpMessage(record));
    const hasFaults = record.type === 'rib' && checkEntries(record);
    const json = mrtFromJson(JSON.parse(JSON.stringify(mrtToJson(record))));
    promise(json.kind === 'ok', () => `its own JSON is refused: ${json.kind === 'ok' ? '' : json.text}`);
    promise(deepEqual(record, json.record), () => `from JSON it is another, ${firstDifference(record, json.record)}`);
    if (hasFaults) return `ok ${record.type} with faults`;
    const again = decodeMrt(encodeMrt(record));
    promise(again.kind === 'ok', () => `encoded again it is malformed: ${again.kind === 'ok' ? '' : again.text}`);
    const [a, b] = [comparable(record), comparable(again.record)];
    promise(deepEqual(a, b), () => `encoded again it is another, ${firstDifference(a, b)}`);
    return `ok ${record.type}`;
  },
};

type Rib = Extract<MrtRecord, { readonly type: 'rib' }>;

/** True where an attribute was malformed, which no encoder writes again. */
function checkEntries({ entries }: Rib): boolean {
  for (const { faults } of entries) for (const fault of faults) checkFault(fault);
  return entries.some(({ faults }) => faults.length > 0);
}

function comparable(record: MrtRecord): unknown {
  if (record.type !== 'rib') return record;
  const entries = record.entries.map((entry) => ({
    ...entry,
    attributes: comparableAttributes(entry.attributes, fourOctetAs),
  }));
  return { ...record, entries };
}

/** The same records and the same end, whatever the chunks. */
function checkReader(octets: Uint8Array): void {
  const whole = read(octets, octets.length);
  const pieces = read(octets, 1 + (octets.length % 13));
  promise(deepEqual(whole, pieces), () => `chunks make a difference, ${firstDifference(whole, pieces)}`);
}

function read(octets: Uint8Array, chunkOctets: number): unknown {
  const reader = new MrtReader(1 << 20);
  const records: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += chunkOctets) {
    reader.push(octets.subarray(at, at + chunkOctets));
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (next.kind === 'frame') records.push(next.bytes.slice());
    }
  }
  return { records, end: reader.end() };
}
