import type { AttributesResult } from './attribute/decode.ts';
import { checkMandatory, effectiveRemedy } from './attribute/mandatory.ts';
import { nextHop } from './attribute/next-hop.ts';
import type { AttributeFault, Remedy } from './error.ts';
import { strongerRemedy } from './error.ts';
import type { UpdateScan } from './scan.ts';

/** What is to be done with an UPDATE, and why. */
export interface Judgement {
  /** Absent where all was well. */
  readonly remedy?: Remedy;
  readonly faults: readonly AttributeFault[];
  /** The fault that decided; with session-reset what the NOTIFICATION says. */
  readonly worst?: AttributeFault;
}

/**
 * The remedy for an UPDATE whose lengths hold: of all faults the strongest rules (RFC 7606 §3 (h)), a mandatory attribute
 * that is missing is one of them, and without a reachable prefix treat-as-withdraw is a session reset (§5.2). `ofRoutes`:
 * faults of the NLRI that cost less than the session. Never throws.
 */
export function judgeUpdate(
  scan: UpdateScan,
  result: AttributesResult,
  ofRoutes: readonly AttributeFault[] = [],
): Judgement {
  const { mpReach } = scan;
  const reach = {
    hasIpv4Nlri: scan.nlriStart < scan.nlriEnd,
    hasMpNlri: mpReach !== undefined && mpReach.nlriStart < mpReach.nlriEnd,
    ipv4NextHop: result.ipv4NextHop,
  };
  const ignoresNextHop = mpReach !== undefined && !reach.hasIpv4Nlri;
  const ofAttributes = ignoresNextHop ? result.faults.map(withoutNextHop) : result.faults;
  const faults = [...ofAttributes, ...ofRoutes];
  // An attribute that was malformed is not missing besides.
  const isWorse = ofAttributes.some(({ remedy }) => remedy !== 'attribute-discard');
  const missing = isWorse ? undefined : checkMandatory(result.attributes, reach);
  if (missing !== undefined) faults.push({ ...missing, remedy: 'treat-as-withdraw', attribute: missing.data[0]! });
  let worst: AttributeFault | undefined;
  let remedy: Remedy | undefined;
  for (const fault of faults) {
    const stronger = strongerRemedy(remedy, effectiveRemedy(fault.remedy, reach));
    if (stronger !== remedy) worst = fault;
    remedy = stronger;
  }
  return { faults, ...(remedy !== undefined && { remedy }), ...(worst !== undefined && { worst }) };
}

/** NEXT_HOP beside MP_REACH alone is to be ignored: what is wrong with it costs no route. RFC 4760 §3. */
const withoutNextHop = (fault: AttributeFault): AttributeFault =>
  fault.attribute === nextHop.code ? { ...fault, remedy: 'attribute-discard' } : fault;
