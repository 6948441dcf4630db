import { ROUTE_CLASSES } from '../desired.ts';
import type { HostView } from './host-view.ts';
import type { Course } from './planned-route.ts';

/**
 * Which of two routes gets the prefix that both want; negative: `a`. The first class of ROUTE_CLASSES; within a class the youngest
 * interface (highest index) as in Calico; then the reason's text, and the target's where even that is the same.
 */
export function precedence(a: Course, b: Course, host: HostView): number {
  return (
    ROUTE_CLASSES.indexOf(a.route.class) - ROUTE_CLASSES.indexOf(b.route.class) ||
    ifindexOf(b, host) - ifindexOf(a, host) ||
    compareTexts(a.route.reason, b.route.reason) ||
    compareTexts(JSON.stringify(a.route.target), JSON.stringify(b.route.target))
  );
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function ifindexOf({ route: { target } }: Course, host: HostView): number {
  return target.kind === 'link' ? (host.links.get(target.interfaceName)?.index ?? 0) : 0;
}
