/** What the doctor's probe, the uninstall and a take-over from Calico need a real ipip module for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDataplane, createLinuxKernel, recordingKernel } from '../../../felix/index.ts';
import { openNamespace } from '../../../felix/netlink/namespace.ts';
import { carryOut, readUninstallPlan } from '../../../felix/uninstall.ts';
import { takeOverSuite } from '../../compliance/take-over.ts';
import { probe } from '../../../src/host/probe/probe.ts';
import type { ProbeResult } from '../../../src/host/probe/probe.ts';
import { loadLibc } from '../../../src/linux/libc.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { inputs, learned, node, pool } from '../../support/dataplane-inputs.ts';
import { MemoryOfHost } from '../../support/host-memory.ts';
import { makeNetns } from '../../support/netns.ts';
import type { TestNetns } from '../../support/netns.ts';

const A = '172.30.1.11';
const B = '172.30.1.12';
const word = (text: string): number => parseIpAddress(text).words[0]!;
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
  const ask = async (): Promise<ProbeResult> => {
    const namespace = openNamespace(loadLibc(), a.path);
    try {
      // Its sockets are opened before it waits for the first time, and stay where they were opened.
      const asked = namespace.visit(() =>
        probe([{ address: word(B) }], { address: word(A), mtu: 1500 }, { clock: systemClock, sleep }),
      );
      return (await asked)[0]!;
    } finally {
      namespace.close();
    }
  };

  test('a tunl0 that is up there takes the packet out, and the kernel answers', async () => {
    b.run('ip', 'link', 'set', 'tunl0', 'up');
    expect(await ask()).toMatchObject({
      small: { kind: 'answered' },
      large: { kind: 'answered' },
      ipip: { kind: 'answered' },
    });
  });

  test('one that is down says port unreachable', async () => {
    expect((await ask()).ipip).toEqual({ kind: 'refused', by: word(B), code: 3 });
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
