import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostInterfaceName } from '../../../src/cni/names.ts';
import { CniVerbs } from '../../../src/cni/verbs.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { call, networkConfiguration } from '../../support/cni-calls.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeHost } from '../../support/fake-host.ts';

/** Two sandboxes of one pod, one of another, and a container without a pod. */
const SANDBOXES = [
  { containerId: 'c1', pod: 'web-0' },
  { containerId: 'c2', pod: 'web-0' },
  { containerId: 'c3', pod: 'web-1' },
  { containerId: 'c4' },
] as const;

interface Step {
  readonly verb: 'ADD' | 'DEL' | 'GC';
  readonly sandbox: number;
  /** The agent dies after so many of its steps, all that it has at work with it. */
  readonly deathAfter: number | undefined;
  /** The next call does not wait for this one. */
  readonly isAlongside: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom('ADD', 'ADD', 'DEL', 'GC'),
  sandbox: fc.nat(SANDBOXES.length - 1),
  deathAfter: fc.option(fc.nat(14), { nil: undefined, freq: 3 }),
  isAlongside: fc.boolean(),
});

const agentOn = (ports: ReturnType<FakeHost['ports']>): CniVerbs =>
  new CniVerbs({
    ...{ pods: ports, clock: new FakeClock(), log: silentLogger },
    requireWritable: () => undefined,
    requireKnowledge: () => undefined,
    requireReady: () => Promise.resolve(),
  });

/** What a runtime knows: containers whose last ADD was answered well and that no DEL was sent for since. */
class Runtime {
  readonly #host: FakeHost;
  readonly running = new Set<number>();
  #agent: CniVerbs;

  constructor(host: FakeHost) {
    this.#host = host;
    this.#agent = agentOn(host.ports());
  }

  async run(steps: readonly Step[]): Promise<void> {
    let atWork: Promise<unknown>[] = [];
    for (const each of steps) {
      if (each.deathAfter !== undefined) this.#agent = agentOn(this.#host.dyingAfter(each.deathAfter));
      atWork.push(this.#do(each));
      if (each.isAlongside && each.deathAfter === undefined) continue;
      await Promise.all(atWork);
      atWork = [];
      if (each.deathAfter !== undefined) this.#restart();
    }
    await Promise.all(atWork);
    this.#restart();
  }

  #restart(): void {
    this.#host.reborn();
    this.#agent = agentOn(this.#host.ports());
  }

  async #do({ verb, sandbox }: Step): Promise<void> {
    if (verb === 'GC') {
      await this.gc();
      return;
    }
    this.running.delete(sandbox);
    // A pod gets a new sandbox when the older one is about to go: from then on nobody counts on it.
    if (verb === 'ADD' && sandbox < 2) this.running.delete(1 - sandbox);
    const { code } = await this.#call(verb, sandbox);
    if (verb === 'ADD' && code === 0) this.running.add(sandbox);
  }

  #call(verb: string, sandbox: number) {
    return call(this.#agent.answer.bind(this.#agent), verb, { sandbox: SANDBOXES[sandbox]! });
  }

  gc() {
    const valid = [...this.running].map((i) => ({ containerID: SANDBOXES[i]!.containerId, ifname: 'eth0' }));
    const config = networkConfiguration({ 'cni.dev/valid-attachments': valid });
    return call(this.#agent.answer.bind(this.#agent), 'GC', { config });
  }

  async deleteAll(): Promise<void> {
    for (const i of SANDBOXES.keys()) expect(await this.#call('DEL', i)).toEqual({ code: 0, said: undefined });
  }

  /** A container that runs was left alone; what it has is there. */
  expectRunning(): void {
    const { links, handles, endpoints } = this.#host.state();
    for (const i of this.running) {
      const { containerId } = SANDBOXES[i]!;
      expect(handles).toContain(`k8s-pod-network.${containerId}`);
      expect(endpoints.some((text) => text.endsWith(` is ${containerId}`))).toBe(true);
      expect(links.some((text) => text.endsWith(`/${containerId}`))).toBe(true);
    }
  }

  expectNothingElse(): void {
    const { links, handles, endpoints } = this.#host.state();
    expect([links.length, handles.length, endpoints.length]).toEqual(
      Array.from({ length: 3 }, () => this.running.size),
    );
    const texts = this.#host.addresses().map(formatIpAddress);
    expect(new Set(texts).size).toBe(texts.length);
  }
}

const newHost = (): FakeHost => new FakeHost(SANDBOXES.map(({ containerId }) => `/var/run/netns/${containerId}`));

test('whatever came, in whatever order, and whenever the agent was killed: a GC leaves what runs and nothing else', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
    const runtime = new Runtime(newHost());
    await runtime.run(sequentialPerContainer(steps));
    expect(await runtime.gc()).toEqual({ code: 0, said: undefined });
    runtime.expectRunning();
    runtime.expectNothingElse();
  });
  await fc.assert(property, { numRuns: 400 });
});

test('and a DEL of each container, without any GC, leaves nothing', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
    const host = newHost();
    const runtime = new Runtime(host);
    await runtime.run(sequentialPerContainer(steps));
    await runtime.deleteAll();
    expect(host.state()).toEqual({ links: [], handles: [], endpoints: [] });
  });
  await fc.assert(property, { numRuns: 400 });
});

/**
 * A runtime does not call for one container twice at the same time, nor for two sandboxes of one pod, nor GC beside anything: which of
 * them comes last would be left to chance.
 */
function sequentialPerContainer(steps: readonly Step[]): readonly Step[] {
  const podOf = ({ sandbox }: Step): number => Math.max(sandbox, 1);
  let group: Step[] = [];
  return steps.map((each, i) => {
    group = [...group, each];
    const next = steps[i + 1];
    const mayGoOn =
      next !== undefined &&
      each.verb !== 'GC' &&
      next.verb !== 'GC' &&
      group.every((one) => podOf(one) !== podOf(next)) &&
      next.deathAfter === undefined;
    const isAlongside = each.isAlongside && mayGoOn;
    if (!isAlongside) group = [];
    return { ...each, isAlongside };
  });
}

test('two sandboxes of one pod share the host interface that the names say', () => {
  const [first, second] = SANDBOXES;
  const name = (pod: string): string => hostInterfaceName({ orchestrator: 'k8s', namespace: 'default', pod });
  expect(name(first.pod)).toBe(name(second.pod));
});
