/** Roles of two external peers, RFC 9234 §4: who is whose provider must be said alike by both. Pure. */
import type { PeerRole } from '../settings.ts';
import type { Fault, Open } from '../wire.ts';
import { fault } from './fault.ts';

/** In the order of their numbers on the wire. RFC 9234 §4.1. */
const ROLES: readonly PeerRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer'];

/** What the other side must be. RFC 9234 §4.2, table 2. */
const COUNTERPART: Readonly<Record<PeerRole, PeerRole>> = {
  provider: 'customer',
  customer: 'provider',
  rs: 'rs-client',
  'rs-client': 'rs',
  peer: 'peer',
};

export const roleNumber = (role: PeerRole): number => ROLES.indexOf(role);

/** Why the roles do not go together, as 2/11; undefined where they do, or where not both sides name one. RFC 9234 §4.2. */
export function refuseRole(
  { capabilities }: Open,
  { role, isRoleStrict = false }: { readonly role?: PeerRole; readonly isRoleStrict?: boolean },
): Fault | undefined {
  const said = [...new Set(capabilities.filter((c) => c.name === 'role').map((c) => c.role))];
  if (said.length > 1) {
    return fault('roleMismatch', `role mismatch: the peer names several roles, ${said.map(roleText).join(' and ')}`);
  }
  if (role === undefined) return undefined;
  const [theirs] = said;
  if (theirs === undefined) {
    if (!isRoleStrict) return undefined;
    return fault(
      'roleMismatch',
      `role mismatch: we are ${role}, and the peer names no role, which strict mode asks for`,
    );
  }
  if (theirs === roleNumber(COUNTERPART[role])) return undefined;
  const wanted = COUNTERPART[role];
  return fault(
    'roleMismatch',
    `role mismatch: we are ${role}, so the peer must be ${wanted}; it says ${roleText(theirs)}`,
  );
}

const roleText = (number: number): string => ROLES[number] ?? `role ${number}`;
