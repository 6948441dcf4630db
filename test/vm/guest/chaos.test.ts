/** felix over a real tunl0 under fire; the machine is emulated, so there is less of it than in namespaces. */
import koffi from 'koffi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IPIP, tell } from '../../support/chaos-lab.ts';
import { Mischief, restoreAfterEach, testFlush, testMtu, testUplink } from '../../support/chaos-mischief.ts';
import { DataplaneLab, HOSTS, poolOf } from '../../support/dataplane-lab.ts';
import { KernelDiary } from '../../support/kernel-diary.ts';
import { run } from '../../support/netns.ts';
import { longestOutage } from '../../support/pinger.ts';

const lab = new DataplaneLab('ctx', { pools: [poolOf({ ipip: 'CrossSubnet' })] });
const mischief = new Mischief(lab, IPIP);

/** The kernel lets nobody delete tunl0 but with its module. */
const unloadIpip = (): void => {
  const remove = koffi.load('libc.so.6').func('int delete_module(const char *name, unsigned int flags)');
  const O_NONBLOCK = 0x800;
  expect(remove('ipip', O_NONBLOCK)).toBe(0);
};

/** What the kernel takes to load the module for somebody who asks for a link of it; milliseconds. */
function timeOfLoad(): number {
  unloadIpip();
  const began = performance.now();
  run('ip', 'link', 'add', 'probe', 'type', 'ipip', 'local', '192.0.2.1', 'remote', '192.0.2.2');
  const took = performance.now() - began;
  run('ip', 'link', 'del', 'probe');
  return took;
}

/** How many times as long as the kernel's own work the whole may take: an emulated machine is slow, and slow for both. */
const TIMES_THE_KERNELS = 10;
/** Less than that says more of the machine than of us. */
const LEAST_BOUND_MS = 5000;

describe('felix over IPIP under fire', { timeout: 600_000 }, () => {
  let loadMs = 0;

  beforeAll(async () => {
    loadMs = timeOfLoad();
    await lab.start();
  });

  afterAll(() => lab.close());

  restoreAfterEach(mischief);

  test('tunl0 gone with its module is back on every host with all that it had', async () => {
    const diaries = await Promise.all(HOSTS.map(({ name }) => KernelDiary.open(lab.space(name))));
    let [began, unloadMs] = [0, 0];
    const reports = await mischief.under('tunl0 deleted', async () => {
      began = Date.now();
      unloadIpip();
      unloadMs = Date.now() - began;
      await mischief.becomesRight();
    });
    tell(`ipip unloaded in ${unloadMs} ms; without felix it loads in ${loadMs.toFixed(0)} ms`);
    for (const [i, diary] of diaries.entries()) {
      await diary.close();
      const [gone, back, routes] = diary.timesOf(/^Deleted \d+: tunl0/, /^\d+: tunl0/, /dev tunl0 proto 80/);
      const after = [gone, back, routes].map((at) => `${(at ?? NaN) - began} ms`);
      tell(
        `on ${HOSTS[i]!.name} tunl0 was gone after ${after[0]}, back after ${after[1]}, its route after ${after[2]}`,
      );
    }
    expect(longestOutage(reports)).toBeLessThan(Math.max(LEAST_BOUND_MS, TIMES_THE_KERNELS * (unloadMs + loadMs)));
  });

  testFlush(mischief);
  testUplink(mischief);
  testMtu(mischief);
});
