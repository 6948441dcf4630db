/** Routes, sources and targets as the policy tests write them. */
import { exportRoute } from '../../../bird/policy/export.ts';
import type { ExportSource, ExportTarget, FilterOutcome } from '../../../bird/policy/export.ts';
import type { AsSegment, PathAttributes } from '../../../bird/wire.ts';

export const OURS = Uint8Array.of(10, 0, 0, 1);
export const THEIRS = Uint8Array.of(10, 0, 0, 9);

export const LOCAL: ExportSource = { kind: 'local' };
export const EBGP: ExportSource = { kind: 'peer', external: true, bgpIdentifier: 7, routeReflectorClient: false };
export const IBGP: ExportSource = { ...EBGP, external: false };
export const CLIENT: ExportSource = { ...IBGP, routeReflectorClient: true };

/** An internal peer of AS 64512; what a test is about is in `changes`. */
export const target = (changes: Partial<ExportTarget> = {}): ExportTarget => ({
  external: false,
  localAsn: 64512,
  nextHop: 'auto',
  routeReflectorClient: false,
  clusterId: undefined,
  transit: false,
  localAddress: OURS,
  longLived: false,
  draining: false,
  ...changes,
});

export const external = (changes: Partial<ExportTarget> = {}): ExportTarget =>
  target({ external: true, transit: true, ...changes });

export const path = (...asns: readonly number[]): readonly AsSegment[] => [{ type: 'sequence', asns }];

/** Well-known communities that keep a route back. */
export const NO_EXPORT_VALUES: readonly number[] = [0xffffff01, 0xffffff02];

export const route: PathAttributes = { origin: 'igp', asPath: path(65001), nextHop: THEIRS, med: 5, localPref: 300 };

/** From whom, to whom, and what the export filters said. */
export interface Export {
  readonly source: ExportSource;
  readonly to: ExportTarget;
  readonly rule?: FilterOutcome;
}

export function sent(attributes: PathAttributes, { source, to, rule }: Export): PathAttributes {
  const outcome = exportRoute(attributes, source, to, rule);
  if (outcome.kind === 'kept back') throw new Error(outcome.reason);
  return outcome.attributes;
}

/** `sent`, or the reason. */
export function verdict(attributes: PathAttributes, { source, to, rule }: Export): string {
  const outcome = exportRoute(attributes, source, to, rule);
  return outcome.kind === 'send' ? 'sent' : outcome.reason;
}
