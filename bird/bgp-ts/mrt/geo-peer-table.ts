import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { RecordCodec } from './codec.ts';
import type { GeoPeerTable, LocatedPeer } from './record.ts';

/** GEO_PEER_TABLE, RFC 6397 §4. */
export const geoPeerTable: RecordCodec<GeoPeerTable> = {
  writes: () => true,
  decode: (body) => ({
    type: 'geo-peer-table',
    collectorBgpIdentifier: body.u32(),
    latitude: readFloat(body),
    longitude: readFloat(body),
    peers: Array.from({ length: body.u16() }, () => decodePeer(body)),
  }),
  encode: (out, { collectorBgpIdentifier, latitude, longitude, peers }) => {
    out.u32(collectorBgpIdentifier, 'collector BGP identifier');
    writeFloat(out, latitude);
    writeFloat(out, longitude);
    out.u16(peers.length, 'peer count');
    for (const peer of peers) encodePeer(out, peer);
  },
};

const decodePeer = (body: Reader): LocatedPeer => ({
  peerType: body.u8(),
  bgpIdentifier: body.u32(),
  latitude: readFloat(body),
  longitude: readFloat(body),
});

function encodePeer(out: Writer, { peerType, bgpIdentifier, latitude, longitude }: LocatedPeer): void {
  out.u8(peerType, 'peer type');
  out.u32(bgpIdentifier, 'peer BGP identifier');
  writeFloat(out, latitude);
  writeFloat(out, longitude);
}

/** IEEE 754, 32 bits, big-endian. */
function readFloat(body: Reader): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setUint32(0, body.u32());
  return bits.getFloat32(0);
}

function writeFloat(out: Writer, value: number): void {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  // All NaNs are the same number here, and what a machine makes of one is its own affair.
  out.u32(Number.isNaN(value) ? 0x7fc00000 : bits.getUint32(0));
}
