import { expect, test } from 'vitest';
import type { DataplaneInputs } from '../../../felix/index.ts';
import { knownInputs } from '../../../src/agent/cluster-view.ts';
import { DataplaneFeed } from '../../../src/agent/dataplane-feed.ts';
import { NewEndpoints } from '../../../src/agent/new-endpoints.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { LearnedRoute } from '../../../src/model/route.ts';
import { emptyResources } from '../../../src/resources/index.ts';
import type { Resources } from '../../../src/resources/index.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';
import { resource } from '../../support/resources.ts';

const ROUTE: LearnedRoute = {
  prefix: parsePrefix('10.48.1.0/26'),
  nextHops: [parseIpAddress('172.30.1.12')],
  learnedFrom: '172.30.1.12',
};

function bench() {
  const told: DataplaneInputs[] = [];
  const newEndpoints = new NewEndpoints();
  const learned: LearnedRoute[] = [];
  const speaker = fakeSpeaker({ learnedRoutes: () => [...learned] });
  const node = resource('Node', 'a', { bgp: { ipv4Address: '172.30.1.11/24' } });
  const resources = { ...emptyResources(), Node: new Map([['a', node]]) } as Resources;
  const feed = new DataplaneFeed({
    dataplane: { update: (inputs) => void told.push(inputs) },
    newEndpoints,
    known: () => knownInputs({ node: 'a', resources, blocks: [] }, new Map()),
    speaker: () => speaker,
  });
  return { feed, told, newEndpoints, learned };
}

test('a route that comes takes no new pod away, though somebody has looked at a view that knows the pod since', () => {
  const { feed, told, newEndpoints, learned } = bench();
  feed.looked(4);
  feed.computed();
  newEndpoints.expect({ hostInterface: 'cali1', addresses: [parseIpAddress('10.48.0.1')] });
  newEndpoints.written('cali1', 5);
  feed.looked(5);
  learned.push(ROUTE);
  feed.routesChanged();
  expect(told.at(-1)!.endpoints.map(({ interfaceName }) => interfaceName)).toEqual(['cali1']);
  feed.computedBlocks({ blocks: [] });
  expect(told.at(-1)!.endpoints).toHaveLength(1);
  // From the view that knows it: what it says counts.
  feed.computed();
  expect(told.at(-1)!.endpoints).toEqual([]);
});

test('routes that are the same are told once', () => {
  const { feed, told, learned } = bench();
  learned.push(ROUTE);
  feed.computed();
  feed.routesChanged();
  expect(told).toHaveLength(1);
  learned.length = 0;
  feed.routesChanged();
  expect(told).toHaveLength(2);
});
