import type { CodecContext } from '../context.ts';
import type { Remedy } from '../error.ts';

/** AFI and SAFI: where they are there, it is known which family to disable. RFC 4760 §3, §4. */
const FAMILY_OCTETS = 3;

/** `remedy`, or the milder one that the context asks for where MP_REACH or MP_UNREACH of `octets` names its family. */
export const effectiveMpRemedy = (remedy: Remedy, octets: number, { mpFaults }: CodecContext): Remedy =>
  remedy === 'session-reset' && mpFaults === 'afi-safi-disable' && octets >= FAMILY_OCTETS ? mpFaults : remedy;
