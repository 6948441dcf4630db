import type { MessageCodec } from './codec.ts';
import type { Keepalive } from './message.ts';

/** RFC 4271 §4.4: a header and nothing else. */
export const keepalive: MessageCodec<Keepalive> = {
  decode: () => ({ type: 'keepalive' }),
  encode: () => undefined,
};
