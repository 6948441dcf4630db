/** What is asked of another node, packet by packet. Pure. */
import type { IpAddress } from '../../model/ip.ts';
import { encapsulate, encapsulateVxlan, encodeEcho } from './packet.ts';
import type { EchoId, Endpoints } from './packet.ts';

/** One address of another node. A tunnel is asked through where it is named. */
export interface ProbeTarget {
  readonly address: IpAddress;
  readonly ipip?: TunnelEnd;
  readonly vxlan?: VxlanEnd;
}

/** Of the same family as the targets. */
export interface ProbeSource {
  readonly address: IpAddress;
  /** The MTU of the link that carries our address. */
  readonly mtu: number;
  readonly ipip?: TunnelEnd;
  readonly vxlan?: VxlanEnd & { readonly vni: number; readonly port: number };
}

export interface TunnelEnd {
  /** The node's own address inside the tunnel; absent: it has none, and nobody can ask for the way back. */
  readonly address?: IpAddress;
}

export interface VxlanEnd extends TunnelEnd {
  /** Of the VXLAN device. */
  readonly mac: string;
}

export interface Question {
  /** Which target, by its place. */
  readonly target: number;
  /**
   * `small`, `large`: an echo, the second as large as our MTU. `ipip`, `vxlan`: one inside the tunnel, from our node's address: the
   * answer comes back plain, so it tells of the way there alone. `… and back`: from tunnel address to tunnel address, as pods' packets
   * go, so the answer comes through the tunnel, too.
   */
  readonly name: 'small' | 'large' | 'ipip' | 'ipip and back' | 'vxlan' | 'vxlan and back';
  readonly packet: (id: EchoId) => Uint8Array;
}

const SMALL_OCTETS = 84;

export const questionsFor = (targets: readonly ProbeTarget[], source: ProbeSource): readonly Question[] =>
  targets.flatMap((target, i) => questionsOf(target, source).map((question) => ({ ...question, target: i })));

function questionsOf(target: ProbeTarget, source: ProbeSource): readonly Omit<Question, 'target'>[] {
  const outer: Endpoints = { source: source.address, destination: target.address };
  const echo = (octets: number) => (id: EchoId) => encodeEcho(outer, id, octets);
  return [
    { name: 'small', packet: echo(SMALL_OCTETS) },
    { name: 'large', packet: echo(source.mtu) },
    ...throughIpip(target, source, outer),
    ...throughVxlan(target, source, outer),
  ];
}

function throughIpip(
  { ipip }: ProbeTarget,
  source: ProbeSource,
  outer: Endpoints,
): readonly Omit<Question, 'target'>[] {
  if (ipip === undefined) return [];
  const inside = (inner: Endpoints) => (id: EchoId) =>
    encapsulate(outer, encodeEcho(inner, id, SMALL_OCTETS), id.sequence);
  const back = tunnelEnds(source.ipip, ipip);
  return [
    { name: 'ipip', packet: inside(outer) },
    ...(back === undefined ? [] : [{ name: 'ipip and back', packet: inside(back) } as const]),
  ];
}

function throughVxlan(
  { vxlan }: ProbeTarget,
  source: ProbeSource,
  outer: Endpoints,
): readonly Omit<Question, 'target'>[] {
  const own = source.vxlan;
  if (vxlan === undefined || own === undefined) return [];
  const frame = { vni: own.vni, port: own.port, mac: vxlan.mac, sourceMac: own.mac };
  const inside = (inner: Endpoints) => (id: EchoId) =>
    encapsulateVxlan(outer, { inner: encodeEcho(inner, id, SMALL_OCTETS), sequence: id.sequence }, frame);
  const back = tunnelEnds(own, vxlan);
  return [
    { name: 'vxlan', packet: inside(outer) },
    ...(back === undefined ? [] : [{ name: 'vxlan and back', packet: inside(back) } as const]),
  ];
}

function tunnelEnds(own: TunnelEnd | undefined, other: TunnelEnd): Endpoints | undefined {
  if (own?.address === undefined || other.address === undefined) return undefined;
  return { source: own.address, destination: other.address };
}
