/** The demo's cluster as data: who stands where and which cable runs between whom. README.md draws it. */

export type Rack = 'a' | 'b';
export type HostRole = 'switch' | 'node' | 'office' | 'etcd';

export interface Host {
  readonly name: string;
  readonly role: HostRole;
  readonly rack?: Rack;
  readonly forwards: boolean;
  /** A bridge that the host's cables of the rack are plugged into, and its address. */
  readonly bridge?: { readonly name: string; readonly address: string };
  readonly gateway?: string;
}

/** One end of a cable: an interface of a host, with an address or plugged into the host's bridge. */
export interface Plug {
  readonly host: string;
  readonly interfaceName: string;
  /** With its prefix length; absent: the plug sits in the host's bridge. */
  readonly address?: string;
}

export interface Topology {
  readonly hosts: readonly Host[];
  readonly cables: readonly (readonly [Plug, Plug])[];
}

export interface DemoNode {
  readonly name: string;
  readonly rack: Rack;
  readonly address: string;
}

/** The four hosts that run an agent. */
export const NODES: readonly DemoNode[] = [
  { name: 'node-a1', rack: 'a', address: '172.30.1.11' },
  { name: 'node-a2', rack: 'a', address: '172.30.1.12' },
  { name: 'node-b1', rack: 'b', address: '172.30.2.11' },
  { name: 'node-b2', rack: 'b', address: '172.30.2.12' },
];

export const NODE_ASN = 64512;

/** The gateway of each rack. Its port towards the other switch is named after that switch. */
export const SWITCHES = [
  { name: 'tor-a', rack: 'a', address: '172.30.1.1', asn: 65001, uplink: 'tor-b', uplinkAddress: '172.30.0.1' },
  { name: 'tor-b', rack: 'b', address: '172.30.2.1', asn: 65002, uplink: 'tor-a', uplinkAddress: '172.30.0.2' },
] as const satisfies readonly { readonly rack: Rack; readonly [key: string]: unknown }[];

export type DemoSwitch = (typeof SWITCHES)[number];

export const RACK_BRIDGE = 'rack';
export const OFFICE = { name: 'office', address: '172.30.9.10', gateway: '172.30.9.1' } as const;
/** Behind tor-a like the office, so that every node reaches it before any BGP session is up. */
export const ETCD = { name: 'etcd', address: '172.30.8.10', gateway: '172.30.8.1' } as const;

const SUBNET_LENGTH = 24;

/** The whole cluster; the etcd host only where the datastore is a real etcd. */
export function buildTopology(options: { readonly etcd: boolean }): Topology {
  const [torA, torB] = SWITCHES;
  const guests = [OFFICE, ...(options.etcd ? [ETCD] : [])];
  return {
    hosts: [
      ...SWITCHES.map(({ name, rack, address }): Host => ({
        name,
        rack,
        role: 'switch',
        forwards: true,
        bridge: { name: RACK_BRIDGE, address: `${address}/${SUBNET_LENGTH}` },
      })),
      ...NODES.map(({ name, rack }): Host => {
        const gateway = SWITCHES.find((tor) => tor.rack === rack)!.address;
        return { name, rack, role: 'node', forwards: true, gateway };
      }),
      ...guests.map(({ name, gateway }): Host => ({ name, role: name, forwards: false, gateway })),
    ],
    cables: [
      [
        { host: torA.name, interfaceName: torA.uplink, address: `${torA.uplinkAddress}/30` },
        { host: torB.name, interfaceName: torB.uplink, address: `${torB.uplinkAddress}/30` },
      ],
      ...NODES.map(({ name, rack, address }): [Plug, Plug] => [
        { host: `tor-${rack}`, interfaceName: name },
        { host: name, interfaceName: 'eth0', address: `${address}/${SUBNET_LENGTH}` },
      ]),
      ...guests.map(({ name, address, gateway }): [Plug, Plug] => [
        { host: torA.name, interfaceName: name, address: `${gateway}/${SUBNET_LENGTH}` },
        { host: name, interfaceName: 'eth0', address: `${address}/${SUBNET_LENGTH}` },
      ]),
    ],
  };
}

/** Lines for `ip -batch` in the machine's own namespace: every host, every cable. */
export function creationBatch({ hosts, cables }: Topology, prefix: string): readonly string[] {
  return [
    ...hosts.map(({ name }) => `netns add ${prefix}${name}`),
    ...cables.map(
      ([one, other]) =>
        `link add ${one.interfaceName} netns ${prefix}${one.host} type veth ` +
        `peer name ${other.interfaceName} netns ${prefix}${other.host}`,
    ),
  ];
}

/** Lines for `ip -batch` inside one host: bridge, addresses, links up, and the default route last of all. */
export function hostBatch({ cables }: Topology, host: Host): readonly string[] {
  const plugs = cables.flat().filter((plug) => plug.host === host.name);
  return [
    'link set lo up',
    ...(host.bridge === undefined
      ? []
      : [
          `link add ${host.bridge.name} type bridge`,
          `address add ${host.bridge.address} dev ${host.bridge.name}`,
          `link set ${host.bridge.name} up`,
        ]),
    ...plugs.flatMap(({ interfaceName, address }) => [
      address === undefined
        ? `link set ${interfaceName} master ${RACK_BRIDGE}`
        : `address add ${address} dev ${interfaceName}`,
      `link set ${interfaceName} up`,
    ]),
    ...(host.gateway === undefined ? [] : [`route add default via ${host.gateway}`]),
  ];
}
