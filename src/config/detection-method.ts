import { InvalidValueError } from '../model/invalid.ts';
import { parsePrefix } from '../model/ip.ts';
import type { Prefix } from '../model/ip.ts';

/** How to find this node's address, Calico's IP_AUTODETECTION_METHOD. */
export type DetectionMethod =
  | { readonly kind: 'first-found' }
  | { readonly kind: 'interface' | 'skip-interface'; readonly patterns: readonly RegExp[] }
  | { readonly kind: 'cidr'; readonly cidrs: readonly Prefix[] }
  | { readonly kind: 'can-reach'; readonly destination: string };

/** Parses `first-found`, `interface=eth.*,en.*`, `skip-interface=…`, `cidr=10.0.0.0/8,…`, `can-reach=8.8.8.8`. Throws InvalidValueError. */
export function parseDetectionMethod(text: string, field: string): DetectionMethod {
  const [kind = '', ...rest] = text.split('=');
  const list = rest
    .join('=')
    .split(',')
    .filter((part) => part !== '');
  if (kind === '' || kind === 'first-found') return { kind: 'first-found' };
  if (kind === 'kubernetes-internal-ip') {
    throw new InvalidValueError(field, text, 'needs Kubernetes, which is not supported yet');
  }
  if (list.length === 0 || !['interface', 'skip-interface', 'cidr', 'can-reach'].includes(kind)) {
    throw new InvalidValueError(
      field,
      text,
      'is none of first-found, interface=…, skip-interface=…, cidr=…, can-reach=…',
    );
  }
  if (kind === 'cidr') return { kind, cidrs: list.map((cidr) => parsePrefix(cidr, field)) };
  if (kind === 'can-reach') return { kind, destination: list.join(',') };
  return { kind: kind as 'interface' | 'skip-interface', patterns: list.map((source) => pattern(source, field)) };
}

function pattern(source: string, field: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new InvalidValueError(field, source, 'is not a regular expression');
  }
}
