import { describe, expect, test } from 'vitest';
import { UpdateReader } from '../../../bird/rib/update-reader.ts';
import { aigpMetric } from '../../../bird/wire.ts';
import { agreed, localSettings, openOf } from '../../support/bgp.ts';
import { mandatory, updateFrame } from '../../support/bgp-bytes.ts';
import { attributesOf, RoutingBench } from '../../support/routing-bench.ts';

const P = '10.0.0.0/24';
const LOCAL_PREF = '400504 00000064';
const aigp = (metric: number): string => `801a0b 01000b 00000000000000${metric.toString(16).padStart(2, '0')}`;

describe('AIGP, RFC 7311', () => {
  /** A reflector with two clients and an external peer; both clients and the peer speak through readers. */
  function bench(isOn: boolean) {
    const client = { remoteAsn: 64512, routeReflectorClient: true } as const;
    const b = new RoutingBench(
      [
        { address: '10.9.0.2', ...client },
        { address: '10.9.0.3', ...client },
        { address: '10.9.0.4', ...client },
        { address: '10.9.0.5', remoteAsn: 65001 },
      ],
      { clusterId: 9, decision: { aigp: isOn } },
    );
    const read = (at: number, frame: Uint8Array): void => {
      const local = localSettings({ remoteAsn: b.peers[at]!.settings.remoteAsn });
      expect(
        new UpdateReader(agreed(local, openOf(local, 10 + at)), b.routing.sinkFor(b.peers[at]!)).read(frame),
      ).toEqual({});
    };
    return { b, read };
  }
  const frame = (rest: string): Uint8Array => updateFrame({ attributes: `${mandatory} ${rest}`, nlri: '18 0a0000' });
  const metricAt = (b: RoutingBench, at: number): bigint | undefined => aigpMetric(b.told[at]!.get(P) ?? {});

  test('decides inside the AS where it is on, goes on inside and not out', () => {
    const { b, read } = bench(true);
    read(0, frame(`${LOCAL_PREF} ${aigp(20)}`));
    read(1, frame(`${LOCAL_PREF} ${aigp(10)}`));
    b.sync();
    expect(b.reasons(P)).toEqual(['best path', 'lost by: lower AIGP']);
    expect([2, 3].map((at) => metricAt(b, at))).toEqual([10n, undefined]);
  });

  test('counts for nothing where it is off, and goes nowhere', () => {
    const { b, read } = bench(false);
    read(0, frame(`${LOCAL_PREF} ${aigp(20)}`));
    read(1, frame(`${LOCAL_PREF} ${aigp(10)}`));
    b.sync();
    expect(b.reasons(P)).toEqual(['best path', 'equal path, lost by: f) lower BGP Identifier']);
    expect(metricAt(b, 2)).toBeUndefined();
  });

  test('is not taken from outside, though the same octets were taken from inside, unless the peer is set up for it', () => {
    const { b, read } = bench(true);
    read(0, frame(`${LOCAL_PREF} ${aigp(20)}`));
    read(3, frame(aigp(5)));
    b.sync();
    expect(b.reasons(P)).toEqual(['best path', 'lost by: AIGP over none']);
    b.adjust(3, { aigp: true });
    read(3, frame(aigp(5)));
    b.sync();
    expect(b.views().map(({ from, best }) => [from, best])).toContainEqual(['10.9.0.5 (global)', true]);
  });
});

test('MED is compared between ASes where that is set', () => {
  const best = (alwaysCompareMed: boolean): readonly string[] => {
    const b = new RoutingBench([{ address: '10.9.0.2' }, { address: '10.9.0.3', remoteAsn: 65003 }], {
      decision: { alwaysCompareMed },
    });
    b.announce(0, P, { attributes: attributesOf(1, { med: 9 }) });
    b.announce(1, P, { attributes: attributesOf(2, { asPath: [{ type: 'sequence', asns: [65003] }], med: 1 }) });
    b.sync();
    return b.reasons(P);
  };
  expect(best(false)).toEqual(['best path', 'equal path, lost by: f) lower BGP Identifier']);
  expect(best(true)).toEqual(['best path', 'lost by: c) lower MED']);
});
