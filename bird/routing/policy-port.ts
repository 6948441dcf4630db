/** What the tables ask of policy, in one place. */
import type { ExportOutcome, ExportSource, ExportTarget } from '../policy/export.ts';
import { exportRoute as exportByDefault } from '../policy/export.ts';
import type { ImportContext } from '../policy/import.ts';
import { rejectionText } from '../policy/import.ts';
import { BEYOND_LIMIT } from '../rib/lane.ts';
import type { PeerSettings } from '../settings.ts';
import type { PathAttributes } from '../wire.ts';

/** A rejection, beside those of the built-in rules. */
export const REJECTED_BY_FILTER = 10;

/** The session as import needs it beside the settings. */
export interface ImportSession {
  readonly bgpIdentifier: number;
  readonly clusterId: number | undefined;
  readonly peerAsn: number;
  readonly external: boolean;
  readonly localAddress: Uint8Array;
}

export function importContext({ localAsn, allowOwnAsn }: PeerSettings, session: ImportSession): ImportContext {
  const { bgpIdentifier, clusterId, external, localAddress } = session;
  return { localAsn, allowOwnAsn, bgpIdentifier, clusterId, external, localAddress };
}

/** What selection uses instead of what was received; the same object where nothing is to be changed. */
export const rewriteOnImport: (attributes: PathAttributes, context: ImportContext) => PathAttributes = (attributes) =>
  attributes;

/** The session as export needs it beside the settings. */
export interface ExportSession extends Pick<ExportTarget, 'external' | 'clusterId' | 'transit' | 'localAddress'> {
  readonly peerAsn: number;
  readonly longLived: boolean;
  readonly draining: boolean;
  readonly nextHopFamily?: 4 | 6 | undefined;
}

export function exportTarget(settings: PeerSettings, session: ExportSession): ExportTarget {
  const { localAsn, nextHop, routeReflectorClient } = settings;
  const { external, clusterId, transit, localAddress } = session;
  return { external, localAsn, nextHop, routeReflectorClient, clusterId, transit, localAddress };
}

/** What the export filters made of a route; undefined: no rule matched. */
export type FilterOutcome = 'rejected' | { readonly attributes: PathAttributes };

// eslint-disable-next-line max-params -- policy's own signature
export function exportRoute(
  attributes: PathAttributes,
  source: ExportSource,
  target: ExportTarget,
  rule?: FilterOutcome,
): ExportOutcome {
  if (rule === 'rejected') return { kind: 'kept back', reason: 'rejected by an export filter' };
  return exportByDefault(rule?.attributes ?? attributes, source, target);
}

export function verdictText(rejection: number, settings: PeerSettings, rule: string | undefined): string {
  if (rejection === BEYOND_LIMIT) return 'beyond the prefix limit of the peer';
  if (rejection === REJECTED_BY_FILTER) return `rejected by ${rule ?? 'an import filter'}`;
  return rejectionText(rejection, settings);
}
