import type { IpFamily } from '../model/ip.ts';
import { DEFAULT_ROUTE_PRIORITY } from '../resources/index.ts';
import type { Resources } from '../resources/index.ts';

const MAX = 2_147_483_647;

/** Calico's priorities are metrics, lower is preferred; within the AS they travel as LOCAL_PREF, higher is preferred. */
export const localPrefOf = (priority: number): number => MAX - priority;

/** What the routes of every node have unless something raises one of them. */
export function normalPriority({ BGPConfiguration }: Resources, family: IpFamily): number {
  const spec = BGPConfiguration.get('default')?.spec;
  const priority = family === 4 ? spec?.ipv4NormalRoutePriority : spec?.ipv6NormalRoutePriority;
  return priority ?? DEFAULT_ROUTE_PRIORITY;
}
