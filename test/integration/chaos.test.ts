/** What a host may go through, over VXLAN and under traffic: a minute. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VXLAN } from '../support/chaos-lab.ts';
import { Mischief, restoreAfterEach, testMischief, testMtu, testRenamedPod } from '../support/chaos-mischief.ts';
import { a, b, DataplaneLab, poolOf } from '../support/dataplane-lab.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot } from '../support/netns.ts';
import { longestOutage, lossOf } from '../support/pinger.ts';
import { kernelRoutes } from '../support/route-oracle.ts';

const lab = new DataplaneLab('ctc', { pools: [poolOf({ vxlan: 'CrossSubnet' })] });
const mischief = new Mischief(lab, VXLAN);
/** The VXLAN link of host a, under whatever name. */
const linksOf = (): string => lab.ip('a', '-br', 'link', 'show', 'type', 'vxlan');

describe.runIf(isRoot || process.env['CI'] !== undefined)('felix over VXLAN under fire', () => {
  beforeAll(() => lab.start());

  afterAll(() => lab.close());

  restoreAfterEach(mischief);

  test('vxlan.calico deleted is back with all that it had', async () => {
    const reports = await mischief.under('vxlan.calico deleted', async () => {
      lab.ip('a', 'link', 'del', 'vxlan.calico');
      await eventually(() => linksOf().includes('vxlan.calico'));
      await mischief.becomesRight();
    });
    expect(longestOutage(reports)).toBeLessThan(5000);
  });

  test('vxlan.calico renamed: the routes stay, nothing else is made beside it, and no packet is lost', async () => {
    const reports = await mischief.under('vxlan.calico renamed', async ({ answers }) => {
      lab.ip('a', 'link', 'set', 'vxlan.calico', 'name', 'other');
      const { routes } = await lab.update(a);
      const far = routes.find(({ route }) => route.class === 'vxlan');
      expect(far).toMatchObject({ state: 'unresolved' });
      expect(far?.error).toMatch(/^vxlan\.calico: another VXLAN link has VNI 4096, port 4789/);
      await answers(20);
      expect(kernelRoutes(lab, a)).toContain(`${b.block} via ${b.vxlan} dev other onlink`);
      lab.ip('a', 'link', 'set', 'other', 'name', 'vxlan.calico');
      await mischief.becomesRight();
    });
    expect(lossOf(reports)).toEqual({});
  });

  test('the uplink renamed: the routes follow its name, and no packet is lost', async () => {
    const rename = (from: string, to: string): void => void lab.ip('a', 'link', 'set', from, 'name', to);
    const reports = await mischief.under('uplink renamed', async ({ answers }) => {
      const heard = await lab.monitored('a', async () => {
        rename('eth0', 'uplink0');
        const { routes } = await lab.restart(a);
        expect(routes.map(({ state }) => state)).toEqual(routes.map(() => 'programmed'));
        await answers(20);
      });
      // The kernel tells of the new name; of ours, nothing was written.
      expect(heard).not.toContain('proto 80');
      rename('uplink0', 'eth0');
      await mischief.becomesRight();
    });
    expect(lossOf(reports)).toEqual({});
  });

  testMischief(mischief);
  testRenamedPod(mischief);
  testMtu(mischief);
});
