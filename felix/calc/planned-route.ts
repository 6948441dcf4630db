import type { DesiredRoute, RouteTarget } from '../desired.ts';

/** A route on its way from the inputs to the kernel, or the reason why it does not get there. */
export interface PlannedRoute {
  readonly route: DesiredRoute;
  /** Why it is not for the kernel now: a link or a next hop is missing, another route wins, or it is refused. */
  readonly unresolved?: string;
  /** It shall not be in the kernel at all; without this, what the kernel has for the prefix waits with us. */
  readonly isRefused?: true;
  /** The other end may not be ready for this way: where the kernel still has one of these older ways, it stays for now. */
  readonly meanwhile?: Meanwhile;
}

/** A planned route but for its prefix: what routes of a full table share. */
export interface Course extends Omit<PlannedRoute, 'route'> {
  readonly route: Omit<DesiredRoute, 'prefix'>;
}

export interface Meanwhile {
  readonly targets: readonly RouteTarget[];
  /** `node node-b1 has no IPIP tunnel address yet`. */
  readonly reason: string;
}
