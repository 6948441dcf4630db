import type { Family } from '../context.ts';

/** One capability of an OPEN, RFC 5492. What is not understood is kept as bytes. */
export type Capability =
  | { readonly name: 'multiprotocol'; readonly family: Family } // RFC 4760
  | { readonly name: 'route-refresh' } // RFC 2918
  | { readonly name: 'enhanced-route-refresh' } // RFC 7313
  | { readonly name: 'extended-next-hop'; readonly entries: readonly ExtendedNextHop[] } // RFC 8950
  | { readonly name: 'extended-message' } // RFC 8654
  | { readonly name: 'four-octet-as'; readonly asn: number } // RFC 6793
  | ({ readonly name: 'graceful-restart' } & GracefulRestart) // RFC 4724, RFC 8538
  | { readonly name: 'long-lived-graceful-restart'; readonly families: readonly LongLivedFamily[] } // RFC 9494
  | { readonly name: 'add-path'; readonly entries: readonly AddPathEntry[] } // RFC 7911
  | { readonly name: 'role'; readonly role: number } // RFC 9234
  | { readonly name: 'fqdn'; readonly hostname: string; readonly domain: string } // draft-walton-bgp-hostname-capability
  | { readonly name: 'multiple-labels'; readonly entries: readonly MultipleLabels[] } // RFC 8277
  // draft-abraitis-bgp-version-capability; `bare`: without its length in front
  | { readonly name: 'software-version'; readonly version: string; readonly bare?: true }
  | { readonly name: 'unknown'; readonly code: number; readonly value: Uint8Array };

/** How many labels of one prefix the sender can take; 255: any number. */
export interface MultipleLabels {
  readonly family: Family;
  readonly count: number;
}

/** NLRI of `family` may come with a next hop of `nextHopAfi`. */
export interface ExtendedNextHop {
  readonly family: Family;
  readonly nextHopAfi: number;
}

export interface GracefulRestart {
  /** The R bit: the sender has restarted. */
  readonly restarting: boolean;
  /** The N bit of RFC 8538: a NOTIFICATION is survived too. */
  readonly notification: boolean;
  readonly restartSeconds: number;
  readonly families: readonly { readonly family: Family; readonly forwardingPreserved: boolean }[];
}

export interface LongLivedFamily {
  readonly family: Family;
  readonly forwardingPreserved: boolean;
  readonly staleSeconds: number;
}

/** What the sender of the capability can do with path identifiers. */
export interface AddPathEntry {
  readonly family: Family;
  readonly mode: 'receive' | 'send' | 'both';
}
