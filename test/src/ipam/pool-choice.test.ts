import { describe, expect, test } from 'vitest';
import type { Applicant, RuledPool } from '../../../src/ipam/index.ts';
import { choosePools, passedOverText } from '../../../src/ipam/index.ts';
import { parsePrefix } from '../../../src/model/ip.ts';

const pool = (name: string, rules: Partial<RuledPool> = {}): RuledPool => ({
  name,
  cidr: parsePrefix('10.1.0.0/16'),
  blockSize: 26,
  disabled: false,
  allowedUses: ['Workload', 'Tunnel'],
  assignmentMode: 'Automatic',
  nodeSelector: 'all()',
  ...rules,
});
const pod: Applicant = {
  use: 'Workload',
  node: 'n1',
  nodeLabels: { rack: 'a' },
  namespace: { name: 'shop', labels: { team: 'red' } },
};
const tunnel: Applicant = { use: 'Tunnel', node: 'n1', nodeLabels: { rack: 'a' } };

describe('a pool is passed over for one reason, which is told', () => {
  test.each<[string, Partial<RuledPool>, Applicant, string | undefined]>([
    ['plain', {}, pod, undefined],
    ['disabled', { disabled: true }, pod, 'disabled'],
    ['disabled, for a tunnel', { disabled: true }, tunnel, 'disabled'],
    ['for tunnels', { allowedUses: ['Tunnel'] }, pod, 'its allowedUses are Tunnel, not Workload'],
    ['for services', { allowedUses: ['LoadBalancer'] }, tunnel, 'its allowedUses are LoadBalancer, not Tunnel'],
    ['manual', { assignmentMode: 'Manual' }, pod, 'its assignmentMode is Manual'],
    ['manual, for a tunnel', { assignmentMode: 'Manual' }, tunnel, undefined],
    ['this rack', { nodeSelector: "rack == 'a'" }, pod, undefined],
    ['another rack', { nodeSelector: "rack == 'x'" }, pod, "its nodeSelector rack == 'x' does not select node n1"],
    ['this team', { namespaceSelector: "team == 'red'" }, pod, undefined],
    [
      'another team',
      { namespaceSelector: "team == 'blue'" },
      pod,
      "its namespaceSelector team == 'blue' does not select namespace shop",
    ],
    [
      'a team, of a namespace that nobody knows',
      { namespaceSelector: '!has(team)' },
      { ...pod, namespace: { name: 'shop' } },
      'its namespaceSelector !has(team) cannot be judged: nobody knows the labels of namespace shop',
    ],
    [
      'all, of a namespace that nobody knows',
      { namespaceSelector: 'all()' },
      { ...pod, namespace: { name: 'shop' } },
      undefined,
    ],
    ['an empty selector', { namespaceSelector: '' }, { ...pod, namespace: { name: 'shop' } }, undefined],
    ['a team, of a tunnel', { namespaceSelector: "team == 'red'", allowedUses: ['Tunnel'] }, tunnel, undefined],
    ['another family', {}, { ...tunnel, family: 6 }, 'no IPv6 pool'],
  ])('%s', (_, ...[rules, applicant, reason]) => {
    const one = pool('p', rules);
    expect(choosePools([one], applicant)).toEqual(
      reason === undefined ? { chosen: [one], passedOver: [] } : { chosen: [], passedOver: [{ pool: one, reason }] },
    );
  });
});

test('the sentence names each pool that was passed over', () => {
  const { passedOver } = choosePools(
    [pool('a', { disabled: true }), pool('b'), pool('c', { assignmentMode: 'Manual' })],
    pod,
  );
  expect(passedOverText(passedOver)).toBe('a: disabled; c: its assignmentMode is Manual');
  expect(passedOverText([])).toBe('there is none');
});

describe('pools that are asked for', () => {
  const far = pool('far', {
    nodeSelector: "rack == 'x'",
    namespaceSelector: "team == 'blue'",
    assignmentMode: 'Manual',
  });
  const near = pool('near', { cidr: parsePrefix('10.2.0.0/16') });
  const off = pool('off', { cidr: parsePrefix('10.3.0.0/16'), disabled: true });
  const ask = (...requested: readonly string[]) => choosePools([near, far, off], { ...pod, requested });

  test('come in the order of the request, by name or CIDR, whatever their selectors and mode say', () => {
    expect(ask('far', '10.2.0.0/16').chosen).toEqual([far, near]);
    expect(ask('far', '10.1.0.0/16')).toEqual({
      chosen: [far],
      passedOver: [near, off].map((pool) => ({ pool, reason: 'not asked for' })),
    });
  });

  test('must be there and be usable', () => {
    expect(() => ask('fare')).toThrow("pools = 'fare': there is no IP pool of that name or CIDR");
    expect(() => ask('10.9.0.0/16')).toThrow("pools = '10.9.0.0/16': there is no IP pool of that name or CIDR");
    expect(() => ask('near', 'off')).toThrow("pools = 'off': cannot be used: disabled");
  });
});
