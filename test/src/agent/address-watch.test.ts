/** A host gets another address while the agent runs: what the watch writes, tells and leaves alone. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { ChosenAddress } from '../../../src/agent/address-choice.ts';
import { AddressWatch } from '../../../src/agent/address-watch.ts';
import { refreshAddresses, registerNode } from '../../../src/agent/registration.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { MemoryStore } from '../../../src/datastore/memory.ts';
import { formatPrefix } from '../../../src/model/ip.ts';
import type { ResourceClient } from '../../../src/resources/index.ts';
import { createResourceClient } from '../../../src/resources/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { hostOf } from '../../support/host-interfaces.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

let clock: FakeClock;
let resources: ResourceClient;
let host: string;
let logger: ReturnType<typeof memoryLogger>;
let chosen: readonly ChosenAddress[];
let isAway: boolean;
let before: number;

/** What was said since the registration, as one text each. */
const said = (): readonly string[] => logger.lines.slice(before).map((line) => JSON.stringify(line));

const settings = loadSettings({ DATASTORE_TYPE: 'file', IP: 'autodetect', AUTODETECT_POLL_INTERVAL: '30s' });
const stored = async (): Promise<string | undefined> => (await resources.get('Node', 'n1')).spec.bgp?.ipv4Address;

async function watch(): Promise<AddressWatch> {
  const ports = { resources, interfaces: () => Promise.resolve(hostOf(...host.split('\n'))), log: logger.log };
  const known = await registerNode('n1', settings, ports);
  before = logger.lines.length;
  return new AddressWatch(known, {
    clock,
    log: logger.log,
    pollSeconds: settings.detectionPollSeconds,
    refresh: () =>
      isAway ? Promise.reject(new Error('the datastore is away')) : refreshAddresses('n1', settings, ports),
    onAddresses: (addresses) => void (chosen = addresses),
  });
}

async function pass(seconds: number): Promise<void> {
  await clock.advance(seconds * 1000);
  for (let i = 0; i < 50; i++) await nextTurn();
}

beforeEach(() => {
  clock = new FakeClock();
  resources = createResourceClient(new MemoryStore());
  host = '2 eth0 172.30.1.11/24';
  logger = memoryLogger();
  chosen = [];
  isAway = false;
});

test('another address where the old one is gone: written after the interval, told once', async () => {
  const watching = await watch();
  host = '2 eth0 172.30.1.12/24';
  await pass(29);
  expect(await stored()).toBe('172.30.1.11/24');
  await pass(1);
  expect(await stored()).toBe('172.30.1.12/24');
  expect(chosen.map(({ address }) => formatPrefix(address))).toEqual(['172.30.1.12/24']);
  await pass(30);
  await pass(30);
  expect(said().filter((line) => line.includes('this node moves'))).toHaveLength(1);
  watching.close();
});

test('a second address that would do as well changes nothing: the first is up', async () => {
  const watching = await watch();
  host = '2 eth0 172.30.1.11/24\n3 eth1 172.30.2.11/24';
  await pass(30);
  expect(await stored()).toBe('172.30.1.11/24');
  expect(said()).toEqual([]);
  watching.close();
});

test('no address any more: what the Node has is kept, told once, and a new one is found later', async () => {
  const watching = await watch();
  host = '2! eth0 172.30.1.11/24';
  await pass(30);
  await pass(30);
  expect(await stored()).toBe('172.30.1.11/24');
  expect(said().filter((line) => line.includes('is kept'))).toHaveLength(1);
  host = '2 eth0 172.30.1.13/24';
  await pass(30);
  expect(await stored()).toBe('172.30.1.13/24');
  watching.close();
});

test('a datastore that is away is told once, and looked at again', async () => {
  const watching = await watch();
  isAway = true;
  host = '2 eth0 172.30.1.12/24';
  await pass(30);
  await pass(30);
  expect(said().filter((line) => line.includes('the datastore is away'))).toHaveLength(1);
  isAway = false;
  await pass(30);
  expect(await stored()).toBe('172.30.1.12/24');
  watching.close();
});

test('a Node that was deleted is not made anew, and a watch that is closed looks no more', async () => {
  const watching = await watch();
  await resources.delete('Node', 'n1');
  host = '2 eth0 172.30.1.12/24';
  await pass(30);
  await expect(stored()).rejects.toThrow('resource does not exist');
  watching.close();
  await pass(300);
  expect(chosen).toEqual([]);
});
