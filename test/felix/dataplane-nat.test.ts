import { expect, test } from 'vitest';
import type { Dataplane } from '../../felix/index.ts';
import { createDataplane } from '../../felix/index.ts';
import type { DataplaneInputs } from '../../felix/inputs.ts';
import { listingOf } from '../../felix/nat/listing.ts';
import { planNat } from '../../felix/nat/plan.ts';
import { parseInterfaceAddress, parsePrefix } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { inputs, pool } from '../support/dataplane-inputs.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { FakeNftables } from '../support/fake-nftables.ts';

const settings = { resyncSeconds: 90, ipipMtu: 0, vxlanMtu: 0, vxlanVni: 4096, vxlanPort: 4789 };

interface Rig {
  readonly kernel: FakeKernel;
  readonly nftables: FakeNftables;
  readonly clock: FakeClock;
  readonly dataplane: Dataplane;
}

async function start(): Promise<Rig> {
  const [kernel, nftables, clock] = [new FakeKernel(), new FakeNftables(), new FakeClock()];
  const eth0 = kernel.givenLink({ name: 'eth0', mtu: 1500, up: true, running: true, mac: '02:00:00:00:00:01' });
  await kernel.addAddress({ ifindex: eth0, address: parseInterfaceAddress('172.30.1.11/24'), scope: 0 });
  const dataplane = createDataplane(settings, { kernel, nftables, clock, random: () => 0, log: silentLogger });
  await dataplane.start();
  return { kernel, nftables, clock, dataplane };
}

async function update({ clock, dataplane }: Rig, wanted: DataplaneInputs): Promise<void> {
  dataplane.update(wanted);
  const settled = dataplane.settled();
  await clock.advance(1);
  await settled;
  await clock.advance(1000);
}

const block = parsePrefix('10.0.0.0/26');
const outgoing = inputs({ pools: [pool('10.0.0.0/16', { nat: true })], localBlocks: [block] });
const listing = listingOf(planNat(outgoing, [], { vxlanPort: 4789 }).table!);

test('nothing is written before the first update, then the table, and nothing more', async () => {
  const rig = await start();
  await rig.clock.advance(1000);
  expect(rig.nftables.journal).toEqual([]);
  await update(rig, outgoing);
  await rig.clock.advance(200_000);
  expect(rig.nftables.listing).toEqual(listing);
  expect(rig.nftables.journal.filter((call) => call !== 'read')).toEqual(['watch', 'replace']);
  expect(rig.dataplane.nat().map(({ state }) => state)).toEqual(['in force']);
});

test('a table that somebody deletes is back after 20 ms, and the routes are not read for it', async () => {
  const rig = await start();
  await update(rig, outgoing);
  rig.nftables.givenTable(undefined, 'process 71 (nft)');
  rig.kernel.failNext('listRoutes', { code: 'EIO' });
  await rig.clock.advance(20);
  expect(rig.nftables.listing).toEqual(listing);
});

test('whoever deletes it again and again is named, and costs some writes a minute', async () => {
  const rig = await start();
  await update(rig, outgoing);
  const begun = rig.nftables.journal.length;
  for (let ms = 0; ms < 60_000; ms += 100) {
    if (rig.nftables.listing !== undefined) rig.nftables.givenTable(undefined, 'process 71 (nft)');
    await rig.clock.advance(100);
  }
  const writes = rig.nftables.journal.slice(begun).filter((call) => call === 'replace').length;
  expect(writes).toBeGreaterThan(8);
  expect(writes).toBeLessThan(20);
  const { counts, fights } = rig.dataplane.repairs();
  expect(counts.nat).toBe(writes);
  expect(fights).toEqual([
    { kind: 'nat', name: 'table inet calico-ts', repairs: writes, by: 'changed by process 71 (nft)' },
  ]);
  await rig.clock.advance(90_000);
  expect([rig.nftables.listing, rig.dataplane.repairs().fights]).toEqual([listing, []]);
});

test('routes are programmed where nftables refuses, and the other way round', async () => {
  const rig = await start();
  rig.nftables.failNext('replace', new Error('the kernel says no'), 100);
  rig.kernel.failNext('writeRoutes', { matching: '10.0.0.64/26', code: 'EINVAL', times: 100 });
  await update(rig, { ...outgoing, localBlocks: [block, parsePrefix('10.0.0.64/26')] });
  expect(rig.dataplane.nat()).toMatchObject([{ state: 'failed', error: 'the kernel says no' }]);
  expect(rig.dataplane.routes().map(({ state }) => state)).toEqual(['programmed', 'failed']);
});

test('the pass after a refusal ends at the wanted table', async () => {
  const rig = await start();
  rig.nftables.failNext('replace', new Error('the kernel says no'));
  await update(rig, outgoing);
  await rig.clock.advance(250);
  expect(rig.nftables.listing).toEqual(listing);
});

test('where a pool goes to a tunnel its rules come, and they stay as long as the tunnel is there: connections are tracked without a gap', async () => {
  const rig = await start();
  await update(rig, inputs({ pools: [pool('10.0.0.0/16', { vxlan: 'Always' })] }));
  expect(rig.nftables.listing?.filter((line) => line.includes('vxlan.calico')).length).toBe(2);
  expect(rig.dataplane.nat().map(({ subject, state }) => [subject.kind, state])).toEqual([
    ['pool', 'off'],
    ['tunnel', 'in force'],
  ]);
  const { listing } = rig.nftables;
  await update(rig, inputs({ pools: [pool('10.0.0.0/16')] }));
  expect(rig.nftables.listing).toEqual(listing);
  expect(rig.dataplane.nat().map(({ subject, state }) => [subject.kind, state])).toEqual([['pool', 'off']]);
  await rig.clock.advance(20_000);
  expect((await rig.kernel.listLinks()).map(({ name }) => name)).not.toContain('vxlan.calico');
  expect(rig.nftables.listing).toBeUndefined();
});

test('a successor keeps the rules of a tunnel that is there and not wanted, and makes none', async () => {
  const first = await start();
  await update(first, inputs({ pools: [pool('10.0.0.0/16', { vxlan: 'Always' })] }));
  const { kernel, nftables, clock } = first;
  const { listing } = nftables;
  for (const table of [listing, undefined]) {
    if (table === undefined) await nftables.remove();
    const dataplane = createDataplane(settings, { kernel, nftables, clock, random: () => 0, log: silentLogger });
    await dataplane.start();
    await update({ ...first, dataplane }, inputs({ pools: [pool('10.0.0.0/16')] }));
    expect(nftables.listing).toEqual(table);
  }
});
