/** RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE: struct fib_rule_hdr and its attributes. */
import { prefixOf } from '../../src/model/ip.ts';
import type { Prefix } from '../../src/model/ip.ts';
import type { KernelRule } from '../kernel.ts';
import {
  addressOctets,
  concat,
  decodeAttributes,
  encodeAttributes,
  readAddress,
  readU32,
  u32,
  u8,
} from './attribute.ts';
import type { Attribute, Attributes } from './attribute.ts';
import { AF, FLAG, FRA, RTM, RULE_TO_TABLE } from './constants.ts';
import type { Request } from './header.ts';

const FIXED_OCTETS = 12;
const ANY_PREFIX_LENGTH = 0xffff_ffff;
/** FIB_RULE_INVERT */
const INVERT = 0x2;
const KNOWN: readonly number[] = Object.values(FRA);

export const encodeAddRule = (rule: KernelRule): Request => ({
  type: RTM.newRule,
  flags: FLAG.create | FLAG.excl,
  body: encodeRule(rule),
});

export const encodeRemoveRule = (rule: KernelRule): Request => ({
  type: RTM.delRule,
  flags: 0,
  body: encodeRule(rule),
});

/** Of both families. */
export const encodeRuleDump = (): Request => ({
  type: RTM.getRule,
  flags: FLAG.dump,
  body: new Uint8Array(FIXED_OCTETS),
});

function encodeRule({ family, priority, table, protocol, from, to, mark }: KernelRule): Uint8Array {
  const fixed = new Uint8Array(FIXED_OCTETS);
  fixed[0] = family === 4 ? AF.inet : AF.inet6;
  fixed[1] = to?.length ?? 0;
  fixed[2] = from?.length ?? 0;
  fixed[7] = RULE_TO_TABLE;
  const attributes: Attribute[] = [
    [FRA.priority, u32(priority)],
    [FRA.table, u32(table)],
    [FRA.protocol, u8(protocol)],
    ...(to === undefined ? [] : [[FRA.dst, addressOctets(to.address)] as const]),
    ...(from === undefined ? [] : [[FRA.src, addressOctets(from.address)] as const]),
  ];
  if (mark !== undefined) attributes.push([FRA.mark, u32(mark.value)], [FRA.markMask, u32(mark.mask)]);
  return concat([fixed, encodeAttributes(attributes)]);
}

/** Undefined for rules that lead to no table, or have conditions that a KernelRule has not. */
export function decodeRule(body: Uint8Array): KernelRule | undefined {
  if ((body[0] !== AF.inet && body[0] !== AF.inet6) || body[7] !== RULE_TO_TABLE) return undefined;
  const attributes = decodeAttributes(body.subarray(FIXED_OCTETS));
  const number = (type: number): number | undefined => {
    const octets = attributes.get(type);
    return octets === undefined ? undefined : readU32(octets);
  };
  const suppressed = number(FRA.suppressPrefixLength) ?? ANY_PREFIX_LENGTH;
  const isInverted = (readU32(body.subarray(8)) & INVERT) !== 0;
  const isPlain = body[3] === 0 && !isInverted && suppressed === ANY_PREFIX_LENGTH;
  if (!isPlain || [...attributes.keys()].some((type) => !KNOWN.includes(type))) return undefined;
  const value = number(FRA.mark);
  const from = prefixFrom(attributes, FRA.src, body[2]!);
  const to = prefixFrom(attributes, FRA.dst, body[1]!);
  return {
    family: body[0] === AF.inet ? 4 : 6,
    priority: number(FRA.priority) ?? 0,
    table: number(FRA.table) ?? body[4]!,
    protocol: attributes.get(FRA.protocol)?.[0] ?? 0,
    ...(from && { from }),
    ...(to && { to }),
    ...(value !== undefined && { mark: { value, mask: number(FRA.markMask) ?? ANY_PREFIX_LENGTH } }),
  };
}

function prefixFrom(attributes: Attributes, type: number, length: number): Prefix | undefined {
  const octets = attributes.get(type);
  return octets === undefined ? undefined : prefixOf(readAddress(octets), length);
}
