import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFileStore } from '../../src/datastore/file.ts';
import { createIpam } from '../../src/ipam/index.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomOf } from '../support/chaos-lab.ts';
import { makeAgentLab, until } from '../support/agent-lab.ts';
import type { AgentLab, LabNode } from '../support/agent-lab.ts';
import type { CniReply, Sandbox } from '../support/cni-calls.ts';
import { callSocket } from '../support/cni-socket.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const SEEDS = (process.env['CNI_KILL_SEED'] ?? '1,2').split(',').map(Number);
const ROUNDS = Number(process.env['CNI_KILL_ROUNDS'] ?? 8);
/** Writes of an ADD, of kernel and datastore together, are about so many. */
const MOST_WRITES = 32;

/** One node whose agent is killed between any two of its writes, and a pod on it that nobody touches. */
describe.skipIf(!isRoot && process.env['CI'] === undefined)('an agent that is killed -9 in a CNI call', () => {
  let lab: AgentLab;
  const spaces = ['ctck-stays', 'ctck-one', 'ctck-two'].map((name) => ({ name }) as TestNetns);
  const STAYS: Sandbox = { containerId: 'ctck-stays', pod: 'stays' };
  const VALID = [{ containerID: 'ctck-stays', ifname: 'eth0' }];
  const node = (): LabNode => lab.nodes[0]!;
  const fateFile = (): string => join(node().environment['CALICO_RUN_DIR']!, 'fate');

  const calls = (command: string, sandbox?: Sandbox): Promise<CniReply> =>
    callSocket(join(node().environment['CALICO_RUN_DIR']!, 'calico-ts.sock'), command, {
      ...(sandbox && { sandbox }),
      ...(command === 'GC' && { fields: { 'cni.dev/valid-attachments': VALID } }),
    });
  const started = async (): Promise<void> => {
    node().start({ MORTAL_FATE: fateFile() });
    await until(
      async () => (await calls('STATUS')).code === 0,
      () => node().log(),
    );
  };
  const reborn = async (): Promise<void> => {
    await node().kill('SIGKILL');
    await started();
  };
  const doom = async (writes: number | undefined): Promise<void> => {
    writeFileSync(fateFile(), writes === undefined ? '' : String(writes));
    node().signal('SIGUSR2');
    await sleep(20);
  };
  /** What the host and the datastore have of pods. */
  const whatIsThere = async (): Promise<object> => {
    const store = await openFileStore({ directory: lab.store, mustExist: true });
    try {
      const held = await createIpam(store, { clock: systemClock, random: Math.random }).heldOn('node-a');
      const { entries } = await store.list('/calico/resources/v3/projectcalico.org/workloadendpoints/');
      const links = node().netns.run('ip', '-br', 'link').split('\n');
      return {
        handles: [...held.keys()].filter((id) => !id.includes('tunnel-addr')),
        endpoints: entries.map(({ key }) => key.split('/').at(-1)),
        links: links.filter((line) => line.startsWith('cali')).map((line) => line.split('@')[0]),
        routes: node()
          .netns.run('ip', 'route')
          .split('\n')
          .filter((line) => line.includes('dev cali'))
          .map((line) => line.split(' ')[0]),
      };
    } finally {
      await store.close();
    }
  };

  beforeAll(async () => {
    lab = makeAgentLab('ctck', { program: 'test/support/mortal-agent.ts' });
    for (const [i, { name }] of spaces.entries()) spaces[i] = makeNetns(name);
    await started();
    expect(await calls('ADD', STAYS)).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(async () => {
    await lab.remove();
    for (const space of spaces) space.remove();
  });

  test.each(SEEDS)(
    'at a step by seed %i: the next DEL or GC leaves no address, veth, route or endpoint, and takes none of a pod that runs (CNI_KILL_SEED)',
    async (seed) => {
      const random = randomOf(seed);
      const before = await whatIsThere();
      let killed = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const verb = random.pick(['ADD', 'ADD', 'DEL', 'GC']);
        const box: Sandbox = { containerId: random.pick(['ctck-one', 'ctck-two']), pod: 'web-0' };
        if (verb !== 'ADD') expect(await calls('ADD', box)).toMatchObject({ code: 0 });
        const writes = random.below(verb === 'ADD' ? MOST_WRITES : 5);
        await doom(writes);
        const reply = await calls(verb, box).catch(() => undefined);
        const what = `round ${round}: ${verb} of ${box.containerId}, killed after ${writes} writes`;
        if (reply === undefined) {
          killed++;
          await reborn();
        } else {
          expect(reply.code, what).toBe(0);
          await doom(undefined);
        }
        const ending = random.pick(['DEL', 'GC']);
        // Felix writes on after the answer, and so the agent may die then: a runtime calls again.
        const again = (): Promise<CniReply> => reborn().then(() => calls(ending, box));
        expect(await calls(ending, box).catch(again), `${what}, then ${ending}`).toEqual({ code: 0, said: undefined });
        const isSame = async (): Promise<boolean> => {
          expect(await whatIsThere(), `${what}, then ${ending}`).toEqual(before);
          return true;
        };
        // A route goes with its interface, the datastore's picture with the watch: at once, or nearly.
        await until(isSame, () => what).catch(isSame);
      }
      expect(killed).toBeGreaterThan(0);
      expect(await calls('ADD', STAYS)).toMatchObject({ code: 0 });
      expect(await whatIsThere()).toEqual(before);
    },
    60_000 + ROUNDS * 15_000,
  );
});
