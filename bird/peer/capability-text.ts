/** The capabilities of an OPEN in words. Pure. */
import { familyName } from '../wire.ts';
import type { Capability } from '../wire.ts';
import { harmless } from './fault.ts';

/** One line each, in the order of the OPEN: `4-octet AS 64512`, `graceful restart 120 s with IPv4 unicast (F)`. */
export const capabilityTexts = (capabilities: readonly Capability[]): readonly string[] =>
  capabilities.map(capabilityText);

function capabilityText(capability: Capability): string {
  switch (capability.name) {
    case 'multiprotocol':
      return familyName(capability.family);
    case 'route-refresh':
      return 'route refresh';
    case 'enhanced-route-refresh':
      return 'enhanced route refresh';
    case 'extended-message':
      return 'extended messages';
    case 'four-octet-as':
      return `4-octet AS ${capability.asn}`;
    case 'extended-next-hop':
      return `extended next hop ${list(capability.entries, (e) => `${familyName(e.family)} by AFI ${e.nextHopAfi}`)}`;
    case 'graceful-restart':
      return gracefulRestart(capability);
    case 'long-lived-graceful-restart':
      return longLived(capability);
    case 'add-path':
      return `ADD-PATH ${list(capability.entries, (e) => `${familyName(e.family)} ${e.mode === 'both' ? 'send and receive' : e.mode}`)}`;
    case 'role':
      return `role ${ROLES[capability.role] ?? capability.role}`;
    case 'fqdn':
      return `host name ${harmless([capability.hostname, capability.domain].filter((part) => part !== '').join('.'))}`;
    case 'multiple-labels':
      return `multiple labels ${list(capability.entries, (e) => `${familyName(e.family)} ${e.count}`)}`;
    case 'software-version':
      return `software ${harmless(capability.version)}`;
    case 'unknown':
      return `unknown capability ${capability.code}`;
  }
}

/** RFC 4724 §3, RFC 8538 §2: R, has restarted; N, survives a NOTIFICATION too; F, has kept forwarding. */
function gracefulRestart(capability: Extract<Capability, { readonly name: 'graceful-restart' }>): string {
  const { restartSeconds, families, restarting, notification } = capability;
  const flags = [...(restarting ? ['R'] : []), ...(notification ? ['N'] : [])].map((flag) => ` (${flag})`).join('');
  const kept = list(families, (f) => `${familyName(f.family)}${f.forwardingPreserved ? ' (F)' : ''}`);
  return `graceful restart ${restartSeconds} s${flags}${kept === '' ? ' as a helper' : ` with ${kept}`}`;
}

/** RFC 9494 §3. */
function longLived({ families }: Extract<Capability, { readonly name: 'long-lived-graceful-restart' }>): string {
  const kept = list(
    families,
    (f) => `${familyName(f.family)} ${f.staleSeconds} s${f.forwardingPreserved ? ' (F)' : ''}`,
  );
  return `long-lived graceful restart ${kept === '' ? 'as a helper' : kept}`;
}

/** RFC 9234 §4.1, by number. */
const ROLES = ['provider', 'route server', 'route server client', 'customer', 'peer'];

const list = <T>(entries: readonly T[], text: (entry: T) => string): string => entries.map(text).join(', ');
