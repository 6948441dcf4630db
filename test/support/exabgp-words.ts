/** Our records in ExaBGP's words, so that both can be compared: written from its documentation, not from our decoder. */
import type { FamilyNlri, FlowComponent, FlowMatch, FlowNlri, VpnNlri } from '../../bird/bgp-ts/index.ts';
import { formatIpAddress, formatIpv4 } from '../../src/model/ip.ts';
import { hex } from './bgp-bytes.ts';
import type { ExaBgpNlri } from './vectors.ts';

type Words = Record<string, unknown>;

export const prefixText = ({ words, length }: { readonly words: readonly number[]; readonly length: number }): string =>
  `${formatIpAddress({ family: words.length === 1 ? 4 : 6, words })}/${length}`;

/** Each prefix or rule of a group as ExaBGP's JSON has it. */
export function groupInWords(group: FamilyNlri): readonly Words[] {
  switch (group.kind) {
    case 'bytes':
      return [{ bytes: hex(group.nlri) }];
    case 'flow':
      return group.nlri.map((rule) => ruleInWords(rule, group.family.afi));
    default:
      return group.nlri.map((prefix) => ({
        nlri: prefixText(prefix),
        ...(prefix.pathId !== 0 && { 'path-information': formatIpv4(prefix.pathId) }),
        ...('labels' in prefix && { label: prefix.labels }),
        ...('routeDistinguisher' in prefix && { rd: rdText(prefix) }),
      }));
  }
}

/** ExaBGP's entry with what ours has too: no rendering as text, and of a label the number without the whole field. */
export function entryOf({ label, 'path-information': id, ...entry }: ExaBgpNlri): Words {
  const labels = label as readonly (readonly number[])[] | undefined;
  return {
    ...Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'string')),
    ...(labels !== undefined && { label: labels.map(([number]) => number) }),
    ...(id !== undefined && id !== '0.0.0.0' && { 'path-information': id }),
  };
}

const rdText = ({ routeDistinguisher }: Pick<VpnNlri, 'routeDistinguisher'>): string => {
  const view = new DataView(Uint8Array.from(routeDistinguisher).buffer);
  if (view.getUint16(0) === 0) return `${view.getUint16(2)}:${view.getUint32(4)}`;
  const administrator = view.getUint32(2);
  return `${view.getUint16(0) === 1 ? formatIpv4(administrator) : administrator}:${view.getUint16(6)}`;
};

const names: Readonly<Record<number, readonly [ipv4: string, ipv6: string]>> = {
  1: ['destination-ipv4', 'destination-ipv6'],
  2: ['source-ipv4', 'source-ipv6'],
  3: ['protocol', 'next-header'],
  4: ['port', 'port'],
  5: ['destination-port', 'destination-port'],
  6: ['source-port', 'source-port'],
  7: ['icmp-type', 'icmp-type'],
  8: ['icmp-code', 'icmp-code'],
  9: ['tcp-flags', 'tcp-flags'],
  10: ['packet-length', 'packet-length'],
  11: ['dscp', 'traffic-class'],
  12: ['fragment', 'fragment'],
  13: ['flow-label', 'flow-label'],
};

/** Values that ExaBGP prints by name, by component type. */
const values: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  3: { 1: 'icmp', 6: 'tcp', 17: 'udp' },
  7: { 0: 'echo-reply', 3: 'unreachable', 8: 'echo-request' },
};

const bits: Readonly<Record<number, readonly string[]>> = {
  9: ['fin', 'syn', 'rst', 'push', 'ack', 'urg', 'ece', 'cwr'],
  12: ['dont-fragment', 'is-fragment', 'first-fragment', 'last-fragment'],
};

function ruleInWords({ components, routeDistinguisher, rest }: FlowNlri, afi: number): Words {
  return {
    ...Object.fromEntries(
      components.map((component) => [names[component.type]![afi - 1]!, componentInWords(component, afi)]),
    ),
    ...(routeDistinguisher !== undefined && { rd: rdText({ routeDistinguisher }) }),
    ...(rest !== undefined && { rest: hex(rest) }),
  };
}

function componentInWords(component: FlowComponent, afi: number): readonly string[] {
  if (!('matches' in component)) {
    return [afi === 1 ? prefixText(component) : `${prefixText(component)}/${component.offset}`];
  }
  const { type, matches } = component;
  const inWords = bits[type] === undefined ? numberInWords : bitsInWords;
  return matches.reduce<readonly string[]>((list, match) => {
    const text = inWords(match, type);
    return match.and ? [...list.slice(0, -1), `${list.at(-1) ?? ''}&${text}`] : [...list, text];
  }, []);
}

const numberInWords = ({ operator, value }: FlowMatch, type: number): string =>
  `${['false', '=', '>', '>=', '<', '<=', '!=', 'true'][operator]!}${values[type]?.[String(value)] ?? String(value)}`;

function bitsInWords({ operator, value }: FlowMatch, type: number): string {
  const set = bits[type]!.filter((_, bit) => (value & (1n << BigInt(bit))) !== 0n);
  return `${['', '=', '!', '!='][operator]!}${set.join('+')}`;
}

/** Sorted, so that the order of announcement does not count. */
export const sorted = (entries: readonly Words[]): readonly string[] =>
  entries.map((entry) => JSON.stringify(Object.entries(entry).sort(([a], [b]) => a.localeCompare(b)))).sort();
