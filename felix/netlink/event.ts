/** From a notification of the kernel to the events of the port. */
import type { IpFamily } from '../../src/model/ip.ts';
import { MAIN_TABLE } from '../routes/kernel-route.ts';
import type { KernelEvent, WatchedSysctl } from '../kernel.ts';
import { decodeAddress } from './address.ts';
import { LITTLE_ENDIAN, decodeAttributes, readU32, viewOf } from './attribute.ts';
import { AF, NETCONF, RTM } from './constants.ts';
import type { Message } from './header.ts';
import { decodeLink } from './link.ts';
import { decodeNeighbourEvent } from './neighbour-event.ts';
import { decodeRoute } from './route-reader.ts';

/** struct netconfmsg is the family alone, padded. */
const NETCONF_FIXED_OCTETS = 4;
/** NETCONFA_IFINDEX_ALL and NETCONFA_IFINDEX_DEFAULT. */
const IFINDEX_ALL = -1;
const IFINDEX_DEFAULT = -2;

/** None for what a Kernel's listener does not hear of: other tables, clones, bridge ports, links' last netconf. */
export function decodeEvents({ type, port, body }: Message): readonly KernelEvent[] {
  const by = port === 0 ? {} : { by: port };
  switch (type) {
    case RTM.newLink:
    case RTM.delLink: {
      const link = decodeLink(body);
      return link === undefined ? [] : [{ kind: 'link', change: changeOf(type === RTM.newLink), link, ...by }];
    }
    case RTM.newAddress:
    case RTM.delAddress: {
      const address = decodeAddress(body);
      const change = changeOf(type === RTM.newAddress);
      return address === undefined ? [] : [{ kind: 'address', change, address, ...by }];
    }
    case RTM.newRoute:
    case RTM.delRoute: {
      const route = decodeRoute(body);
      const change = changeOf(type === RTM.newRoute);
      return route?.table === MAIN_TABLE ? [{ kind: 'route', change, route, ...by }] : [];
    }
    case RTM.newNeighbour:
    case RTM.delNeighbour: {
      const event = decodeNeighbourEvent(body, changeOf(type === RTM.newNeighbour));
      return event === undefined ? [] : [{ ...event, ...by }];
    }
    case RTM.newNetconf:
      return decodeNetconf(body);
    default:
      return [];
  }
}

const changeOf = (isSet: boolean): 'set' | 'removed' => (isSet ? 'set' : 'removed');

/** RTM_NEWNETCONF: the sysctls of one interface that changed, or all that it starts with. */
function decodeNetconf(body: Uint8Array): readonly KernelEvent[] {
  if (body[0] !== AF.inet && body[0] !== AF.inet6) return [];
  const family: IpFamily = body[0] === AF.inet ? 4 : 6;
  const attributes = decodeAttributes(body.subarray(NETCONF_FIXED_OCTETS));
  const link = attributes.get(NETCONF.ifindex);
  if (link === undefined) return [];
  const ifindex = readIfindex(link);
  const names: readonly (readonly [number, WatchedSysctl])[] = [
    [NETCONF.forwarding, 'forwarding'],
    [NETCONF.rpFilter, 'rp_filter'],
    [NETCONF.proxyNeighbour, family === 4 ? 'proxy_arp' : 'proxy_ndp'],
  ];
  return names.flatMap(([attribute, name]) => {
    const octets = attributes.get(attribute);
    return octets === undefined ? [] : [{ kind: 'sysctl', family, ifindex, name, value: readU32(octets) } as const];
  });
}

function readIfindex(octets: Uint8Array): number | 'all' | 'default' {
  const index = viewOf(octets).getInt32(0, LITTLE_ENDIAN);
  if (index === IFINDEX_ALL) return 'all';
  return index === IFINDEX_DEFAULT ? 'default' : index;
}
