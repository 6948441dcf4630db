import { beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane } from '../../felix/index.ts';
import { createDataplane, createLinuxKernel } from '../../felix/index.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { isRoot } from '../support/netns.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

describe('what the dataplane tells of itself', () => {
  let kernel: FakeKernel;
  let clock: FakeClock;
  let dataplane: Dataplane;

  beforeEach(async () => {
    kernel = new FakeKernel();
    clock = new FakeClock();
    dataplane = createDataplane(settings, { kernel, clock, random: () => 0, log: silentLogger });
    await dataplane.start();
  });

  test('started, without inputs: nothing is reconciled, however long it waits', async () => {
    await clock.advance(600_000);
    expect(dataplane.health()).toEqual({ hasReconciled: false });
  });

  test('after the first pass: reconciled', async () => {
    dataplane.update(inputs());
    await clock.advance(1);
    await dataplane.settled();
    expect(dataplane.health()).toEqual({ hasReconciled: true });
  });

  test('the kernel cannot be read: the reason, until it can', async () => {
    kernel.failNext('listRoutes', { code: 'EMFILE', times: 1 });
    await clock.advance(1);
    kernel.emit({ kind: 'overrun' });
    dataplane.update(inputs());
    await clock.advance(10);
    expect(dataplane.health()).toEqual({ hasReconciled: false, error: expect.stringContaining('EMFILE') as string });
    await clock.advance(2000);
    expect(dataplane.health()).toEqual({ hasReconciled: true });
  });

  test('a pass that hangs tells since when it runs', async () => {
    await clock.advance(5000);
    kernel.listRoutes = () => new Promise(() => undefined);
    kernel.emit({ kind: 'overrun' });
    dataplane.update(inputs());
    await clock.advance(60_000);
    const { passSince = 0, hasReconciled } = dataplane.health();
    expect(hasReconciled).toBe(false);
    expect(passSince).toBeGreaterThanOrEqual(5000);
    expect(passSince).toBeLessThan(7000);
  });

  test('a heartbeat is a round trip: refused where the kernel refuses', async () => {
    await dataplane.heartbeat();
    kernel.failNext('resolve', { code: 'ENOBUFS' });
    await expect(dataplane.heartbeat()).rejects.toThrow('ENOBUFS');
  });
});

test.skipIf(!isRoot)("the real kernel's heart beats, and stops with its socket", async () => {
  const kernel = createLinuxKernel();
  const dataplane = createDataplane(settings, {
    ...{ kernel, clock: new FakeClock(), random: () => 0, log: silentLogger },
  });
  await dataplane.heartbeat();
  await dataplane.close();
  await expect(dataplane.heartbeat()).rejects.toThrow();
});
