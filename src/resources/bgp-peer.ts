import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress } from '../model/ip.ts';
import { parseIpAddress } from '../model/ip.ts';
import { parseResourceName } from '../model/resource-name.ts';
import {
  asNumber,
  checkedText,
  fields,
  keepaliveTime,
  password,
  resourceName,
  restartTime,
  selector,
  wholeNumber,
} from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn, orDash } from './kind.ts';
import { once } from './once.ts';

/** Reads `10.0.0.1`, `10.0.0.1:1179`, `2001:db8::1` or `[2001:db8::1]:1179`. Throws InvalidValueError. */
export function parsePeerIp(value: string, field = 'peerIP'): { readonly address: IpAddress; readonly port?: number } {
  const match = /^\[([^\]]*)\]:(\d+)$/.exec(value) ?? /^([^:]*):(\d+)$/.exec(value);
  if (match === null) return { address: parseIpAddress(value, field) };
  const port = Number(match[2]);
  if (port < 1 || port > 65535) throw new InvalidValueError(field, value, 'has no port between 1 and 65535');
  return { address: parseIpAddress(match[1]!, field), port };
}

const shape = once(() => ({
  node: checkedText((value) => value === '' || parseResourceName(value))
    .exactOptional()
    .describe('which node has the peer; without node and nodeSelector all have it'),
  nodeSelector: selector.exactOptional().describe('which nodes have the peer; not beside node'),
  peerIP: checkedText((value) => parsePeerIp(value))
    .meta({ samples: ['10.0.0.1', '10.0.0.1:1179', '[2001:db8::1]:1179'], description: 'needs asNumber' })
    .exactOptional(),
  asNumber: asNumber.exactOptional().describe("the peer's; not beside peerSelector"),
  peerSelector: selector.exactOptional().describe('the nodes that are the peers; not beside peerIP'),
  nextHopMode: z.enum(['Auto', 'Self', 'Keep']).exactOptional().describe('what is announced as next hop'),
  keepOriginalNextHop: z.boolean().exactOptional().describe('superseded by nextHopMode `Keep`; not beside it'),
  sourceAddress: z
    .enum(['UseNodeIP', 'None'])
    .meta({ absent: 'UseNodeIP', description: '`None`: as the kernel routes' })
    .exactOptional(),
  maxRestartTime: restartTime.exactOptional().describe('how long routes outlive the session, RFC 4724'),
  keepaliveTime: keepaliveTime.exactOptional().describe('absent: a third of the hold time'),
  localASNumber: asNumber.exactOptional().describe("our AS towards this peer; absent: the node's"),
  numAllowedLocalASNumbers: wholeNumber(0, 255).exactOptional().describe('how often our AS may be in a path'),
  reversePeering: z
    .enum(['Auto', 'Manual'])
    .meta({ absent: 'Auto', description: '`Auto`: a peer that is a node has the other end by itself' })
    .exactOptional(),
  ttlSecurity: wholeNumber(0, 255)
    .exactOptional()
    .describe('how many hops away the peer may be, RFC 5082; 0: not looked at'),
  password: password('BGPPeer.spec.password').exactOptional().describe('TCP MD5, RFC 2385'),
  filters: z.array(resourceName).exactOptional().describe('BGPFilters, in order'),
  reachableBy: checkedText((value) => value === '' || parseIpAddress(value))
    .exactOptional()
    .describe('the router through which peerIP is reached; a host route says so'),
  localWorkloadSelector: selector.exactOptional().describe('pods that are the peers; kept, not acted upon yet'),
}));

type Spec = z.output<z.ZodObject<ReturnType<typeof shape>>>;

const EXCLUSIVE: readonly (readonly [keyof Spec, keyof Spec, string])[] = [
  ['nodeSelector', 'node', 'node and nodeSelector cannot both be set'],
  ['peerSelector', 'peerIP', 'peerIP and peerSelector cannot both be set'],
  ['asNumber', 'peerSelector', 'asNumber must be empty when peerSelector is set'],
  ['keepOriginalNextHop', 'nextHopMode', 'keepOriginalNextHop and nextHopMode cannot both be set'],
  ['peerIP', 'localWorkloadSelector', 'peerIP must be empty when localWorkloadSelector is set'],
  ['peerSelector', 'localWorkloadSelector', 'peerSelector must be empty when localWorkloadSelector is set'],
];

/** Each with the field that is at fault. */
const MISSING: readonly (readonly [keyof Spec, (spec: Spec) => boolean, string])[] = [
  ['asNumber', (s) => s.peerIP !== undefined && s.asNumber === undefined, 'is required when peerIP is set'],
  [
    'asNumber',
    (s) => isSet(s.localWorkloadSelector) && s.asNumber === undefined,
    'asNumber is required when localWorkloadSelector is set',
  ],
  ['reachableBy', (s) => isSet(s.reachableBy) && !isSet(s.peerIP), 'reachableBy must be empty when peerIP is empty'],
  [
    'reachableBy',
    ({ reachableBy = '', peerIP = '' }) =>
      reachableBy !== '' && peerIP !== '' && parseIpAddress(reachableBy).family !== parsePeerIp(peerIP).address.family,
    'ReachableBy and PeerIP address family mismatched',
  ],
];

const isSet = (value: unknown): boolean => value !== undefined && value !== '' && value !== false;

const spec = once(() =>
  fields('BGPPeer.spec', shape()).check((ctx) => {
    for (const [field, other, message] of EXCLUSIVE) {
      if (!isSet(ctx.value[field]) || !isSet(ctx.value[other])) continue;
      ctx.issues.push({ code: 'custom', path: [field], input: ctx.value[field], message });
    }
    for (const [field, isBroken, message] of MISSING) {
      if (!isBroken(ctx.value)) continue;
      ctx.issues.push({ code: 'custom', path: [field], input: ctx.value[field] ?? '', message });
    }
  }),
);

const schema = once(() => envelope('BGPPeer', false, spec()));

export type BgpPeer = z.output<ReturnType<typeof schema>>;

const columns: KindSpec<BgpPeer>['columns'] = [
  nameColumn,
  { heading: 'PEERIP', value: (r) => r.spec.peerIP ?? '' },
  { heading: 'NODE', value: (r) => [r.spec.node, r.spec.nodeSelector].find(isSet) ?? '(global)' },
  { heading: 'ASN', value: (r) => orDash(r.spec.asNumber) },
];

export const bgpPeer: KindSpec<BgpPeer> = {
  kind: 'BGPPeer',
  plural: 'bgppeers',
  aliases: ['bgpp', 'bgpps', 'bp', 'bps'],
  namespaced: false,
  schema,
  unheeded: {
    localWorkloadSelector: { instead: 'no node peers with its pods yet' },
  },
  columns,
  wideColumns: columns,
};
