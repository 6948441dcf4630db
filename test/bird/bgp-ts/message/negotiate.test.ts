import { describe, expect, test } from 'vitest';
import type { Capability, Open } from '../../../../bird/bgp-ts/index.ts';
import { asnOf, negotiatedContexts } from '../../../../bird/bgp-ts/index.ts';

const open = (asn: number, ...capabilities: readonly Capability[]): Open => ({
  type: 'open',
  version: 4,
  asn,
  holdSeconds: 90,
  bgpIdentifier: 1,
  capabilities,
});

const ipv4 = { afi: 1, safi: 1 };
const ipv6 = { afi: 2, safi: 1 };
const four = (asn: number): Capability => ({ name: 'four-octet-as', asn });
const addPath = (mode: 'send' | 'receive' | 'both'): Capability => ({
  name: 'add-path',
  entries: [
    { family: ipv4, mode },
    { family: ipv6, mode: 'both' },
  ],
});

describe('what two OPENs settle', () => {
  test('four-octet AS numbers where both have them, and the true AS decides what is external', () => {
    expect(negotiatedContexts(open(1, four(1)), open(2)).receive).toMatchObject({ fourOctetAs: false, external: true });
    const { receive, send } = negotiatedContexts(open(23456, four(70000)), open(23456, four(70000)));
    expect([receive.fourOctetAs, send.external]).toEqual([true, false]);
    expect(asnOf(open(23456, four(70000)))).toBe(70000);
    expect(negotiatedContexts(open(1), open(2), false).send.external).toBe(false);
  });

  test('ADD-PATH in one direction needs one side that sends and one that receives, RFC 7911 §4', () => {
    const { receive, send } = negotiatedContexts(open(1, addPath('receive')), open(1, addPath('both')));
    expect([...receive.addPath].sort()).toEqual(['1/1', '2/1']);
    expect([...send.addPath]).toEqual(['2/1']);
    expect(negotiatedContexts(open(1, addPath('send')), open(1, addPath('send'))).send.addPath).toEqual(
      new Set(['2/1']),
    );
    expect(negotiatedContexts(open(1, addPath('both')), open(1)).receive.addPath.size).toBe(0);
  });

  test('long messages may go to whoever says so, RFC 8654 §4', () => {
    const { receive, send } = negotiatedContexts(open(1, { name: 'extended-message' }), open(1));
    expect([receive.extendedMessage, send.extendedMessage]).toEqual([true, false]);
  });

  test('several labels where both can take more than one, RFC 8277 §2.1', () => {
    const labels = (count: number): Capability => ({
      name: 'multiple-labels',
      entries: [{ family: { afi: 1, safi: 4 }, count }],
    });
    expect(negotiatedContexts(open(1, labels(2)), open(1, labels(255))).receive.multipleLabels).toEqual(
      new Set(['1/4']),
    );
    expect(negotiatedContexts(open(1, labels(2)), open(1, labels(1))).send).not.toHaveProperty('multipleLabels');
  });

  test('IPv6 next hops for IPv4 where both say so, RFC 8950 §4', () => {
    const entries = [{ family: ipv4, nextHopAfi: 2 }];
    const capability: Capability = { name: 'extended-next-hop', entries };
    expect([...negotiatedContexts(open(1, capability), open(1, capability)).send.extendedNextHop]).toEqual(['1/1']);
    expect(negotiatedContexts(open(1, capability), open(1)).receive.extendedNextHop.size).toBe(0);
    const ownAfi: Capability = { name: 'extended-next-hop', entries: [{ family: ipv4, nextHopAfi: 1 }] };
    expect(negotiatedContexts(open(1, ownAfi), open(1, capability)).receive.extendedNextHop.size).toBe(0);
  });
});
