import { describe, expect, test } from 'vitest';
import { localOpen, negotiate } from '../../../bird/peer/negotiate.ts';
import type { LocalSettings } from '../../../bird/peer/negotiate.ts';
import type { PeerRole } from '../../../bird/settings.ts';
import { localSettings, openOf } from '../../support/bgp.ts';

const ROLES: readonly PeerRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer'];
const PAIRS = new Set(['provider customer', 'customer provider', 'rs rs-client', 'rs-client rs', 'peer peer']);

/** A session with another AS; `theirs` undefined: the peer names no role. */
function outcome(ours: Partial<LocalSettings>, theirs: readonly number[]): string {
  const local = localSettings({ remoteAsn: 65001, ...ours });
  const open = openOf(localSettings({ remoteAsn: 65001 }));
  const roles = theirs.map((role) => ({ name: 'role', role }) as const);
  const result = negotiate({ ...open, capabilities: [...open.capabilities, ...roles] }, local);
  return result.kind === 'agreed' ? 'agreed' : `${result.fault.code.join('/')} ${result.fault.text}`;
}

describe('two roles, RFC 9234 §4.2', () => {
  for (const [i, role] of ROLES.entries()) {
    for (const [j, theirs] of ROLES.entries()) {
      const isPair = PAIRS.has(`${role} ${theirs}`);
      test(`${role} and ${theirs}: ${isPair ? 'agreed' : '2/11'}`, () => {
        expect(outcome({ role }, [j]).startsWith(isPair ? 'agreed' : '2/11 ')).toBe(true);
        expect(outcome({ role: theirs }, [i]).startsWith(isPair ? 'agreed' : '2/11 ')).toBe(true);
      });
    }
  }
  test('that do not go together are told in words', () => {
    expect(outcome({ role: 'customer' }, [3])).toBe(
      '2/11 role mismatch: we are customer, so the peer must be provider; it says customer',
    );
    expect(outcome({ role: 'peer' }, [9])).toBe(
      '2/11 role mismatch: we are peer, so the peer must be peer; it says role 9',
    );
  });
  test('a peer that names none is let in, but not in strict mode', () => {
    expect(outcome({ role: 'customer' }, [])).toBe('agreed');
    expect(outcome({ role: 'customer', isRoleStrict: true }, [])).toBe(
      '2/11 role mismatch: we are customer, and the peer names no role, which strict mode asks for',
    );
    expect(outcome({}, [0])).toBe('agreed');
  });
  test('a peer that names two contradicts itself; twice the same is one', () => {
    expect(outcome({ role: 'customer' }, [0, 3])).toBe(
      '2/11 role mismatch: the peer names several roles, provider and customer',
    );
    expect(outcome({ role: 'customer' }, [0, 0])).toBe('agreed');
  });
  test('count between ASes alone', () => {
    const inside = localSettings({ role: 'customer', isRoleStrict: true });
    expect(localOpen(inside).capabilities.some(({ name }) => name === 'role')).toBe(false);
    expect(negotiate(openOf(localSettings()), inside).kind).toBe('agreed');
    const outside = localSettings({ remoteAsn: 65001, role: 'rs' });
    expect(localOpen(outside).capabilities).toContainEqual({ name: 'role', role: 1 });
  });
});
