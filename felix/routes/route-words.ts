/** A route in our words and in the kernel's, and the way from one to the other. */
import { unreachable } from '../../src/model/invalid.ts';
import { TUNNEL_LINKS } from '../calc/encap.ts';
import type { HostLink } from '../calc/host-view.ts';
import type { DesiredRoute, Hop, RouteClass, RouteTarget } from '../desired.ts';
import type { KernelHop, KernelRoute, RouteBody } from './kernel-route.ts';
import { MAIN_TABLE, SCOPE, bodyAsStored } from './kernel-route.ts';
import { OUR_PROTOCOL } from '../ownership.ts';
import { isIpv4Route } from './route-id.ts';
import type { RouteId } from './route-id.ts';

type Links = ReadonlyMap<string, HostLink>;

/** The kernel's words for ways over the links as they are now. A full table has few ways: each is worked out once. */
export class KernelWords {
  readonly #links: Links;
  readonly #known = { 4: new WeakMap<RouteTarget, RouteBody>(), 6: new WeakMap<RouteTarget, RouteBody>() };

  constructor(links: Links) {
    this.#links = links;
  }

  /** As the kernel will list it. A hop over a link that is gone is left out. */
  bodyOf(id: RouteId, target: RouteTarget): RouteBody {
    const family = isIpv4Route(id) ? 4 : 6;
    const known = this.#known[family].get(target);
    if (known !== undefined) return known;
    const body = bodyAsStored(toBody(target, this.#links), family);
    this.#known[family].set(target, body);
    return body;
  }
}

function toBody(target: RouteTarget, links: Links): RouteBody {
  const base = { table: MAIN_TABLE, protocol: OUR_PROTOCOL, metric: 0 };
  switch (target.kind) {
    case 'blackhole':
      return { ...base, type: 'blackhole', scope: SCOPE.universe, hops: [] };
    case 'link': {
      const ifindex = links.get(target.interfaceName)?.index;
      const hops = ifindex === undefined ? [] : [{ ifindex, onlink: false }];
      return { ...base, type: 'unicast', scope: SCOPE.link, hops };
    }
    case 'via':
      return { ...base, type: 'unicast', scope: SCOPE.universe, hops: target.hops.flatMap((hop) => toHop(hop, links)) };
    default:
      return unreachable(target);
  }
}

function toHop({ gateway, interfaceName, onlink }: Hop, links: Links): readonly KernelHop[] {
  const ifindex = links.get(interfaceName)?.index;
  return ifindex === undefined ? [] : [{ gateway, ifindex, onlink }];
}

/** A route of ours that no calculation asked for, in words that `calicoctl-ts routes` can show. */
export function fromKernelRoute({ prefix, type, hops }: KernelRoute, reason: string, links: Links): DesiredRoute {
  const nameOf = (ifindex: number): string =>
    [...links.values()].find(({ index }) => index === ifindex)?.name ?? `interface ${ifindex}`;
  const described = hops.map(({ gateway, ifindex, onlink }) => ({ gateway, interfaceName: nameOf(ifindex), onlink }));
  const via = described.flatMap(({ gateway, ...hop }) => (gateway === undefined ? [] : [{ ...hop, gateway }]));
  const [first] = described;
  if (type !== 'unicast' || first === undefined) {
    return { prefix, class: 'local-block', target: { kind: 'blackhole' }, reason };
  }
  const target: RouteTarget =
    via.length === 0 ? { kind: 'link', interfaceName: first.interfaceName } : { kind: 'via', hops: via };
  return { prefix, class: classOfLink(first.interfaceName, target), target, reason };
}

function classOfLink(interfaceName: string, target: RouteTarget): RouteClass {
  if (target.kind === 'link') return 'local-workload';
  if (interfaceName === TUNNEL_LINKS.ipip) return 'ipip';
  const isVxlan = interfaceName === TUNNEL_LINKS.vxlan || interfaceName === TUNNEL_LINKS['vxlan-v6'];
  return isVxlan ? 'vxlan' : 'external';
}
