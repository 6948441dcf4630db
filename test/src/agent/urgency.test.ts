import { expect, test } from 'vitest';
import { urgencyOf } from '../../../src/agent/urgency.ts';
import type { Urgency } from '../../../src/agent/urgency.ts';
import { affinityKey, blockKey, handleKey, resourceKey } from '../../../src/datastore/keys.ts';
import type { Change, Json } from '../../../src/datastore/store.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { emptyResources } from '../../../src/resources/index.ts';
import type { AnyResource, Resources } from '../../../src/resources/index.ts';
import { resource } from '../../support/resources.ts';

const OWN = parsePrefix('192.168.0.0/30');
const OTHER = parsePrefix('192.168.0.4/30');

const put = (key: string, value: Json = {}): Change => ({ type: 'put', entry: { key, value, revision: 9 } });
const gone = (key: string): Change => ({ type: 'delete', key, revision: 9 });

/** The node that holds each address of the block; '' for none. */
function block(...holders: readonly string[]): Json {
  const nodes = [...new Set(holders.filter((node) => node !== ''))];
  return {
    cidr: '192.168.0.0/30',
    affinity: 'host:a',
    allocations: holders.map((node) => (node === '' ? null : nodes.indexOf(node))),
    unallocated: holders.flatMap((node, i) => (node === '' ? [i] : [])),
    attributes: nodes.map((node) => ({ handle_id: `h-${node}`, secondary: { node } })),
    sequenceNumber: 1,
    sequenceNumberForAllocation: {},
    deleted: false,
  };
}

const endpointKey = (node: string, pod: string): string => {
  const name = `${node.replaceAll('-', '--')}-k8s-${pod}-eth0`;
  return resourceKey({ plural: 'workloadendpoints', namespace: 'default', name });
};
const endpoint = (interfaceName: string, address = '192.168.0.1'): Json => ({
  spec: { interfaceName, ipNetworks: [`${address}/32`] },
});
/** One that is known. */
const known = (pod: string, address: string): AnyResource => {
  const spec = { orchestrator: 'k8s', node: 'a', pod, endpoint: 'eth0', interfaceName: 'cali1' };
  return resource('WorkloadEndpoint', `a-k8s-${pod}-eth0`, { ...spec, ipNetworks: [`${address}/32`] });
};
const resources = {
  ...emptyResources(),
  WorkloadEndpoint: new Map([
    ['default/a-k8s-web-eth0', known('web', '192.168.0.1')],
    ['default/a-k8s-borrower-eth0', known('borrower', '192.168.0.5')],
  ]),
} as Resources;

const of = (changes: readonly Change[], { node = 'a', lent = [] as readonly string[], isUnused = false } = {}) =>
  urgencyOf(changes, {
    knowledge: {
      ...{
        node,
        resources,
        blocks: [OWN],
        lent: lent.map((text) => parseIpAddress(text)),
        unused: isUnused ? [OWN] : [],
      },
    },
    isNewEndpoint: (name) => name === 'calinew',
  });

test.each([
  ['a handle', put(handleKey('k8s-pod-network.x')), 'asked'],
  ['a block of another node', put(blockKey(OTHER), block('b', '', '', '')), 'asked'],
  ['an affinity of this node', put(affinityKey('a', OTHER)), 'now'],
  ['an affinity that this node is about to have', put(affinityKey('a', OTHER), { state: 'pending' }), 'asked'],
  ['an affinity that is confirmed', put(affinityKey('a', OTHER), { state: 'confirmed' }), 'now'],
  ['an affinity that is confirmed again', put(affinityKey('a', OWN), { state: 'confirmed' }), 'asked'],
  ['an affinity that this node is about to lose', put(affinityKey('a', OWN), { state: 'pendingDeletion' }), 'now'],
  ['an affinity that came to nothing', gone(affinityKey('a', OTHER)), 'asked'],
  ['an affinity that this node loses', gone(affinityKey('a', OWN)), 'now'],
  ['an affinity of another node, whose name begins alike', put(affinityKey('a2', OTHER)), 'asked'],
  ['a pool', put(resourceKey({ plural: 'ippools', name: 'p' })), 'now'],
  ['what is not known', put('/calico/v1/config/x'), 'now'],
  ['an endpoint of an ADD of this agent', put(endpointKey('a', 'web'), endpoint('calinew')), 'soon'],
  ['an endpoint of an ADD that borrowed', put(endpointKey('a', 'web'), endpoint('calinew', '192.168.0.5')), 'now'],
  ['an endpoint of an ADD that borrows no more', put(endpointKey('a', 'borrower'), endpoint('calinew')), 'now'],
  ['an endpoint of an ADD whose address is none', put(endpointKey('a', 'web'), endpoint('calinew', 'x')), 'now'],
  ['an endpoint with a borrowed address that is gone', gone(endpointKey('a', 'borrower')), 'now'],
  ['an endpoint that is gone before it was known', gone(endpointKey('a', 'unknown')), 'soon'],
  ['an endpoint that somebody else wrote for this node', put(endpointKey('a', 'web'), endpoint('caliweb')), 'now'],
  ['an endpoint that cannot be read', put(endpointKey('a', 'web'), null), 'now'],
  ['an endpoint of this node that is gone', gone(endpointKey('a', 'web')), 'soon'],
  ['an endpoint of another node', put(endpointKey('b', 'web'), endpoint('caliweb')), 'asked'],
  ['an endpoint of another node, whose name goes on', put(endpointKey('a-1', 'web'), endpoint('caliweb')), 'asked'],
] as const)('%s', (_, change, urgency) => {
  expect(of([change])).toBe(urgency);
});

test.each<readonly [string, Json, Parameters<typeof of>[1], Urgency]>([
  ['one more pod of this node', block('a', 'a', '', ''), {}, 'asked'],
  ['its first pod', block('a', '', '', ''), { isUnused: true }, 'soon'],
  ['its last pod gone', block('', '', '', ''), {}, 'soon'],
  ['an address borrowed', block('a', 'b', '', ''), {}, 'now'],
  ['a borrowed address as before', block('a', 'b', '', ''), { lent: ['192.168.0.1'] }, 'asked'],
  ['a borrowed address given back', block('a', '', '', ''), { lent: ['192.168.0.1'] }, 'now'],
  ['another address borrowed in its place', block('a', '', 'b', ''), { lent: ['192.168.0.1'] }, 'now'],
  ['what another block lent', block('a', '', '', ''), { lent: ['192.168.0.5'] }, 'asked'],
  ['a block that cannot be read', { cidr: '192.168.0.0/30', allocations: [] }, {}, 'now'],
])('an own block: %s', (...[, value, known, urgency]) => {
  expect(of([put(blockKey(OWN), value)], known)).toBe(urgency);
});

test('an own block that is gone', () => {
  expect(of([gone(blockKey(OWN))])).toBe('now');
});

test('of several changes the most urgent counts', () => {
  const [asked, soon, now] = [put(handleKey('h')), gone(endpointKey('a', 'x')), put(affinityKey('a', OTHER))];
  expect(of([asked, soon, asked])).toBe('soon');
  expect(of([asked, soon, now, asked])).toBe('now');
  expect(of([])).toBe('asked');
});
