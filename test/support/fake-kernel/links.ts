import { KernelError } from '../../../felix/kernel.ts';
import type { KernelLink, LinkChange, NewLink } from '../../../felix/kernel.ts';
import type { FakeNamespace } from './namespace.ts';

/** `peerHome`: the namespace at a path, for a veth's peer to be born in. */
export function createLink(
  namespace: FakeNamespace,
  link: NewLink,
  peerHome: (path: string) => FakeNamespace | undefined,
): void {
  const there = namespace.linkNamed(link.name);
  if (there !== undefined) {
    if (link.kind === 'ipip' && there.kind === 'ipip') return;
    throw new KernelError(`create ${link.kind} link ${link.name}: EEXIST (exists already)`, 'EEXIST');
  }
  const common = { name: link.name, kind: link.kind, mtu: link.mtu ?? 1500, up: false, running: false };
  const index = namespace.newIndex();
  if (link.kind === 'veth') {
    const { netns } = link.peer;
    const home = netns === undefined ? namespace : peerHome(netns);
    createVeth({ namespace, home }, link, { ...common, mac: link.mac ?? madeUpMac(index), index });
    return;
  }
  const mac = link.kind === 'ipip' ? '' : (link.mac ?? madeUpMac(index));
  namespace.setLink({
    ...common,
    index,
    mac,
    ...(link.kind === 'vxlan' && { vxlan: link.vxlan }),
    ...(link.kind === 'ipip' && { pmtuDiscovery: false }),
  });
}

function createVeth(
  { namespace, home }: { readonly namespace: FakeNamespace; readonly home: FakeNamespace | undefined },
  { peer }: Extract<NewLink, { kind: 'veth' }>,
  link: KernelLink,
): void {
  if (home === undefined) {
    throw new KernelError(`create veth link ${link.name}: open: ENOENT (no such file or directory)`, 'ENOENT');
  }
  if (home.linkNamed(peer.name) !== undefined) {
    throw new KernelError(`create veth link ${link.name}: EEXIST (exists already)`, 'EEXIST');
  }
  const index = home.newIndex();
  const mac = peer.mac ?? madeUpMac(index);
  home.setLink({ ...link, index, name: peer.name, mac, peerIndex: link.index });
  namespace.setLink({ ...link, peerIndex: index });
  namespace.peers.set(link.index, { namespace: home, index });
  home.peers.set(index, { namespace, index: link.index });
}

export function changeLink(namespace: FakeNamespace, ifindex: number, change: LinkChange): void {
  const before = namespace.links.get(ifindex);
  if (before === undefined) throw new KernelError(`set link ${ifindex}: ENODEV (no such device)`, 'ENODEV');
  const holder = change.name === undefined ? undefined : namespace.linkNamed(change.name);
  if (holder !== undefined && holder.index !== ifindex) {
    throw new KernelError(`set link ${ifindex} name ${change.name}: EEXIST (exists already)`, 'EEXIST');
  }
  const up = change.up ?? before.up;
  namespace.setLink({ ...before, ...change, up, running: up });
  if (!up) namespace.dropRoutesOver(ifindex);
}

/** With its peer, wherever that is. */
export function deleteLink(namespace: FakeNamespace, name: string): void {
  const link = namespace.linkNamed(name);
  if (link === undefined) return;
  const peer = namespace.peers.get(link.index);
  forgetLink(namespace, link.index);
  if (peer !== undefined) forgetLink(peer.namespace, peer.index);
}

function forgetLink(namespace: FakeNamespace, index: number): void {
  const link = namespace.links.get(index);
  namespace.links.delete(index);
  namespace.peers.delete(index);
  namespace.addresses = namespace.addresses.filter(({ ifindex }) => ifindex !== index);
  namespace.neighbours = namespace.neighbours.filter(({ ifindex }) => ifindex !== index);
  namespace.dropRoutesOver(index);
  if (link !== undefined) namespace.emit({ kind: 'link', change: 'removed', link });
}

const madeUpMac = (index: number): string => `02:00:00:00:00:${(index & 255).toString(16).padStart(2, '0')}`;
