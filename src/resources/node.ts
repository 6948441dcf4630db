import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { parseInterfaceAddress, parseIpAddress } from '../model/ip.ts';
import { asNumber, checkedText, fields, ipAddress, macAddress } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

/** An address with the length of its subnet, `172.30.1.11/24`; without a length it is a subnet of one. */
const interfaceAddress = (family: IpFamily) =>
  checkedText((value) => {
    if (parseInterfaceAddress(value).address.family === family) return;
    throw new InvalidValueError('', value, `is not an IPv${family} address`);
  });

const bgp = once(() =>
  fields('Node.spec.bgp', {
    asNumber: asNumber.exactOptional().describe("absent: the cluster's"),
    ipv4Address: interfaceAddress(4).exactOptional().describe('with the length of its subnet: `10.0.0.1/24`'),
    ipv6Address: interfaceAddress(6).exactOptional().describe('with the length of its subnet'),
    ipv4IPIPTunnelAddr: ipAddress(4).exactOptional(),
    routeReflectorClusterID: ipAddress(4).exactOptional().describe('a route reflector, and no part of the mesh'),
  }).check((ctx) => {
    if (Object.keys(ctx.value).length > 0) return;
    ctx.issues.push({ code: 'custom', input: ctx.value, message: 'Spec.BGP should not be empty' });
  }),
);

const spec = once(() =>
  fields('Node.spec', {
    bgp: bgp().exactOptional(),
    ipv4VXLANTunnelAddr: ipAddress(4).exactOptional(),
    vxlanTunnelMACAddr: macAddress.exactOptional(),
    ipv6VXLANTunnelAddr: ipAddress(6).exactOptional(),
    vxlanTunnelMACAddrV6: macAddress.exactOptional(),
    addresses: z
      .array(
        fields('Node.spec.addresses', {
          address: checkedText((value) => (value.includes('/') ? parseInterfaceAddress(value) : parseIpAddress(value))),
          type: z.enum(['CalicoNodeIP', 'InternalIP', 'ExternalIP']).exactOptional(),
        }),
      )
      .exactOptional(),
    orchRefs: z
      .array(fields('Node.spec.orchRefs', { nodeName: z.string().exactOptional(), orchestrator: z.string() }))
      .exactOptional(),
    wireguard: fields('Node.spec.wireguard', {
      interfaceIPv4Address: ipAddress(4).exactOptional(),
      interfaceIPv6Address: ipAddress(6).exactOptional(),
    })
      .exactOptional()
      .describe("of Calico's Felix; kept"),
    interfaces: z
      .array(
        fields('Node.spec.interfaces', {
          name: z.string().exactOptional(),
          addresses: z.array(z.string()).exactOptional(),
        }),
      )
      .exactOptional()
      .describe("of Calico's startup; kept"),
  }),
);

const schema = once(() => envelope('Node', false, spec()));

export type Node = z.output<ReturnType<typeof schema>>;

export const node: KindSpec<Node> = {
  kind: 'Node',
  plural: 'nodes',
  aliases: ['no', 'nos'],
  namespaced: false,
  schema,
  columns: [nameColumn],
  wideColumns: [
    nameColumn,
    { heading: 'ASN', value: (r, { globalAsn }) => String(r.spec.bgp?.asNumber ?? `(${globalAsn})`) },
    { heading: 'IPV4', value: (r) => r.spec.bgp?.ipv4Address ?? '' },
    { heading: 'IPV6', value: (r) => r.spec.bgp?.ipv6Address ?? '' },
  ],
};
