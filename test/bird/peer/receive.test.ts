import { describe, expect, test, vi } from 'vitest';
import { PLAIN } from '../../../bird/peer/fault.ts';
import type { Negotiated, Outcome } from '../../../bird/peer/negotiate.ts';
import { maxReceivedOctets, messageEvent } from '../../../bird/peer/receive.ts';
import { encodeMessage } from '../../../bird/wire.ts';
import type { CodecContext } from '../../../bird/wire.ts';
import { localSettings } from '../../support/bgp.ts';
import { context } from '../../support/bgp-bytes.ts';
import { session } from '../../support/fsm-cases.ts';
import { SessionBench } from '../../support/session-bench.ts';

// Extended messages agreed on in the direction towards us, whatever the OPENs say.
vi.mock(import('../../../bird/peer/negotiate.ts'), async (load) => {
  const real = await load();
  const negotiate = (...given: Parameters<typeof real.negotiate>): Outcome => {
    const outcome = real.negotiate(...given);
    if (outcome.kind === 'refused') return outcome;
    return { ...outcome, session: { ...outcome.session, ...{ receive: { ...PLAIN, extendedMessage: true } } } };
  };
  return { ...real, negotiate };
});

describe('a message longer than 4096 octets, RFC 8654', () => {
  const long = new Uint8Array(5000).fill(0xff, 0, 16);
  long.set([5000 >> 8, 5000 & 255, 2], 16);

  test('is taken once the OPENs have agreed on it, and not before', () => {
    const bench = new SessionBench(localSettings());
    bench.session.start();
    bench.establish().sayOctets(long);
    expect(bench.told).toEqual(['up', 'update']);
    bench.last.hangUp();
    bench.session.reset({ text: 'reset', code: [6, 4], data: new Uint8Array() });
    bench.last.open().sayOctets(long);
    expect(bench.last.sent.at(-1)).toBe('1/2');
  });

  test('is a matter of the direction towards us', () => {
    const extended: CodecContext = { ...PLAIN, extendedMessage: true };
    const withContexts = (receive: CodecContext, send: CodecContext): Negotiated => ({
      ...session,
      ...{ receive, send },
    });
    expect(maxReceivedOctets(withContexts(extended, PLAIN))).toBe(65535);
    expect(maxReceivedOctets(withContexts(PLAIN, extended))).toBe(4096);
  });
});

describe('a NOTIFICATION', () => {
  const notification = (code: number, subcode: number) =>
    messageEvent(encodeMessage({ type: 'notification', code, subcode, data: new Uint8Array() }, context()));

  test('about the version is Event 24, any other Event 25', () => {
    expect(notification(2, 1)).toMatchObject({ type: 'NotifMsgVerErr', fault: { code: [2, 1] } });
    expect(notification(2, 2)).toMatchObject({ type: 'NotifMsg' });
    expect(notification(6, 2)).toMatchObject({
      type: 'NotifMsg',
      fault: { text: 'NOTIFICATION received: Cease / Administrative Shutdown' },
    });
  });
});
