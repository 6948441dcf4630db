/** Connections of an address that moves are forgotten, once it has moved; nobody else's are. */
import { expect, test } from 'vitest';
import type { LocalEndpoint } from '../../felix/inputs.ts';
import { SCOPE } from '../../felix/routes/kernel-route.ts';
import { learned } from '../support/dataplane-inputs.ts';
import { full, kernelRoute, newHost, start, startWith, update } from '../support/dataplane-rig.ts';
import type { Rig } from '../support/dataplane-rig.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { connectionText, plainConnection } from '../support/conntrack-entries.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { parseIpAddress } from '../../src/model/ip.ts';

const veth = { kind: 'veth', mtu: 1450, up: true, running: true, mac: 'ee:ee:ee:ee:ee:ee' };
const ofPod = plainConnection('tcp', '192.168.1.5', '198.51.100.1');
const toPod = plainConnection('udp', '172.30.1.12', '192.168.1.5');
const ofOther = plainConnection('udp', '192.168.1.6', '198.51.100.1');

const endpoint = (interfaceName: string, address: string): LocalEndpoint => ({
  ...{ name: `d/${interfaceName}`, interfaceName },
  addresses: [parseIpAddress(address)],
});
const other = endpoint('cali2', '192.168.1.6');
const here = { ...full, endpoints: [endpoint('cali1', '192.168.1.5'), other] };
const onOtherLink = { ...full, endpoints: [endpoint('cali3', '192.168.1.5'), other] };
const gone = { ...full, endpoints: [other] };
const elsewhere = { ...gone, learned: [...full.learned, learned('192.168.1.5/32', '172.30.1.12')] };

async function twoPods(): Promise<FakeKernel> {
  const kernel = await newHost();
  for (const name of ['cali1', 'cali2', 'cali3']) kernel.givenLink({ name, ...veth });
  for (const connection of [ofPod, toPod, ofOther]) kernel.givenConnection(connection);
  return kernel;
}

const flushes = ({ kernel }: Rig): readonly string[] => kernel.journal.filter((line) => line.startsWith('flush'));

test.each([
  ['to another pod’s link', here, onOtherLink],
  ['to another host', here, elsewhere],
  ['from another host', elsewhere, here],
  ['away', here, gone],
])('an address that moves %s takes its connections along, and nobody else’s', async (_, before, after) => {
  const rig = await startWith(await twoPods(), before);
  expect(flushes(rig)).toEqual([]);
  await update(rig, after);
  expect(rig.kernel.connections()).toEqual([connectionText(ofOther)]);
  const writes = rig.kernel.journal.filter((line) => line.includes('192.168.1.5'));
  expect(writes.at(-1)).toBe('flush conntrack 192.168.1.5');
  expect(flushes(rig)).toHaveLength(1);
});

test('a pod whose link went first is noticed when nobody wants its route any more', async () => {
  const rig = await startWith(await twoPods(), here);
  await rig.kernel.deleteLink('cali1');
  await rig.clock.advance(1000);
  expect(rig.kernel.connections()).toHaveLength(3);
  await update(rig, gone);
  expect(rig.kernel.connections()).toEqual([connectionText(ofOther)]);
});

test('a new link of the same name is another pod', async () => {
  const rig = await startWith(await twoPods(), here);
  await rig.kernel.deleteLink('cali1');
  await rig.clock.advance(1000);
  rig.kernel.givenLink({ name: 'cali1', ...veth });
  await rig.clock.advance(1000);
  expect(rig.kernel.connections()).toEqual([connectionText(ofOther)]);
});

test('an address that moved while we were away is noticed by the route that we left', async () => {
  const kernel = await twoPods();
  const direct = { scope: SCOPE.link, hops: [{ ifindex: 3, onlink: false }] };
  kernel.givenRoute(kernelRoute('192.168.1.5/32', direct));
  await startWith(kernel, onOtherLink);
  expect(kernel.connections()).toEqual([connectionText(ofOther)]);
});

test('nothing is forgotten while nothing moves: a restart, a route somebody deletes, a flapping link, a change of mode', async () => {
  const first = await startWith(await twoPods(), here);
  await first.dataplane.close();
  const rig = await start(first.kernel);
  await update(rig, { ...gone, learnedComplete: false });
  await update(rig, here);
  rig.kernel.loseRoute([...(await rig.kernel.listRoutes())].find(({ scope }) => scope === SCOPE.link)!);
  await rig.clock.advance(1000);
  await rig.kernel.setLink(3, { up: false });
  await rig.clock.advance(1000);
  await rig.kernel.setLink(3, { up: true });
  await rig.clock.advance(1000);
  await update(rig, { ...here, pools: [] });
  expect(rig.dataplane.routes().find(({ route }) => route.class === 'local-workload')?.state).toBe('programmed');
  expect(flushes(rig)).toEqual([]);
});

test('a refusal is tried again, three times in all, and holds up no route', async () => {
  const { log, lines } = memoryLogger();
  const rig = await startWith(await twoPods(), here, { log });
  rig.kernel.failNext('flushConntrack', { code: 'EINVAL', times: 2 });
  await update(rig, onOtherLink);
  expect(rig.dataplane.routes().every(({ state }) => state === 'programmed')).toBe(true);
  expect(rig.kernel.connections()).toHaveLength(3);
  await rig.clock.advance(1000);
  expect(rig.kernel.connections()).toEqual([connectionText(ofOther)]);
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
  rig.kernel.failNext('flushConntrack', { code: 'EINVAL', times: 100 });
  await update(rig, here);
  await rig.clock.advance(60_000);
  expect(flushes(rig)).toHaveLength(6);
});
