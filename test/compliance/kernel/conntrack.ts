import { beforeEach, describe, expect, test } from 'vitest';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { connectionText, plainConnection } from '../../support/conntrack-entries.ts';
import type { Connection } from '../../support/conntrack-entries.ts';
import type { KernelBench } from './bench.ts';

/** Connections of an address that moved. */
export function conntrackContract(given: () => KernelBench): void {
  describe('forgets connections', () => {
    const [pod, other] = ['10.8.0.5', '10.8.0.6'];
    const service = { protocol: 'udp', from: '10.1.0.9', to: '10.96.0.10', answersTo: '10.1.0.9' } as const;
    const ofPod: readonly Connection[] = [
      plainConnection('udp', pod, '10.1.0.2'),
      plainConnection('tcp', pod, '10.1.0.3'),
      plainConnection('udp', '10.1.0.4', pod),
      plainConnection('tcp', '10.1.0.4', pod),
      { ...service, answersFrom: pod },
      { ...plainConnection('tcp', pod, '198.51.100.1'), answersTo: '10.1.0.1' },
    ];
    const ofOthers: readonly Connection[] = [
      plainConnection('udp', other, '10.1.0.2'),
      plainConnection('tcp', other, '10.1.0.3'),
      plainConnection('udp', '10.1.0.5', other),
      { ...service, from: '10.1.0.8', answersFrom: other },
      plainConnection('tcp', 'fd00::5', 'fd00::6'),
    ];
    const texts = (all: readonly Connection[]): readonly string[] => all.map(connectionText).sort();

    beforeEach(async () => {
      const { connections } = given();
      for (const one of [...ofPod, ...ofOthers]) await connections.give(one);
    });

    test('of one address, UDP and TCP, either way and through NAT, and no others', async () => {
      const { kernel, connections } = given();
      expect(connections.list()).toEqual(texts([...ofPod, ...ofOthers]));
      expect(await kernel.flushConntrack([parseIpAddress(pod)])).toBe(ofPod.length);
      expect(connections.list()).toEqual(texts(ofOthers));
      expect(await kernel.flushConntrack([parseIpAddress(pod)])).toBe(0);
    });

    test('of an IPv6 address', async () => {
      const { kernel, connections } = given();
      expect(await kernel.flushConntrack([parseIpAddress('fd00::6')])).toBe(1);
      expect(connections.list()).toHaveLength(ofPod.length + ofOthers.length - 1);
    });

    test('of many addresses at once', async () => {
      const { kernel, connections } = given();
      const many = Array.from({ length: 20 }, (_, i) => parseIpAddress(`10.99.0.${i}`));
      const addresses = [...many, parseIpAddress(pod), parseIpAddress('fd00::5')];
      expect(await kernel.flushConntrack(addresses)).toBe(ofPod.length + 1);
      expect(connections.list()).toEqual(texts(ofOthers.slice(0, -1)));
    });

    test('of none', async () => {
      const { kernel, connections } = given();
      expect(await kernel.flushConntrack([])).toBe(0);
      expect(connections.list()).toHaveLength(ofPod.length + ofOthers.length);
    });
  });
}
