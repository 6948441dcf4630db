/** FelixConfiguration in a running agent, over the kernel in memory: what it changes, and what a wrong one does not. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane, DataplaneSettings } from '../../../felix/index.ts';
import type { RuntimeSettings } from '../../../src/config/settings.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { newHost, start } from '../../support/dataplane-rig.ts';
import type { Rig } from '../../support/dataplane-rig.ts';
import { entryOf, manifest, resource } from '../../support/resources.ts';
import { makeTestAgent, settle } from '../../support/test-agent.ts';
import type { TestAgent } from '../../support/test-agent.ts';

const felix = (name: string, spec: object): AnyResource => resource('FelixConfiguration', name, spec);

let rig: Rig;
let test1: TestAgent;
let configured: DataplaneSettings[];
let told: RuntimeSettings[];

beforeEach(async () => {
  rig = await start(await newHost());
  configured = [];
  told = [];
  const dataplane: Dataplane = Object.assign(Object.create(rig.dataplane) as Dataplane, bound(rig.dataplane));
  test1 = await makeTestAgent({
    ...{ env: { FELIX_VXLANVNI: '9' }, clock: rig.clock, dataplane },
    ports: { onRuntimeSettings: (settings) => void told.push(settings) },
  });
  await test1.put(resource('IPPool', 'p', { cidr: '10.48.0.0/16', ipipMode: 'Always' }));
  test1.agent.start();
  await pass();
});
afterEach(() => test1.agent.close({ kind: 'restart' }));

/** The dataplane itself, which has private fields, with a witness at `configure`. */
const bound = (dataplane: Dataplane): Partial<Dataplane> => ({
  update: (inputs) => dataplane.update(inputs),
  settled: () => dataplane.settled(),
  routes: () => dataplane.routes(),
  nat: () => dataplane.nat(),
  repairs: () => dataplane.repairs(),
  health: () => dataplane.health(),
  adoptedRoutes: () => dataplane.adoptedRoutes(),
  heartbeat: () => dataplane.heartbeat(),
  configure: (settings) => {
    configured.push(settings);
    dataplane.configure(settings);
  },
});

async function pass(): Promise<void> {
  await settle();
  await rig.clock.advance(10);
  await settle();
}

const mtu = async (): Promise<number | undefined> =>
  (await rig.kernel.listLinks()).find(({ name }) => name === 'tunl0')?.mtu;

const origin = (name: string): string | undefined => {
  const found = test1.agent.settings().find((each) => each.name === name);
  return found && `${found.value} ${found.origin}${found.note === undefined ? '' : `, ${found.note}`}`;
};

describe('an agent whose FelixConfiguration changes', () => {
  test('takes the device to the new MTU at once, and back to its own when the configuration goes', async () => {
    expect(await mtu()).toBe(1480);
    expect(origin('FELIX_IPINIPMTU')).toBe('0 default');
    await test1.put(felix('default', { ipipMTU: 1400 }));
    await pass();
    expect(await mtu()).toBe(1400);
    expect(origin('FELIX_IPINIPMTU')).toBe('1400 FelixConfiguration(default)');
    await test1.put(felix('node.node-a1', { ipipMTU: 1300 }));
    await pass();
    expect(await mtu()).toBe(1300);
    expect(origin('FELIX_IPINIPMTU')).toBe(
      '1300 FelixConfiguration(node.node-a1), stronger than 1400 of FelixConfiguration(default)',
    );
    await test1.remove(felix('node.node-a1', {}));
    await test1.remove(felix('default', {}));
    await pass();
    expect(await mtu()).toBe(1480);
    expect(
      test1.lines.filter(({ message }) => message.startsWith('settings changed')).map(({ fields }) => fields),
    ).toEqual([
      { changes: ['FELIX_IPINIPMTU is 1400 (FelixConfiguration(default)), was 0 (default)'] },
      {
        changes: ['FELIX_IPINIPMTU is 1300 (FelixConfiguration(node.node-a1)), was 1400 (FelixConfiguration(default))'],
      },
      { changes: ['FELIX_IPINIPMTU is 0 (default), was 1300 (FelixConfiguration(node.node-a1))'] },
    ]);
  });

  test('tells the dataplane nothing where nothing that matters to it changed', async () => {
    await test1.put(felix('default', { vxlanVNI: 5, healthPort: 9199, logPrefix: 'x', ipipMTU: 0 }));
    await test1.put(felix('node.other', { ipipMTU: 1300 }));
    await pass();
    expect(configured).toEqual([]);
    expect(origin('FELIX_VXLANVNI')).toBe('9 environment, stronger than 5 of FelixConfiguration(default)');
    expect(origin('logPrefix')).toBe('x FelixConfiguration(default), kept, but nothing goes by it');
  });

  test('hands on where the probes are answered and what is logged', async () => {
    await test1.put(felix('default', { healthEnabled: true, healthPort: 9199, logSeverityScreen: 'Warning' }));
    await pass();
    expect(told.at(-1)).toMatchObject({ health: { host: 'localhost', port: 9199 }, logThreshold: 'warn' });
  });

  test('keeps what a field said before it became wrong, and says so', async () => {
    await test1.put(felix('default', { ipipMTU: 1400 }));
    await pass();
    await test1.put(felix('default', { ipipMTU: 5 }));
    await pass();
    expect(await mtu()).toBe(1400);
    expect(test1.agent.status().settingProblems).toEqual([
      "FelixConfiguration(default) spec.ipipMTU: FELIX_IPINIPMTU = '5': is not 0 or a whole number from 68 to 65535; 1400 stays in force",
    ]);
    expect(origin('FELIX_IPINIPMTU')).toBe(
      '1400 FelixConfiguration(default), 5 of FelixConfiguration(default) cannot be used',
    );
    await test1.put(felix('default', { ipipMTU: 1390 }));
    await pass();
    expect(await mtu()).toBe(1390);
    expect(test1.agent.status().settingProblems).toEqual([]);
  });

  test('keeps what a FelixConfiguration said before it became unreadable; one that never was readable says nothing', async () => {
    await test1.put(felix('default', { ipipMTU: 1400 }));
    await pass();
    const wrong = (name: string) => manifest('FelixConfiguration', name, { ipipMTU: 'large' }) as AnyResource;
    await test1.put(wrong('default'));
    await test1.put(wrong('node.node-a1'));
    await pass();
    expect(await mtu()).toBe(1400);
    const problems = test1.agent.status().settingProblems ?? [];
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^FelixConfiguration\(default\): .*ipipMTU.*; what it said before stays in force$/);
    expect(problems[1]).toMatch(/^FelixConfiguration\(node\.node-a1\): .*; it is passed over$/);
    await test1.store.delete(entryOf(wrong('default')).key);
    await pass();
    expect(await mtu()).toBe(1480);
  });
});
