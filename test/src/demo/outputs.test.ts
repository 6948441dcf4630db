import { describe, expect, test } from 'vitest';
import { compareRoutes } from '../../../src/demo/checks/routes.ts';
import { readPing } from '../../../src/demo/ping-output.ts';
import { readRouteEvents } from '../../../src/demo/route-events.ts';
import { isBirdHelping, isFrrHelping } from '../../../src/demo/switches.ts';
import type { RouteReport } from '../../../src/api/contract.ts';

describe('ip monitor route', () => {
  // As iproute2 6.1 printed it, on a switch with BIRD.
  const text = [
    '[2026-11-23T19:26:09.451001] Deleted 192.168.1.0/26 via 172.30.1.11 dev rack proto bird metric 32 ',
    '[2026-11-23T19:26:09.451686] 192.168.1.0/26 via 172.30.1.11 dev rack proto bird metric 32 ',
    '[2026-11-23T19:26:10.000001] blackhole 192.168.2.0/26 proto 80 ',
    '[2026-11-23T19:26:10.000002] Deleted 192.168.2.1 dev cali0a1b2c3d4e5 proto 80 scope link ',
    '[2026-11-23T19:26:11.5',
  ].join('\n');

  test('tells what came and went, each with its prefix and its time', () => {
    const events = readRouteEvents(text);
    expect(events.map(({ prefix, deleted }) => [prefix, deleted])).toEqual([
      ['192.168.1.0/26', true],
      ['192.168.1.0/26', false],
      ['192.168.2.0/26', false],
      ['192.168.2.1/32', true],
    ]);
    expect(events[1]!.at - events[0]!.at).toBeCloseTo(0.685, 3);
    expect(events[0]!.text).toBe('Deleted 192.168.1.0/26 via 172.30.1.11 dev rack proto bird metric 32');
  });

  test('that said nothing has no events', () => expect(readRouteEvents('')).toEqual([]));
});

describe('ping', () => {
  test('counts what was sent and answered, and when', () => {
    const text = [
      'PING 192.168.2.1 (192.168.2.1) 56(84) bytes of data.',
      '[1795463418.982319] 64 bytes from 192.168.2.1: icmp_seq=1 ttl=62 time=0.5 ms',
      '[1795463419.002000] 64 bytes from 192.168.2.1: icmp_seq=2 ttl=62 time=0.5 ms',
      '',
      '--- 192.168.2.1 ping statistics ---',
      '3 packets transmitted, 2 received, 33.3% packet loss, time 207ms',
    ].join('\n');
    expect(readPing(text)).toEqual({ transmitted: 3, received: 2, answeredAt: [1795463418982.319, 1795463419002] });
  });

  test('that never ended counts nothing', () => {
    expect(readPing('PING 192.168.2.1')).toEqual({ transmitted: 0, received: 0, answeredAt: [] });
  });
});

describe('a switch that helps a restarting node', () => {
  // `birdc show protocols all` of BIRD 2.0.12.
  const bird = (state: string): string =>
    [
      'Name       Proto      Table      State  Since         Info',
      'nodes      BGP        ---        start  19:25:05.361  Passive',
      '  BGP state:          Passive',
      '    Neighbor range:   172.30.1.0/24',
      '',
      'node1      BGP        ---        start  19:25:45.099  Active        Socket: Connection closed',
      '  BGP state:          Active',
      '    Neighbor address: 172.30.1.11',
      '    Neighbor AS:      64512',
      ...(state === '' ? [] : [`    ${state}`]),
      '  Channel ipv4',
      '    State:          UP',
      '',
    ].join('\n');

  test('is told from what birdc says of that neighbor', () => {
    expect(isBirdHelping(bird('Neighbor graceful restart active'), '172.30.1.11')).toBe(true);
    expect(isBirdHelping(bird('Neighbor graceful restart active'), '172.30.1.1')).toBe(false);
    expect(isBirdHelping(bird(''), '172.30.1.11')).toBe(false);
  });

  test('is told from the stale paths of FRR', () => {
    const table = [
      'Status codes:  s suppressed, d damped, h history, * valid, > best, = multipath,',
      '               i internal, r RIB-failure, S Stale, R Removed',
      '*> 192.168.1.0/26   172.30.0.1                             0 65001 64512 ?',
      'S> 192.168.2.0/26   172.30.2.11                            0 64512 ?',
    ].join('\n');
    expect(isFrrHelping(table, '172.30.2.11')).toBe(true);
    expect(isFrrHelping(table, '172.30.0.1')).toBe(false);
    expect(isFrrHelping(table, '172.30.2.1')).toBe(false);
  });
});

describe('the kernel’s routes beside the agent’s', () => {
  const report = (prefix: string, reason: string): RouteReport => ({
    prefix,
    class: 'ipip',
    target: '',
    state: 'programmed',
    reason,
  });
  const kernel = 'blackhole 192.168.1.0/26 proto 80 \n192.168.1.1 dev cali0a1b2c3d4e5 proto 80 scope link \n';
  const reports = [report('192.168.1.0/26', 'own block'), report('192.168.1.1/32', 'pod demo/one')];
  const cli = '192.168.1.0/26 own block\n192.168.1.1/32 pod demo/one\n';

  test('agree where both know the same prefixes and the CLI prints each reason', () => {
    expect(compareRoutes(kernel, reports, cli).ok).toBe(true);
  });

  test('disagree where the kernel has one more', () => {
    const finding = compareRoutes(`${kernel}10.0.0.0/8 via 172.30.1.1 dev eth0 proto 80\n`, reports, cli);
    expect(finding).toMatchObject({
      ok: false,
      data: { withoutReason: ['10.0.0.0/8 via 172.30.1.1 dev eth0 proto 80'] },
    });
  });

  test('disagree where the agent has one more, or one that it could not write', () => {
    expect(compareRoutes(kernel, [...reports, report('10.0.0.0/8', 'x')], `${cli}10.0.0.0/8 x`).ok).toBe(false);
    const pending = reports.map((one) => ({ ...one, state: 'pending' }));
    expect(compareRoutes(kernel, pending, cli).ok).toBe(false);
  });

  test('agree where the agent says why it leaves one out, and only then', () => {
    const own = { ...report('172.30.1.0/24', 'learned'), state: 'unresolved' };
    const printed = `${cli}172.30.1.0/24 learned`;
    expect(compareRoutes(kernel, [...reports, { ...own, error: 'our own subnet' }], printed).ok).toBe(true);
    expect(compareRoutes(kernel, [...reports, own], printed).ok).toBe(false);
  });

  test('disagree where the CLI keeps a reason to itself, and where there is nothing at all', () => {
    expect(compareRoutes(kernel, reports, '192.168.1.0/26\n192.168.1.1/32 pod demo/one\n').ok).toBe(false);
    expect(compareRoutes('', [], '').ok).toBe(false);
  });
});
