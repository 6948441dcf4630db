import { describe, expect, test } from 'vitest';
import { pickEncapsulation } from '../../../src/demo/encapsulation.ts';
import { parseOptions } from '../../../src/demo/options.ts';

describe('the demo’s flags', () => {
  test('none: a file datastore, the demo picks the rest, and nothing is kept', () => {
    expect(parseOptions([])).toEqual({ action: 'show', datastore: 'file', vm: false, json: false });
  });

  test('all of them are understood', () => {
    const args = ['--keep', '--datastore', 'etcd', '--encap=vxlan', '--switches', 'own', '--json'];
    expect(parseOptions(args)).toEqual({
      action: 'keep',
      datastore: 'etcd',
      encap: 'vxlan',
      switches: 'own',
      vm: false,
      json: true,
    });
  });

  test.each([
    [['--bogus'], "Unknown option '--bogus'"],
    [['up'], "Unexpected argument 'up'"],
    [['--datastore'], "'--datastore <value>'"],
    [['--datastore', 'consul'], "--datastore = 'consul': is none of file, etcd"],
    [['--encap', 'gre'], "--encap = 'gre': is none of ipip, vxlan"],
    [['--keep', '--down'], '--keep and --down'],
    [['--keep', '--vm'], '--keep = true'],
  ])('%j is refused in one sentence with the flag and the value', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
    expect(() => parseOptions(args)).toThrow(/^[^\n]*$/);
  });
});

describe('the encapsulation between racks', () => {
  const able = { kernelHasIpip: true, kernelHasVxlan: true };
  const noIpip = { ...able, kernelHasIpip: false };
  const bare = { ...noIpip, vmObstacle: 'qemu-system-x86_64 is not installed' };

  test('is tunl0 here where the kernel has it, in the VM where it has not, and VXLAN where there is neither', () => {
    expect(pickEncapsulation({ action: 'show', vm: false }, able)).toMatchObject({ where: 'here', encap: 'ipip' });
    expect(pickEncapsulation({ action: 'show', vm: false }, noIpip)).toMatchObject({ where: 'vm', encap: 'ipip' });
    const last = pickEncapsulation({ action: 'show', vm: false }, bare);
    expect(last).toMatchObject({ where: 'here', encap: 'vxlan' });
    expect(last.reason).toContain('qemu-system-x86_64 is not installed');
  });

  test('is what the flags say', () => {
    expect(pickEncapsulation({ action: 'show', vm: false, encap: 'vxlan' }, able)).toMatchObject({
      where: 'here',
      encap: 'vxlan',
    });
    expect(pickEncapsulation({ action: 'show', vm: true }, able)).toMatchObject({ where: 'vm', encap: 'ipip' });
    expect(pickEncapsulation({ action: 'show', vm: true, encap: 'vxlan' }, able)).toMatchObject({
      where: 'vm',
      encap: 'vxlan',
    });
    expect(pickEncapsulation({ action: 'show', vm: false, encap: 'ipip' }, noIpip)).toMatchObject({
      where: 'vm',
      encap: 'ipip',
    });
  });

  test('of a cluster that is kept is never in the VM', () => {
    const kept = pickEncapsulation({ action: 'keep', vm: false }, noIpip);
    expect(kept).toMatchObject({ where: 'here', encap: 'vxlan' });
    expect(kept.reason).toContain('could not be kept');
    expect(() => pickEncapsulation({ action: 'keep', vm: false, encap: 'ipip' }, noIpip)).toThrow("--encap = 'ipip'");
  });

  test('cannot be what nothing here offers', () => {
    expect(() => pickEncapsulation({ action: 'show', vm: true }, bare)).toThrow(
      '--vm = true: qemu-system-x86_64 is not installed',
    );
    expect(() => pickEncapsulation({ action: 'show', vm: false, encap: 'ipip' }, bare)).toThrow("--encap = 'ipip'");
    const without = { ...able, kernelHasVxlan: false };
    expect(() => pickEncapsulation({ action: 'show', vm: false, encap: 'vxlan' }, without)).toThrow(
      "--encap = 'vxlan'",
    );
    expect(() => pickEncapsulation({ action: 'show', vm: false }, { ...bare, kernelHasVxlan: false })).toThrow(
      'neither ipip nor vxlan',
    );
  });
});
