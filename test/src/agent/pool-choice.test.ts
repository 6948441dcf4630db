import { describe, expect, test } from 'vitest';
import type { Knowledge } from '../../../src/agent/cluster-view.ts';
import { requireWorkloadPools, tunnelPools, workloadPools } from '../../../src/agent/pool-choice.ts';
import { resourceKey } from '../../../src/datastore/keys.ts';
import type { Entry, Json } from '../../../src/datastore/store.ts';
import { resourcesFromEntries } from '../../../src/resources/index.ts';

const PLURALS: Readonly<Record<string, string>> = { Node: 'nodes', IPPool: 'ippools', Profile: 'profiles' };

const resource = (kind: string, name: string, ...[spec, labels = {}]: readonly [Json, Json?]): Entry => ({
  key: resourceKey({ plural: PLURALS[kind]!, name }),
  value: { apiVersion: 'projectcalico.org/v3', kind, metadata: { name, labels }, spec },
  revision: 1,
});

const knowledge = (...entries: readonly Entry[]): Knowledge => {
  const { resources, unreadable } = resourcesFromEntries(entries);
  expect(unreadable).toEqual([]);
  return { node: 'a', resources, blocks: [] };
};

const NODE = resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } }, { rack: 'a' });
const names = (pools: readonly { readonly name: string }[]): readonly string[] => pools.map(({ name }) => name);
const shop = { namespace: 'shop' };

test('pools are used where they are enabled, fit the use and select this node', () => {
  const known = knowledge(
    NODE,
    resource('IPPool', 'p1', { cidr: '192.168.0.0/16', ipipMode: 'CrossSubnet' }),
    resource('IPPool', 'elsewhere', { cidr: '10.1.0.0/16', nodeSelector: "rack == 'b'" }),
    resource('IPPool', 'here', { cidr: '10.2.0.0/16', nodeSelector: "rack == 'a'" }),
    resource('IPPool', 'off', { cidr: '10.3.0.0/16', disabled: true, ipipMode: 'Always' }),
    resource('IPPool', 'by-hand', { cidr: '10.4.0.0/16', assignmentMode: 'Manual' }),
    resource('IPPool', 'tunnels', { cidr: '10.5.0.0/16', allowedUses: ['Tunnel'], vxlanMode: 'Always' }),
  );
  const { chosen, passedOver } = workloadPools(known, shop);
  expect(names(chosen)).toEqual(['p1', 'here']);
  expect(passedOver.map(({ pool, reason }) => `${pool.name}: ${reason}`)).toEqual([
    "elsewhere: its nodeSelector rack == 'b' does not select node a",
    'off: disabled',
    'by-hand: its assignmentMode is Manual',
    'tunnels: its allowedUses are Tunnel, not Workload',
  ]);
  expect(names(tunnelPools(known, 'ipip'))).toEqual(['p1']);
  expect(names(tunnelPools(known, 'vxlan'))).toEqual(['tunnels']);
  expect(names(workloadPools(known, { ...shop, pools: ['by-hand'] }).chosen)).toEqual(['by-hand']);
});

describe('a pool for namespaces', () => {
  const red = resource('IPPool', 'red', {
    cidr: '10.1.0.0/16',
    namespaceSelector: "team == 'red'",
    allowedUses: ['Workload'],
  });
  const profile = (namespace: string, team: string): Entry =>
    resource('Profile', `kns.${namespace}`, { labelsToApply: { 'pcns.team': team, 'pcsa.team': 'red' } });

  test('gives to those whose Profile has the labels', () => {
    const known = knowledge(NODE, red, profile('shop', 'red'), profile('bank', 'blue'));
    expect(names(requireWorkloadPools(known, shop))).toEqual(['red']);
    expect(() => requireWorkloadPools(known, { namespace: 'bank' })).toThrow(
      'no ippool gives addresses to pods of a in namespace bank: ' +
        "red: its namespaceSelector team == 'red' does not select namespace bank",
    );
    expect(() => requireWorkloadPools(known, { namespace: 'new' })).toThrow('nobody knows the labels of namespace new');
  });

  test('where there is no pool, the sentence says so', () => {
    expect(() => requireWorkloadPools(knowledge(NODE), shop)).toThrow(
      'no ippool gives addresses to pods of a in namespace shop: there is none',
    );
  });
});
