/** From inputs to routes: what this host should have, with the reason of each, and what it cannot have yet. */
import type { Prefix } from '../../src/model/ip.ts';
import { formatPrefix, hostPrefix, isHostPrefix } from '../../src/model/ip.ts';
import type { DataplaneInputs, LocalEndpoint } from '../inputs.ts';
import { prefixId } from '../routes/route-id.ts';
import type { HostView } from './host-view.ts';
import { linkTrouble } from './host-view.ts';
import type { Judgement } from './learned-routes.ts';
import { planLearnedRoutes } from './learned-routes.ts';
import { planPeerGateways } from './peer-gateways.ts';
import type { PlanMemory } from './plan-memory.ts';
import type { Course } from './planned-route.ts';
import type { RoutePlan } from './route-plan.ts';
import { RoutePlanBuilder } from './route-plan.ts';

/** All routes of this host. Where several want a prefix, `precedence` settles which gets it. */
export function planRoutes(inputs: DataplaneInputs, host: HostView): RoutePlan {
  const steps = planRoutesInSteps(inputs, host);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in steps of some milliseconds, between which others may have their turn. `memory`: of one series of calculations. */
export function* planRoutesInSteps(
  inputs: DataplaneInputs,
  host: HostView,
  memory?: PlanMemory<Judgement>,
): Generator<undefined, RoutePlan> {
  const builder = new RoutePlanBuilder(host);
  for (const endpoint of inputs.endpoints) {
    const course = planWorkload(endpoint, host);
    for (const address of endpoint.addresses) builder.add(prefixId(hostPrefix(address)), course);
  }
  for (const block of uniquePrefixes(inputs.localBlocks)) {
    if (!isHostPrefix(block)) builder.add(prefixId(block), planBlock(block));
  }
  planPeerGateways(inputs, host, builder);
  yield* planLearnedRoutes({ inputs, host, memory }, builder);
  return builder.build();
}

const uniquePrefixes = (prefixes: readonly Prefix[]): readonly Prefix[] => [
  ...new Map(prefixes.map((prefix) => [formatPrefix(prefix), prefix])).values(),
];

function planWorkload({ name, interfaceName }: LocalEndpoint, host: HostView): Course {
  const trouble = linkTrouble(host, interfaceName);
  return {
    route: {
      class: 'local-workload',
      target: { kind: 'link', interfaceName },
      reason: `pod ${name} is on this node, behind ${interfaceName}`,
    },
    ...(trouble !== undefined && { unresolved: trouble }),
  };
}

/** Without it a packet for an unused address of our block would follow the default route, come back, and loop. */
const planBlock = (prefix: Prefix): Course => ({
  route: {
    class: 'local-block',
    target: { kind: 'blackhole' },
    reason: `block ${formatPrefix(prefix)} is this node's own: what no pod here uses is dropped`,
  },
});
