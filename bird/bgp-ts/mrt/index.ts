/** MRT, the file format of routing dumps: RFC 6396, 6397, 8050. README.md tells the rest. */
export { decodeBgp4mpMessage } from './bgp4mp-message.ts';
export { formatMrt } from './format.ts';
export type { MrtFromJson } from './json.ts';
export { mrtFromJson, mrtToJson } from './json.ts';
export type { MrtResult } from './mrt.ts';
export { decodeMrt, encodeMrt } from './mrt.ts';
export type { MrtFrame } from './mrt-reader.ts';
export { MAX_RECORD_OCTETS, MrtReader } from './mrt-reader.ts';
export type {
  Bgp4mpMessage,
  Bgp4mpStateChange,
  GeoPeerTable,
  IndexedPeer,
  LocatedPeer,
  MrtRecord,
  PeerIndexTable,
  RecordedState,
  Rib,
  RibEntry,
  UnknownRecord,
} from './record.ts';
export { bgpStates } from './record.ts';
