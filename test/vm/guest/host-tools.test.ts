/** What the doctor's probe, the uninstall and a take-over from Calico need a real ipip module for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataplane, createLinuxKernel, recordingKernel } from '../../../felix/index.ts';
import { openNamespace } from '../../../felix/netlink/namespace.ts';
import { carryOut, readUninstallPlan } from '../../../felix/uninstall.ts';
import { takeOverSuite } from '../../compliance/take-over.ts';
import { probe } from '../../../src/host/probe/probe.ts';
import type { TunnelOutcome } from '../../../src/host/probe/probe.ts';
import { loadLibc } from '../../../src/linux/libc.ts';
import { formatIpAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { inputs, learned, node, pool } from '../../support/dataplane-inputs.ts';
import { MemoryOfHost } from '../../support/host-memory.ts';
import { makeNetns } from '../../support/netns.ts';
import type { TestNetns } from '../../support/netns.ts';

const A = '172.30.1.11';
const B = '172.30.1.12';
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.after(ms, resolve));

let a: TestNetns;
let b: TestNetns;

/** The kernel makes tunl0 in every namespace once the module is there; asked for it, it says that it exists. */
function needTunl0(netns: TestNetns): void {
  netns.run('sh', '-c', 'ip link show tunl0 >/dev/null 2>&1 || ip link add tunl0 type ipip');
}

describe('a take-over of tunl0', () => {
  takeOverSuite('cthost-over', 'tunl0');
});

beforeEach(() => {
  [a, b] = ['a', 'b'].map((name) => makeNetns(`cthost-${name}`)) as [TestNetns, TestNetns];
  a.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', b.name);
  for (const [netns, address] of [
    [a, A],
    [b, B],
  ] as const) {
    netns.run('ip', 'link', 'set', 'lo', 'up');
    netns.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    // A link-local address is tentative for a while: a host that changes by itself.
    netns.run('ip', 'link', 'set', 'eth0', 'addrgenmode', 'none');
    netns.run('ip', 'link', 'set', 'eth0', 'up');
    needTunl0(netns);
    netns.run('ip', 'link', 'set', 'tunl0', 'down');
  }
});
afterEach(() => {
  for (const netns of [a, b]) netns.remove();
});

describe('the probe', () => {
  const [OWN, THEIRS] = ['192.168.1.1', '192.168.2.1'].map((text) => parseIpAddress(text));

  const ask = async (): Promise<TunnelOutcome> => {
    const namespace = openNamespace(loadLibc(), a.path);
    try {
      const target = { address: parseIpAddress(B), ipip: { address: THEIRS! } };
      const source = { address: parseIpAddress(A), mtu: 1500, ipip: { address: OWN! } };
      // Its sockets are opened before it waits for the first time, and stay where they were opened.
      const asked = namespace.visit(() => probe([target], source, { clock: systemClock, sleep }));
      const [result] = await asked;
      expect(result).toMatchObject({ small: { kind: 'answered' }, large: { kind: 'answered' } });
      return result!.ipip!;
    } finally {
      namespace.close();
    }
  };
  /** Each has its tunnel address, and a route to the other's through tunl0. */
  const joinTunnels = (): void => {
    for (const [netns, own, other, node] of [
      [a, OWN, THEIRS, B],
      [b, THEIRS, OWN, A],
    ] as const) {
      netns.run('ip', 'address', 'add', `${formatIpAddress(own!)}/32`, 'dev', 'tunl0');
      netns.run('ip', 'link', 'set', 'tunl0', 'up');
      netns.run('ip', 'route', 'add', formatIpAddress(other!), 'via', node, 'dev', 'tunl0', 'onlink');
    }
  };
  const drop = (netns: TestNetns, hook: string): void => {
    const chain = `add chain inet t c { type filter hook ${hook} priority 0; }`;
    netns.run('nft', `add table inet t; ${chain}; add rule inet t c ip protocol 4 drop`);
  };
  const answered = { kind: 'answered' };

  test('there and back, whatever rp_filter says', async () => {
    joinTunnels();
    expect(await ask()).toMatchObject({ there: answered, andBack: answered });
    for (const netns of [a, b]) netns.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    expect(await ask()).toMatchObject({ there: { kind: 'silent' }, andBack: answered });
  });

  test('blocked in one direction, it tells which', async () => {
    joinTunnels();
    drop(b, 'output');
    expect(await ask()).toMatchObject({ there: answered, andBack: { kind: 'silent' } });
    b.run('nft', 'delete', 'table', 'inet', 't');
    drop(b, 'input');
    expect(await ask()).toMatchObject({ there: { kind: 'silent' }, andBack: { kind: 'silent' } });
  });

  test('a tunl0 that is down says port unreachable', async () => {
    const refused = { kind: 'refused', by: parseIpAddress(B), why: 'port unreachable' };
    expect(await ask()).toEqual({ there: refused, andBack: refused });
  });
});

describe('uninstall', () => {
  const snapshot = (): readonly string[] =>
    [
      // Without -d: that a link was up once shows in its details (IPv6 is attached to it), and nobody can take it off.
      a.run('ip', '-j', 'link'),
      a.run('ip', '-j', 'address'),
      // In no order: the kernel's tables are walked as they grew.
      ...['-4', '-6'].map((family) =>
        a.run('ip', family, 'route', 'show', 'table', 'all').split('\n').sort().join('\n'),
      ),
      a.run('sh', '-c', 'cd /proc/sys/net && grep -r . ipv4/conf ipv4/ip_forward | sort'),
    ]
      .join('\n')
      // A link that was up once keeps its queue; only a new link has none.
      .replaceAll('"qdisc":"noop"', '"qdisc":"noqueue"')
      .split(/\n|(?<=\}),(?=\{)/);

  test('a tunl0 goes back to what it was before us', async () => {
    a.run('sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward');
    const before = snapshot();
    const kernel = createLinuxKernel({ netns: a.path });
    const memory = new MemoryOfHost();
    const dataplane = createDataplane(
      { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 },
      {
        ...{ kernel: recordingKernel(kernel, memory), clock: systemClock, random: () => 0, log: silentLogger },
      },
    );
    await dataplane.start();
    dataplane.update(
      inputs({
        local: node('a', `${A}/24`, { ipip: '192.168.1.1' }),
        nodes: [node('b', `${B}/24`, { ipip: '192.168.2.1' })],
        pools: [pool('192.168.0.0/16', { ipip: 'Always' })],
        localBlocks: [parsePrefix('192.168.1.0/26')],
        learned: [learned('192.168.2.0/26', B)],
      }),
    );
    await dataplane.settled();
    expect(a.run('ip', 'route')).toContain('dev tunl0 proto 80');
    await dataplane.close();

    const after = createLinuxKernel({ netns: a.path });
    const { steps } = await readUninstallPlan(after, memory.record);
    await carryOut(steps, after, (_, error) => expect(error).toBeUndefined());
    expect((await readUninstallPlan(after, memory.record)).steps).toEqual([]);
    await after.close();
    const now = snapshot();
    expect(now.filter((line) => !before.includes(line)).join('\n')).toBe('');
    expect(before.filter((line) => !now.includes(line)).join('\n')).toBe('');
  });
});
