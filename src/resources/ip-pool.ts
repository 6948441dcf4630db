import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import type { Prefix } from '../model/ip.ts';
import { formatPrefix, parsePrefix, prefixesOverlap } from '../model/ip.ts';
import { fields, plainSelector, text, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, nameColumn } from './kind.ts';
import { once } from './once.ts';

const LINK_LOCAL = { 4: parsePrefix('169.254.0.0/16'), 6: parsePrefix('fe80::/10') } as const;
const BLOCK_SIZE = { 4: { default: 26, min: 20, max: 32 }, 6: { default: 122, min: 116, max: 128 } } as const;

const cidr = once(() =>
  text((value) => {
    if (!value.includes('/')) throw new InvalidValueError('', value, 'is not a CIDR: it has no prefix length');
    const prefix = parsePrefix(value);
    const linkLocal = LINK_LOCAL[prefix.address.family];
    if (prefixesOverlap(prefix, linkLocal)) {
      throw new InvalidValueError('', value, `overlaps the link local range ${formatPrefix(linkLocal)}`);
    }
    return formatPrefix(prefix);
  }).meta({ samples: ['192.168.0.0/16'] }),
);

const mode = once(() => z.enum(['Never', 'Always', 'CrossSubnet']).default('Never'));

const shape = once(() => ({
  cidr: cidr().describe('fixed'),
  ipipMode: mode().describe('IPv4; not beside vxlanMode'),
  vxlanMode: mode(),
  natOutgoing: z.boolean().default(false).describe('what leaves the pools goes under the address of the node'),
  disabled: z.boolean().default(false).describe('gives no more addresses'),
  disableBGPExport: z.boolean().default(false).describe('its blocks are not announced'),
  blockSize: wholeNumber(1, 128).exactOptional().describe('absent: 26 or 122; 20 to 32 or 116 to 128. Fixed'),
  nodeSelector: plainSelector.default('all()').describe('which nodes take addresses from it'),
  namespaceSelector: plainSelector
    .exactOptional()
    .describe(
      'of which namespaces pods take addresses from it; absent or empty: of all; labels are those of the Profile `kns.NAMESPACE`',
    ),
  allowedUses: z
    .array(z.enum(['Workload', 'Tunnel', 'LoadBalancer']))
    .default(['Workload', 'Tunnel'])
    .describe('whose addresses it gives; `LoadBalancer` stands alone, and nothing takes addresses from it yet'),
  assignmentMode: z
    .enum(['Automatic', 'Manual'])
    .default('Automatic')
    .describe('`Manual`: only addresses that are asked for'),
}));

type Spec = z.output<z.ZodObject<ReturnType<typeof shape>>>;

function faults(spec: Spec, prefix: Prefix): readonly (readonly [keyof Spec, string])[] {
  const { family } = prefix.address;
  const { min, max } = BLOCK_SIZE[family];
  const { blockSize = BLOCK_SIZE[family].default } = spec;
  const rules: readonly Rule[] = [
    [family === 6 && spec.ipipMode !== 'Never', 'ipipMode', 'IPIP is not supported on an IPv6 IP pool'],
    [
      spec.ipipMode !== 'Never' && spec.vxlanMode !== 'Never',
      'vxlanMode',
      `ipipMode and vxlanMode cannot both be enabled: ipipMode is ${spec.ipipMode}`,
    ],
    [blockSize < min || blockSize > max, 'blockSize', `block size must be between ${min} and ${max} for IPv${family}`],
    [
      blockSize <= max && blockSize < prefix.length && !spec.disabled,
      'cidr',
      `is smaller than one block of size ${blockSize}`,
    ],
    [
      (spec.namespaceSelector ?? '') !== '' && spec.allowedUses.includes('Tunnel'),
      'namespaceSelector',
      `tunnels have no namespace: allowedUses may not have Tunnel, and is ${spec.allowedUses.join(', ')}`,
    ],
    ...loadBalancerRules(spec),
  ];
  return rules.filter(([broken]) => broken).map(([, field, reason]) => [field, reason] as const);
}

type Rule = readonly [broken: boolean, field: keyof Spec, reason: string];

/** A pool for services has no pods, no tunnels, and is every node's. */
function loadBalancerRules(spec: Spec): readonly Rule[] {
  if (!spec.allowedUses.includes('LoadBalancer')) return [];
  const notFor = 'a pool for LoadBalancer';
  return [
    [spec.allowedUses.length > 1, 'allowedUses', 'LoadBalancer stands alone'],
    [spec.ipipMode !== 'Never', 'ipipMode', `${notFor} has no encapsulation`],
    [spec.vxlanMode !== 'Never', 'vxlanMode', `${notFor} has no encapsulation`],
    [spec.disableBGPExport, 'disableBGPExport', `${notFor} is announced`],
    [spec.nodeSelector !== 'all()', 'nodeSelector', `${notFor} is for all nodes: all()`],
  ];
}

const spec = once(() =>
  fields('IPPool.spec', shape())
    .check((ctx) => {
      for (const [field, message] of faults(ctx.value, parsePrefix(ctx.value.cidr))) {
        ctx.issues.push({ code: 'custom', path: [field], input: ctx.value[field], message });
      }
    })
    .transform((value) => ({
      ...value,
      blockSize: value.blockSize ?? BLOCK_SIZE[parsePrefix(value.cidr).address.family].default,
    })),
);

const schema = once(() => envelope('IPPool', false, spec()));

export type IpPool = z.output<ReturnType<typeof schema>>;

const poolCidr = { heading: 'CIDR', value: (r: IpPool) => r.spec.cidr };
const poolSelector = { heading: 'SELECTOR', value: (r: IpPool) => r.spec.nodeSelector };

export const ipPool: KindSpec<IpPool> = {
  kind: 'IPPool',
  plural: 'ippools',
  aliases: ['ipp', 'ipps', 'pool', 'pools'],
  namespaced: false,
  schema,
  columns: [nameColumn, poolCidr, poolSelector],
  wideColumns: [
    nameColumn,
    poolCidr,
    { heading: 'NAT', value: (r) => String(r.spec.natOutgoing) },
    { heading: 'IPIPMODE', value: (r) => r.spec.ipipMode },
    { heading: 'VXLANMODE', value: (r) => r.spec.vxlanMode },
    { heading: 'DISABLED', value: (r) => String(r.spec.disabled) },
    { heading: 'DISABLEBGPEXPORT', value: (r) => String(r.spec.disableBGPExport) },
    poolSelector,
    { heading: 'ASSIGNMENTMODE', value: (r) => r.spec.assignmentMode },
  ],
  immutable: ['cidr', 'blockSize'],
};
