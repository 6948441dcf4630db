import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { applyPatch } from '../../../src/cli/patch.ts';
import { FakeShell } from '../../support/cli.ts';
import { manifest } from '../../support/resources.ts';

describe('a merge patch', () => {
  /** RFC 7386, appendix A, but for those whose patch is no object: a resource stays one. */
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j', (target, patch, result) => {
    expect(applyPatch(target, patch, 'merge')).toEqual(result);
    expect(applyPatch(target, patch, 'strategic')).toEqual(result);
  });

  test('the strategic one may replace or delete a whole object', () => {
    const target = { spec: { a: 1, b: 2 }, more: { c: 3 } };
    expect(applyPatch(target, { spec: { $patch: 'replace', b: 9 } }, 'strategic')).toEqual({
      spec: { b: 9 },
      more: { c: 3 },
    });
    expect(applyPatch(target, { more: { $patch: 'delete' } }, 'strategic')).toEqual({ spec: { a: 1, b: 2 } });
  });
});

describe('a JSON patch', () => {
  const target = { a: { 'x/y': 1, 'm~n': 2 }, list: ['p', 'q'] };

  test.each([
    [
      { op: 'add', path: '/a/z', value: 3 },
      { a: { 'x/y': 1, 'm~n': 2, z: 3 }, list: ['p', 'q'] },
    ],
    [
      { op: 'add', path: '/list/1', value: 'n' },
      { ...target, list: ['p', 'n', 'q'] },
    ],
    [
      { op: 'add', path: '/list/-', value: 'n' },
      { ...target, list: ['p', 'q', 'n'] },
    ],
    [
      { op: 'replace', path: '/list/0', value: 'n' },
      { ...target, list: ['n', 'q'] },
    ],
    [
      { op: 'replace', path: '/a/x~1y', value: 9 },
      { ...target, a: { 'x/y': 9, 'm~n': 2 } },
    ],
    [
      { op: 'remove', path: '/a/m~0n' },
      { ...target, a: { 'x/y': 1 } },
    ],
    [
      { op: 'remove', path: '/list/0' },
      { ...target, list: ['q'] },
    ],
    [
      { op: 'move', from: '/list/0', path: '/list/1' },
      { ...target, list: ['q', 'p'] },
    ],
    [
      { op: 'copy', from: '/list/1', path: '/a/x~1y' },
      { ...target, a: { 'x/y': 'q', 'm~n': 2 } },
    ],
    [{ op: 'test', path: '/a', value: { 'm~n': 2, 'x/y': 1 } }, target],
  ])('%j', (operation, result) => {
    const before = structuredClone(target);
    expect(applyPatch(target, [operation], 'json')).toEqual(result);
    expect(target).toEqual(before);
  });

  test.each([
    [[{ op: 'replace', path: '/b', value: 1 }], '/b: there is nothing of that name'],
    [[{ op: 'add', path: '/list/3', value: 1 }], '/list/3: there is nothing of that name'],
    [[{ op: 'test', path: '/list/0', value: 'x' }], `test of /list/0 = '"p"': is not "x"`],
    [[{ op: 'jump', path: '/a' }], "op = 'jump': is not one of add, remove, replace, move, copy, test"],
    [[{ op: 'add', path: 'a' }], '{"op":"add","path":"a"} is no operation such as'],
    [{ op: 'add' }, 'a JSON patch is a list of operations'],
  ])('%j is refused', (patch, message) => {
    expect(() => applyPatch(target, patch, 'json')).toThrow(message);
  });
});

describe('calicoctl-ts patch', () => {
  let shell: FakeShell;

  beforeEach(async () => {
    shell = new FakeShell();
    shell.files.node = JSON.stringify(manifest('Node', 'n1', { bgp: { ipv4Address: '10.0.0.1/24', asNumber: 1 } }));
    await shell.run('apply', '-f', 'node');
  });

  const spec = async (): Promise<unknown> => parse((await shell.run('get', 'node', 'n1', '-o', 'yaml')).stdout).spec;
  const done = { exitCode: 0, stdout: "Successfully patched 1 'Node' resource\n", stderr: '' };

  test('changes what the patch names, in JSON or YAML, by any of the three types', async () => {
    expect(await shell.run('patch', 'node', 'n1', '-p', '{"spec":{"bgp":{"asNumber":65001}}}')).toEqual(done);
    expect(await spec()).toEqual({ bgp: { ipv4Address: '10.0.0.1/24', asNumber: 65001 } });
    expect(await shell.run('patch', 'node/n1', '-t', 'merge', '-p', 'spec: {bgp: {asNumber: null}}')).toEqual(done);
    expect(await spec()).toEqual({ bgp: { ipv4Address: '10.0.0.1/24' } });
    const add = '[{"op": "add", "path": "/spec/bgp/asNumber", "value": "1.10"}]';
    expect(await shell.run('patch', 'no', 'n1', '--type', 'json', '--patch', add)).toEqual(done);
    expect(await spec()).toEqual({ bgp: { ipv4Address: '10.0.0.1/24', asNumber: 65546 } });
  });

  test.each([
    [
      '{"spec":{"bgp":{"asNumbr":1}}}',
      `error with field spec.bgp.asNumbr = '1': is not a field of Node.spec.bgp; did you mean "asNumber"?`,
    ],
    ['{"metadata":{"name":"n2"}}', 'a patch can not make Node(n2) of Node(n1)'],
    ['{"kind":"IPPool"}', 'error with'],
    ['x', 'a strategic patch is an object such as'],
    ['{', "patch = '{': "],
    ['{"metadata":{"resourceVersion":"77"}}', 'update conflict: Node(n1): the resource version 77 is out of date'],
  ])('%s is refused, and nothing written', async (patch, message) => {
    const before = await spec();
    const { exitCode, stdout, stderr } = await shell.run('patch', 'node', 'n1', '-p', patch);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(await spec()).toEqual(before);
  });

  test('of what is not there, and without a name', async () => {
    expect((await shell.run('patch', 'node', 'n9', '-p', '{}')).stderr).toBe(
      "failed to patch 'Node' resource: [resource does not exist: Node(n9) with error: <nil>]\n",
    );
    expect((await shell.run('patch', 'node', '-p', '{}')).stderr).toBe("missing required argument 'name'\n");
    expect((await shell.run('patch', 'clusterinfo', 'default', '-p', '{}')).exitCode).toBe(1);
  });

  test('is made anew where somebody else was faster', async () => {
    const update = shell.store.update.bind(shell.store);
    let stolen = false;
    shell.store.update = async (key, value, revision) => {
      if (!stolen) {
        stolen = true;
        const { value: current } = (await shell.store.get(key))!;
        await update.call(
          shell.store,
          key,
          { ...(current as object), spec: { bgp: { ipv4Address: '10.0.0.9/24' } } },
          revision,
        );
      }
      return update(key, value, revision);
    };
    expect(await shell.run('patch', 'node', 'n1', '-p', '{"spec":{"bgp":{"asNumber":7}}}')).toEqual(done);
    expect(await spec()).toEqual({ bgp: { ipv4Address: '10.0.0.9/24', asNumber: 7 } });
  });
});
