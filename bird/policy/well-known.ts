/** The well-known communities of the IANA registry, and what this speaker does about each. Pure. RFC 1997 and those named. */

export interface WellKnownCommunity {
  readonly value: number;
  readonly rfc: string;
  /** For people: what a route with it meets here. */
  readonly meaning: string;
}

export const wellKnown = {
  GRACEFUL_SHUTDOWN: {
    value: 0xffff_0000,
    rfc: 'RFC 8326',
    meaning: 'from an external peer: LOCAL_PREF 0; put on everything that a peer is told while we drain',
  },
  ACCEPT_OWN: {
    value: 0xffff_0001,
    rfc: 'RFC 7611',
    meaning: 'passed on: it is about VPN routes of a route reflector',
  },
  LLGR_STALE: {
    value: 0xffff_0006,
    rfc: 'RFC 9494',
    meaning: 'chosen last; told only to peers that speak long-lived graceful restart',
  },
  NO_LLGR: {
    value: 0xffff_0007,
    rfc: 'RFC 9494',
    meaning: 'not kept beyond the restart time of its peer; never told together with LLGR_STALE',
  },
  BLACKHOLE: {
    value: 0xffff_029a,
    rfc: 'RFC 7999',
    meaning: 'passed on; nothing is discarded for it here, a filter may match it',
  },
  NO_EXPORT: { value: 0xffff_ff01, rfc: 'RFC 1997', meaning: 'received with it: not told to external peers' },
  NO_ADVERTISE: { value: 0xffff_ff02, rfc: 'RFC 1997', meaning: 'received with it: told to nobody' },
  NO_EXPORT_SUBCONFED: {
    value: 0xffff_ff03,
    rfc: 'RFC 1997',
    meaning: 'received with it: not told to external peers (there are no confederations here)',
  },
  NO_PEER: { value: 0xffff_ff04, rfc: 'RFC 3765', meaning: 'passed on: who is a bilateral peer is not known here' },
} as const satisfies Readonly<Record<string, WellKnownCommunity>>;

export type WellKnownName = keyof typeof wellKnown;

export const carries = ({ communities }: { readonly communities?: readonly number[] }, name: WellKnownName): boolean =>
  communities?.includes(wellKnown[name].value) === true;
