/** Under which source addresses pings come, as nftables in the receiving namespace notes it. */
import type { TestNetns } from './netns.ts';

const RECORDER = `
  add table inet seen
  add set inet seen ipv4 { type ipv4_addr . ipv4_addr; flags dynamic; }
  add set inet seen ipv6 { type ipv6_addr . ipv6_addr; flags dynamic; }
  add chain inet seen prerouting { type filter hook prerouting priority filter; }
  add rule inet seen prerouting icmp type echo-request add @ipv4 { ip saddr . ip daddr }
  add rule inet seen prerouting icmpv6 type echo-request add @ipv6 { ip6 saddr . ip6 daddr }
`;

/** From now on the namespace remembers under which source addresses pings come to it. */
export function recordPings(netns: TestNetns): void {
  netns.run('nft', RECORDER);
}

/** The sources of the pings to an address since the last question, sorted. */
export function takeSources(netns: TestNetns, destination: string): readonly string[] {
  const listed = netns.run('nft', 'list', 'table', 'inet', 'seen');
  for (const set of ['ipv4', 'ipv6']) netns.run('nft', `flush set inet seen ${set}`);
  const pairs = [...listed.matchAll(/([0-9a-f.:]+) \. ([0-9a-f.:]+)/g)];
  return pairs.flatMap(([, source = '', to]) => (to === destination ? [source] : [])).sort();
}
