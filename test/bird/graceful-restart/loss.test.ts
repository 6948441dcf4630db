import { describe, expect, test } from 'vitest';
import { mayBeRestart } from '../../../bird/graceful-restart/loss.ts';
import type { Loss } from '../../../bird/peer/vocabulary.ts';

const told = (direction: 'sent' | 'received', code: number, subcode: number): Loss => ({
  cause: 'notification',
  notification: { direction, code: [code, subcode] },
});

describe('a loss that may be a restart, without the N bit and with it', () => {
  test.each<readonly [string, Loss, readonly [without: boolean, withN: boolean]]>([
    ['a broken connection', { cause: 'connection' }, [true, true]],
    ['silence', { cause: 'hold' }, [false, true]],
    ['a NOTIFICATION of theirs', told('received', 3, 1), [false, true]],
    ['a NOTIFICATION of ours', told('sent', 3, 1), [false, true]],
    ['their Cease', told('received', 6, 4), [false, true]],
    ['their Hard Reset', told('received', 6, 9), [false, false]],
    ['our Hard Reset', told('sent', 6, 9), [false, false]],
    ['our stop', { cause: 'stop' }, [false, false]],
    ['BFD', { cause: 'bfd' }, [false, false]],
    ['any other error', { cause: 'error' }, [false, false]],
  ])('%s', (_, loss, expected) => {
    expect([mayBeRestart(loss, false), mayBeRestart(loss, true)]).toEqual(expected);
  });
});
