/** felix over a real tunl0 under fire; the machine is emulated, so there is less of it than in namespaces. */
import koffi from 'koffi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IPIP, seeds, teachFabric, tell } from '../../support/chaos-lab.ts';
import { testKills } from '../../support/chaos-kills.ts';
import { Mischief, restoreAfterEach, testFlush, testMtu, testUplink } from '../../support/chaos-mischief.ts';
import { DataplaneLab, HOSTS, eventually, poolOf } from '../../support/dataplane-lab.ts';
import { longestOutage } from '../../support/pinger.ts';

const lab = new DataplaneLab('ctx', { pools: [poolOf({ ipip: 'CrossSubnet' })] });
const mischief = new Mischief(lab, IPIP);

/** The kernel lets nobody delete tunl0 but with its module. */
const unloadIpip = (): void => {
  const remove = koffi.load('libc.so.6').func('int delete_module(const char *name, unsigned int flags)');
  const O_NONBLOCK = 0x800;
  expect(remove('ipip', O_NONBLOCK)).toBe(0);
};
const hasTunl0 = (): boolean => HOSTS.every(({ name }) => lab.ip(name, '-br', 'link').includes('tunl0'));

describe('felix over IPIP under fire', { timeout: 240_000 }, () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  restoreAfterEach(mischief);

  test('tunl0 gone with its module is back on every host with all that it had', async () => {
    const reports = await mischief.under('tunl0 deleted', async () => {
      const began = performance.now();
      const sinceThen = (): string => `${(performance.now() - began).toFixed(0)} ms`;
      unloadIpip();
      const unloaded = sinceThen();
      await eventually(hasTunl0, 30_000);
      const there = sinceThen();
      await mischief.becomesRight();
      tell(`ipip unloaded after ${unloaded}, tunl0 there after ${there}, routes right after ${sinceThen()}`);
    });
    expect(longestOutage(reports)).toBeLessThan(60_000);
  });

  testFlush(mischief);
  testUplink(mischief);
  testMtu(mischief);
});

describe('felix over IPIP, with a fabric that knows the blocks', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    await lab.start();
    teachFabric(lab);
  });

  afterAll(() => lab.close());

  testKills(lab, IPIP, { seeds: seeds([1]), kills: 10 });
});
