import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCapture } from '../../../src/demo/capture.ts';
import { judgeFlow } from '../../../src/demo/checks/wire.ts';

/**
 * Both were written by tcpdump 4.99.3 between two namespaces: two plain pings, then two through the tunnel; vxlan.pcap
 * on Linux 6.18, ipip.pcap on Debian's 6.1.0-56 in the VM.
 */
const capture = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'captures', `${name}.pcap`));

describe('a capture file', () => {
  test('of VXLAN shows plain packets, and the wrapped ones with both pairs of addresses and the VNI', () => {
    const packets = readCapture(capture('vxlan'));
    expect(packets.map(({ wrapping }) => wrapping)).toEqual([...Array(4).fill('plain'), ...Array(4).fill('vxlan')]);
    expect(packets[4]).toEqual({
      at: Date.UTC(2026, 10, 23, 19, 50, 18) + 982.19,
      source: '172.30.1.11',
      destination: '172.30.2.11',
      wrapping: 'vxlan',
      vni: 4096,
      inner: { source: '192.168.1.1', destination: '192.168.2.1' },
      protocol: 1,
    });
  });

  test('of IP-in-IP shows protocol 4 with the inner addresses', () => {
    const packets = readCapture(capture('ipip'));
    expect(packets.map(({ wrapping }) => wrapping)).toEqual([...Array(4).fill('plain'), ...Array(4).fill('ipip')]);
    expect(packets[5]).toMatchObject({
      source: '172.30.2.11',
      destination: '172.30.1.11',
      inner: { source: '192.168.2.1', destination: '192.168.1.1' },
      protocol: 1,
    });
  });

  test('cut anywhere gives the packets before the cut and no error', () => {
    const file = capture('vxlan');
    const whole = readCapture(file);
    for (let length = 24; length < file.length; length++) {
      const packets = readCapture(file.subarray(0, length));
      expect(packets).toEqual(whole.slice(0, packets.length));
      expect(packets.length).toBeLessThan(whole.length);
    }
  });

  test('that is none is refused', () => {
    expect(() => readCapture(Buffer.from('something else that is long enough'))).toThrow('not a capture');
  });
});

describe('a flow on the wire', () => {
  const packets = [...readCapture(capture('ipip')), ...readCapture(capture('ipip'))];
  const flow = { title: 'pods', from: '192.168.1.1', to: '192.168.2.1', expected: 'ipip' } as const;
  const tunnel = ['172.30.1.11', '172.30.2.11'] as const;

  test('passes where both ways are wrapped between the right hosts', () => {
    expect(judgeFlow(packets, { ...flow, tunnel })).toMatchObject({
      ok: true,
      data: { there: 4, back: 4, unexpected: 0 },
    });
  });

  test('fails where the tunnel ends at another host', () => {
    expect(judgeFlow(packets, { ...flow, tunnel: ['172.30.1.12', '172.30.2.11'] }).ok).toBe(false);
  });

  test('fails where it should be plain, or be VXLAN', () => {
    expect(judgeFlow(packets, { ...flow, expected: 'plain' }).ok).toBe(false);
    expect(judgeFlow(packets, { ...flow, expected: 'vxlan', tunnel }).ok).toBe(false);
  });

  test('fails where VXLAN carries another VNI', () => {
    const wrapped = [...readCapture(capture('vxlan')), ...readCapture(capture('vxlan'))];
    const vxlan = { ...flow, expected: 'vxlan', tunnel } as const;
    expect(judgeFlow(wrapped, vxlan).ok).toBe(true);
    const other = wrapped.map((packet) => (packet.vni === undefined ? packet : { ...packet, vni: 4097 }));
    expect(judgeFlow(other, vxlan).ok).toBe(false);
  });

  test('fails where there are fewer packets than pings, or one way only', () => {
    expect(judgeFlow(packets.slice(0, 8), { ...flow, tunnel }).ok).toBe(false);
    expect(
      judgeFlow(
        packets.filter(({ source }) => source === '172.30.1.11'),
        { ...flow, tunnel },
      ).ok,
    ).toBe(false);
    expect(judgeFlow([], { ...flow, tunnel })).toMatchObject({
      ok: false,
      lines: [expect.stringContaining('no packet seen')],
    });
  });

  test('is not fooled by one plain packet among the wrapped ones', () => {
    const { at, protocol } = packets[4]!;
    const plain = { at, protocol, wrapping: 'plain', source: flow.from, destination: flow.to } as const;
    expect(judgeFlow([...packets, plain], { ...flow, tunnel })).toMatchObject({ ok: false, data: { unexpected: 1 } });
  });
});
