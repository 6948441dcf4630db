import type { RecordCodec } from './codec.ts';
import type { Bgp4mpStateChange, RecordedState } from './record.ts';
import { bgpStates } from './record.ts';
import { decodeSession, encodeSession } from './recorded-session.ts';

/** STATE_CHANGE and STATE_CHANGE_AS4, RFC 6396 §4.4.1, §4.4.4. */
export const bgp4mpStateChange = (fourOctetAs: boolean): RecordCodec<Bgp4mpStateChange> => ({
  writes: (record) => record.fourOctetAs === fourOctetAs,
  decode: (body) => ({
    type: 'bgp4mp-state-change',
    ...decodeSession(body, fourOctetAs),
    oldState: stateOf(body.u16()),
    newState: stateOf(body.u16()),
  }),
  encode: (out, record) => {
    encodeSession(out, record);
    out.u16(numberOf(record.oldState), 'old state');
    out.u16(numberOf(record.newState), 'new state');
  },
});

const stateOf = (number: number): RecordedState => bgpStates[number - 1] ?? number;

const numberOf = (state: RecordedState): number => (typeof state === 'number' ? state : bgpStates.indexOf(state) + 1);
