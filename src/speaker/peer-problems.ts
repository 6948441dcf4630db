/** What no schema sees: settings of a peer that do not go together, as they hold after defaults and templates. Pure. */
import { formatIpAddress, parsePrefix, prefixContainsAddress } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';
import { PEER_DEFAULTS } from './peer-defaults.ts';
import type { DynamicPeersText, Peer, PeerFields } from './peer-schema.ts';
import { inherited } from './peers.ts';
import type { Surroundings } from './peers.ts';
import { formatPath, problem } from './problems.ts';

const LINK_LOCAL = parsePrefix('fe80::/10');

type Path = readonly PropertyKey[];

/** The speaker around it, as far as rules ask for it. */
export interface RuleContext extends Surroundings {
  readonly isReflector: boolean;
}

export function peerProblems(peer: Peer, context: RuleContext, path: Path): readonly string[] {
  const fields = inherited(peer, peer.template, context);
  const say = sayer(peer, context, path);
  return [
    ...addressProblems(peer, fields, [...path, 'address']),
    ...(fields.asn === undefined ? [problem([...path, 'asn'], undefined, '')] : []),
    ...together(fields, peer.address.address.family, say),
    ...(fields.asn === undefined ? [] : ofOneSide({ ...fields, asn: fields.asn }, context, say)),
  ];
}

export function dynamicProblems(dynamic: DynamicPeersText, context: RuleContext, path: Path): readonly string[] {
  const fields = inherited(dynamic, dynamic.template, context);
  const asn = fields.asn ?? dynamic.asns?.[0];
  const say = sayer(dynamic, context, path);
  return [
    ...(asn === undefined ? [problem([...path, 'asns'], undefined, '')] : []),
    ...together(fields, dynamic.prefix.address.family, say),
    ...(asn === undefined ? [] : ofOneSide({ ...fields, asn }, context, say)),
  ];
}

type Say = (field: keyof PeerFields, value: unknown, reason: string) => string;

/** Names the place where a setting was written, and whom it hits where that is another. */
function sayer(own: PeerFields & { readonly template?: string }, context: Surroundings, path: Path): Say {
  const template = own.template === undefined ? undefined : context.templates.get(own.template);
  return (field, value, reason) => {
    if (own[field] !== undefined) return problem([...path, field], value, reason);
    const where = template?.[field] === undefined ? ['defaults'] : ['templates', own.template!];
    return problem([...where, field], value, `${reason}; ${formatPath(path)} has it from there`);
  };
}

function addressProblems({ address: { address, interface: link } }: Peer, fields: PeerFields, path: Path) {
  const isLinkLocal = prefixContainsAddress(LINK_LOCAL, address);
  const text = `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`}`;
  if (isLinkLocal && link === undefined && fields.interface === undefined) {
    return [problem(path, text, `is link-local and needs its interface, such as ${text}%eth0`)];
  }
  if (!isLinkLocal && link !== undefined) {
    return [problem(path, text, 'has an interface, which belongs to link-local addresses alone')];
  }
  return [];
}

function together(fields: PeerFields, family: IpFamily, say: Say): readonly string[] {
  const found: string[] = [];
  const { localAddress, errorWaitSeconds: [first, most] = PEER_DEFAULTS.errorWaitSeconds } = fields;
  const { holdSeconds = PEER_DEFAULTS.holdSeconds, keepaliveSeconds, sendHoldSeconds, role, roleStrict } = fields;
  if (localAddress !== undefined && localAddress.family !== family) {
    found.push(say('localAddress', formatIpAddress(localAddress), "is not of the family of the peer's address"));
  }
  if (first > most) found.push(say('errorWaitSeconds', [first, most], 'begins with the longer wait'));
  if (keepaliveSeconds !== undefined && holdSeconds > 0 && keepaliveSeconds >= holdSeconds) {
    found.push(say('keepaliveSeconds', keepaliveSeconds, `is no shorter than the hold time, ${holdSeconds}`));
  }
  // RFC 9687 §3.1.
  if (sendHoldSeconds !== undefined && sendHoldSeconds <= holdSeconds) {
    found.push(say('sendHoldSeconds', sendHoldSeconds, `is no longer than the hold time, ${holdSeconds}`));
  }
  if (roleStrict === true && role === undefined) found.push(say('roleStrict', true, 'needs a role'));
  for (const [name, limit] of Object.entries(fields.prefixLimits ?? {})) {
    if (limit.restartSeconds === undefined || limit.action === 'shutdown') continue;
    found.push(say('prefixLimits', { [name]: limit }, 'has restartSeconds, which go with action shutdown alone'));
  }
  return found;
}

/** Settings that say something about internal peers alone, or about external ones. */
function ofOneSide(fields: PeerFields & { readonly asn: number }, context: RuleContext, say: Say): readonly string[] {
  const { asn, localAsn = context.asn, routeReflectorClient, routeServerClient, role } = fields;
  const isInternal = asn === localAsn;
  const found: string[] = [];
  if (routeReflectorClient === true && !isInternal) {
    found.push(say('routeReflectorClient', true, `is for peers of our own AS, ${localAsn}`));
  }
  if (routeReflectorClient === true && isInternal && !context.isReflector) {
    found.push(say('routeReflectorClient', true, 'needs a clusterId'));
  }
  if (routeServerClient === true && isInternal) {
    found.push(say('routeServerClient', true, 'is for peers of another AS'));
  }
  if (role !== undefined && isInternal) found.push(say('role', role, 'is for peers of another AS, RFC 9234'));
  return found;
}
