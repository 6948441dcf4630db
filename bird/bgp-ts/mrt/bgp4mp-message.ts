import type { CodecContext } from '../context.ts';
import type { DecodeResult } from '../message/table.ts';
import { decodeMessage } from '../message/table.ts';
import type { RecordCodec } from './codec.ts';
import { everyFamily, recordedContext } from './context.ts';
import type { Bgp4mpMessage } from './record.ts';
import { decodeSession, encodeSession } from './recorded-session.ts';

/** One of the eight MESSAGE subtypes: RFC 6396 §4.4.2, §4.4.3, RFC 8050 §3. */
export const bgp4mpMessage = (
  layout: Pick<Bgp4mpMessage, 'fourOctetAs' | 'local' | 'addPath'>,
): RecordCodec<Bgp4mpMessage> => ({
  writes: ({ fourOctetAs, local, addPath }) =>
    fourOctetAs === layout.fourOctetAs && local === layout.local && addPath === layout.addPath,
  decode: (body) => ({
    type: 'bgp4mp-message',
    ...decodeSession(body, layout.fourOctetAs),
    ...layout,
    bgp: body.rest(),
  }),
  encode: (out, record) => {
    encodeSession(out, record);
    out.bytes(record.bgp);
  },
});

/**
 * The BGP message in a record. AS numbers and path identifiers are as its subtype says; of what else two peers settle a
 * record tells nothing, so all of it is allowed but several labels, and the peer counts as internal. `changes` is for who knows better.
 * Never throws.
 */
export const decodeBgp4mpMessage = (
  { bgp, fourOctetAs, addPath }: Pick<Bgp4mpMessage, 'bgp' | 'fourOctetAs' | 'addPath'>,
  changes: Partial<CodecContext> = {},
): DecodeResult =>
  decodeMessage(bgp, { ...recordedContext, fourOctetAs, ...(addPath && { addPath: everyFamily }), ...changes });
