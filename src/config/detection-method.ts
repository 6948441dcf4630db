import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, parseIpAddress, parsePrefix } from '../model/ip.ts';
import type { IpFamily, Prefix } from '../model/ip.ts';

/** How to find this node's address: Calico's IP_AUTODETECTION_METHOD and IP6_AUTODETECTION_METHOD. */
export type DetectionMethod =
  | { readonly kind: 'first-found' | 'kubernetes-internal-ip' }
  | { readonly kind: 'interface' | 'skip-interface'; readonly patterns: readonly RegExp[] }
  | { readonly kind: 'cidr'; readonly cidrs: readonly Prefix[] }
  | { readonly kind: 'can-reach'; readonly destination: string };

const FORMS = 'first-found, interface=…, skip-interface=…, cidr=…, can-reach=…, kubernetes-internal-ip';

/**
 * Parses `first-found`, `interface=eth.*,en.*`, `skip-interface=…`, `cidr=10.0.0.0/8,…`, `can-reach=8.8.8.8`; what is
 * separated by commas may have blanks around it. Throws InvalidValueError, also where nothing of `family` can ever fit.
 */
export function parseDetectionMethod(text: string, field: string, family: IpFamily = 4): DetectionMethod {
  const [kind = '', ...rest] = text.split('=');
  const list = rest
    .join('=')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (text === '' || text === 'first-found') return { kind: 'first-found' };
  if (text === 'kubernetes-internal-ip') return { kind: text };
  if (list.length === 0) throw new InvalidValueError(field, text, `is none of ${FORMS}`);
  switch (kind) {
    case 'interface':
    case 'skip-interface':
      return { kind, patterns: list.map((source) => parsePattern(source, field)) };
    case 'cidr':
      return { kind, cidrs: parseCidrs(list, field, family) };
    case 'can-reach':
      return { kind, destination: parseDestination(list.join(','), field, family) };
    default:
      throw new InvalidValueError(field, text, `is none of ${FORMS}`);
  }
}

/** As it would be written in the variable. */
export function formatDetectionMethod(method: DetectionMethod): string {
  switch (method.kind) {
    case 'first-found':
    case 'kubernetes-internal-ip':
      return method.kind;
    case 'interface':
    case 'skip-interface':
      return `${method.kind}=${method.patterns.map(({ source }) => source).join(',')}`;
    case 'cidr':
      return `cidr=${method.cidrs.map(formatPrefix).join(',')}`;
    case 'can-reach':
      return `can-reach=${method.destination}`;
  }
}

/** One list may serve both variables, so only a list without any network of the family is a mistake. */
function parseCidrs(list: readonly string[], field: string, family: IpFamily): readonly Prefix[] {
  const cidrs = list.map((cidr) => parsePrefix(cidr, field));
  if (cidrs.some(({ address }) => address.family === family)) return cidrs;
  throw new InvalidValueError(field, list.join(','), `has no IPv${family} network`);
}

function parseDestination(text: string, field: string, family: IpFamily): string {
  const looksLikeAddress = text.includes(':') || /^[\d.]+$/.test(text);
  if (looksLikeAddress && parseIpAddress(text, field).family !== family) {
    throw new InvalidValueError(field, text, `is not an IPv${family} address`);
  }
  return text;
}

function parsePattern(source: string, field: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new InvalidValueError(field, source, 'is not a regular expression');
  }
}
