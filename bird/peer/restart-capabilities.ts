/** Graceful restart in the OPENs: what we say of it, and what both sides agree on. Pure. RFC 4724 §3, RFC 8538 §2, RFC 9494 §3. */
import type { Capability, Family, GracefulRestart, LongLivedFamily, Open } from '../wire.ts';

/** What the fields of the capabilities hold: 12 and 24 bits. */
const MAX_RESTART_SECONDS = 0xfff;
const MAX_LONG_LIVED_SECONDS = 0xffffff;

/** Our side of graceful restart with one peer. */
export interface LocalRestart {
  /** 0: only long-lived, where that is on. */
  readonly restartSeconds: number;
  /** Our selection is deferred after a restart: the R bit. */
  readonly restarting: boolean;
  /** Routes outlive a NOTIFICATION too: the N bit. Default false. */
  readonly notification?: boolean;
  /** Absent or 0: no long-lived graceful restart. */
  readonly longLivedSeconds?: number;
}

/** The peer's words where both sides speak graceful restart, with what needs both. */
export interface AgreedRestart extends GracefulRestart {
  /** Both sides sent the N bit. */
  readonly notification: boolean;
  /** Empty where one side does not speak it. RFC 9494 §4.2 takes the peer's time; ours is the most we keep its routes for. */
  readonly longLived: readonly LongLivedFamily[];
}

/**
 * The kernel keeps our routes while we are away, so the F bits always stand; R only after a restart (RFC 4724 §3, §4.1).
 * The long-lived capability means nothing alone (RFC 9494 §4.1).
 */
export function restartCapabilities(
  families: readonly Family[],
  local: LocalRestart | undefined,
): readonly Capability[] {
  if (local === undefined) return [];
  const { restartSeconds, restarting, notification = false, longLivedSeconds = 0 } = local;
  const short: Capability = {
    name: 'graceful-restart',
    restarting,
    notification,
    restartSeconds: Math.min(restartSeconds, MAX_RESTART_SECONDS),
    families: families.map((family) => ({ family, forwardingPreserved: true })),
  };
  if (longLivedSeconds === 0) return [short];
  const staleSeconds = Math.min(longLivedSeconds, MAX_LONG_LIVED_SECONDS);
  const long: Capability = {
    name: 'long-lived-graceful-restart',
    families: families.map((family) => ({ family, forwardingPreserved: true, staleSeconds })),
  };
  return [short, long];
}

export function agreedRestart({ capabilities }: Open, local: LocalRestart | undefined): AgreedRestart | undefined {
  const theirs = capabilities.findLast((c) => c.name === 'graceful-restart');
  if (theirs === undefined || local === undefined) return undefined;
  const long = capabilities.findLast((c) => c.name === 'long-lived-graceful-restart');
  const most = local.longLivedSeconds ?? 0;
  return {
    ...theirs,
    notification: theirs.notification && local.notification === true,
    longLived:
      most === 0
        ? []
        : (long?.families ?? []).map((each) => ({ ...each, staleSeconds: Math.min(each.staleSeconds, most) })),
  };
}
