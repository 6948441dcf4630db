import { describe, expect, test } from 'vitest';
import { LLGR_STALE, NO_LLGR } from '../../../bird/rib/well-known.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const Q = '10.0.1.0/24';
const R = '10.0.2.0/24';

const longPath = { asPath: [{ type: 'sequence', asns: [65003, 1, 2, 3] }] } as const;

const gracefulRestart = { restartSeconds: 120, restarting: false, longLivedSeconds: 3600 } as const;

/** Peer 0 went away; peer 1 has a worse path for P; peer 2 listens, peer 3 too, but without long-lived graceful restart. */
function bench(): RoutingBench {
  const b = new RoutingBench([
    { address: '10.9.0.2' },
    { address: '10.9.0.3', remoteAsn: 65003 },
    { address: '10.9.0.4', remoteAsn: 65004, session: { gracefulRestart } },
    { address: '10.9.0.5', remoteAsn: 65005 },
  ]);
  b.announce(0, P, { attributes: attributesOf(1) });
  b.announce(0, Q, { attributes: attributesOf(2) });
  b.announce(0, R, { attributes: attributesOf(3, { communities: [3, NO_LLGR] }) });
  b.announce(1, P, { attributes: attributesOf(4, longPath) });
  b.sync();
  b.down(0);
  b.peers[0]!.adjRibIn[4].markStale();
  return b;
}

describe('routes past the restart time of their peer, RFC 9494', () => {
  test('are used where there are no others, marked; what must not be kept goes', () => {
    const b = bench();
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.1`, `${Q} via 10.8.0.2`, `${R} via 10.8.0.3`]);
    b.routing.startLongLived(b.peers[0]!, 4);
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.4`, `${Q} via 10.8.0.2`]);
    expect(b.told[2]!.get(Q)?.communities).toEqual([2, LLGR_STALE]);
    expect(b.has(3, Q)).toEqual([]);
    expect(b.reasons(P)).toEqual(['best path', 'lost by: not long-lived stale']);
    expect(b.peers[0]!.adjRibIn[4].stale).toBe(2);
  });

  test('stay so when policy is another, and when time is up a second time', () => {
    const b = bench();
    b.routing.startLongLived(b.peers[0]!, 4);
    b.adjust(0, { allowOwnAsn: 1 });
    b.sync();
    expect(b.reasons(P)).toEqual(['best path', 'lost by: not long-lived stale']);
    b.peers[0]!.adjRibIn[4].markStale();
    b.routing.startLongLived(b.peers[0]!, 4);
    b.sync();
    expect(b.told[2]!.get(Q)?.communities).toEqual([2, LLGR_STALE]);
    expect(b.reasons(P)).toEqual(['best path', 'lost by: not long-lived stale']);
  });

  test('are as ever when the peer says them again, and gone when it does not', () => {
    const b = bench();
    b.routing.startLongLived(b.peers[0]!, 4);
    b.up(0);
    b.announce(0, P, { attributes: attributesOf(1) });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.1`, `${Q} via 10.8.0.2`]);
    b.routing.sweepStale(b.peers[0]!, 4);
    b.sync();
    expect([b.learned(), b.has(2, Q)]).toEqual([[`${P} via 10.8.0.1`], []]);
    expect(b.held()).toEqual([0, 0, 0]);
  });

  test('that another router marked are preferred least, too', () => {
    const b = new RoutingBench([{ address: '10.9.0.2' }, { address: '10.9.0.3', remoteAsn: 65003 }]);
    b.announce(0, P, { attributes: attributesOf(1, { communities: [1, LLGR_STALE], localPref: 900 }) });
    b.announce(1, P, { attributes: attributesOf(4, longPath) });
    b.sync();
    expect(b.learned()).toEqual([`${P} via 10.8.0.4`]);
  });
});
