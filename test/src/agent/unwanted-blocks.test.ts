/** An agent gives up its empty blocks that no pool holds for it any more, and says why. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { affinityKey, blockKey, IPAM_CONFIG_KEY } from '../../../src/datastore/keys.ts';
import { createIpam } from '../../../src/ipam/index.ts';
import type { Ipam } from '../../../src/ipam/index.ts';
import type { Prefix } from '../../../src/model/ip.ts';
import { formatPrefix } from '../../../src/model/ip.ts';
import { endpointsPrefix } from '../../../src/resources/index.ts';
import { assign, checkClaims, pool } from '../../support/ipam.ts';
import { resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const NODE = 'node-a1';
const CIDR = '10.48.0.0/16';

let lab: TestAgent;
let ipam: Ipam;
let block: Prefix;

const putPool = (spec: object = {}): Promise<void> => lab.put(resource('IPPool', 'main', { cidr: CIDR, ...spec }));
const isThere = async (): Promise<boolean> =>
  (await lab.store.get(affinityKey(NODE, block))) !== undefined && (await lab.store.get(blockKey(block))) !== undefined;
const reasons = (): readonly unknown[] =>
  lab.lines.filter(({ message }) => message === 'a block without addresses is given up').map(({ fields }) => fields);

beforeEach(async () => {
  lab = await makeTestAgent();
  ipam = createIpam(lab.store, { clock: lab.clock, random: () => 0 });
  await putPool();
  const got = await assign(ipam, NODE, 'h', [pool(CIDR, 26)]);
  block = got.claimed[0]!.prefix;
  lab.agent.start();
  await settle();
});
afterEach(() => lab.agent.close({ kind: 'restart' }));

test.each([
  ['disabled', () => putPool({ disabled: true }), 'pool main is disabled'],
  [
    'for other nodes by now',
    () => putPool({ nodeSelector: "rack == 'x'" }),
    `the nodeSelector rack == 'x' of pool main does not select ${NODE}`,
  ],
  ['gone', () => lab.remove(resource('IPPool', 'main', { cidr: CIDR })), 'it lies in no pool'],
])('a pool is %s: its blocks stay while they are in use, and go when they are empty', async (_, change, reason) => {
  await change();
  await settle();
  expect(await isThere()).toBe(true);
  await ipam.releaseByHandle('h');
  await settle();
  // Nobody waits for it.
  await lab.clock.advance(50);
  await settle();
  expect(await isThere()).toBe(false);
  await checkClaims(lab.store);
  expect(reasons()).toEqual([{ block: formatPrefix(block), reason }]);
});

test('an empty block of a pool that selects the node stays', async () => {
  await ipam.releaseByHandle('h');
  await settle();
  expect(await isThere()).toBe(true);
});

test('a block stays that a pod has an address of, though IPAM does not know it', async () => {
  const address = `${formatPrefix(block).split('/')[0]!}/32`;
  await lab.put(
    resource('WorkloadEndpoint', `${endpointsPrefix({ orchestrator: 'k8s', node: NODE, pod: 'web' })}eth0`, {
      ...{
        orchestrator: 'k8s',
        node: NODE,
        pod: 'web',
        endpoint: 'eth0',
        interfaceName: 'cali1',
        ipNetworks: [address],
      },
    }),
  );
  await ipam.releaseByHandle('h');
  await putPool({ disabled: true });
  await settle();
  expect(await isThere()).toBe(true);
});

test('a block whose last address rests goes when the rest is over', async () => {
  await lab.store.create(IPAM_CONFIG_KEY, { ipCooldownSeconds: 90 });
  await putPool({ disabled: true });
  await ipam.releaseByHandle('h');
  await settle();
  await lab.clock.advance(60_000);
  await settle();
  expect(await isThere()).toBe(true);
  await lab.clock.advance(60_000);
  await settle();
  expect(await isThere()).toBe(false);
});
