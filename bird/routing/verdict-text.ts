import { rejectionText } from '../policy/import.ts';
import { BEYOND_LIMIT } from '../rib/lane.ts';
import type { PeerSettings } from '../settings.ts';

/** Why a path is not used, in words; `rule` is the filter's that decided. */
export const verdictText = (rejection: number, settings: PeerSettings, rule: string | undefined): string =>
  rejection === BEYOND_LIMIT
    ? 'beyond the prefix limit of the peer'
    : rejectionText(rejection, { ...settings, ...(rule !== undefined && { rule }) });
