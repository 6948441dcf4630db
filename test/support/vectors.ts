/** Messages that other implementations made, beside the repository: ../shared/vectors/README.md tells their form. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { CodecContext, FamilyKey } from '../../bird/bgp-ts/index.ts';
import { bytes, context, frame } from './bgp-bytes.ts';

const folder = '../shared/vectors';

export const hasVectors = existsSync(folder);

export interface Vector {
  readonly file: string;
  readonly name: string;
  readonly hex: string;
  readonly form: string;
  readonly expect: {
    readonly outcome: string;
    readonly decoded?: Decoded;
    readonly exabgp_json?: { readonly update?: ExaBgp };
  };
  readonly ctx?: {
    readonly asn4?: boolean;
    readonly peer?: string;
    readonly local_as?: string;
    readonly peer_as?: string | number;
    readonly addpath?: string;
    readonly addpath_families?: readonly string[];
    readonly families?: readonly string[];
    readonly conf?: string;
  };
}

export type Decoded = Record<string, unknown> & { readonly type: string };

/** One prefix or rule as ExaBGP prints it. */
export type ExaBgpNlri = Readonly<Record<string, unknown>>;

export interface ExaBgp {
  readonly attribute?: Record<string, unknown>;
  readonly announce?: Record<string, Record<string, readonly ExaBgpNlri[]>>;
  readonly withdraw?: Record<string, readonly ExaBgpNlri[]>;
}

/** ExaBGP's names of the families whose NLRI are decoded here. */
export const exaBgpFamilies: Readonly<Record<string, FamilyKey>> = {
  'ipv4 unicast': '1/1',
  'ipv6 unicast': '2/1',
  'ipv4 multicast': '1/2',
  'ipv6 multicast': '2/2',
  'ipv4 nlri-mpls': '1/4',
  'ipv6 nlri-mpls': '2/4',
  'ipv4 mpls-vpn': '1/128',
  'ipv6 mpls-vpn': '2/128',
  'ipv4 flow': '1/133',
  'ipv6 flow': '2/133',
  'ipv4 flow-vpn': '1/134',
  'ipv6 flow-vpn': '2/134',
};

/** All files of the folder, those that nobody here has seen yet included. */
export function loadVectors(): readonly Vector[] {
  if (!hasVectors) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  return files.sort().flatMap((file) =>
    readFileSync(`${folder}/${file}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ ...(JSON.parse(line) as Omit<Vector, 'file'>), file })),
  );
}

const messageTypes: Readonly<Record<string, number>> = {
  'open-body': 1,
  'update-body': 2,
  'notification-body': 3,
  'route-refresh-body': 5,
};

/** The whole message; undefined for what is less than one, such as a lone prefix. */
export function octetsOf({ form, hex }: Vector): Uint8Array | undefined {
  const type = messageTypes[form];
  if (type !== undefined) return frame(type, bytes(hex));
  return form.startsWith('message') ? bytes(hex) : undefined;
}

export function sessionOf({ name, ctx = {} }: Vector): CodecContext {
  const keys = (names: readonly string[]): FamilyKey[] => names.flatMap((each) => exaBgpFamilies[each] ?? []);
  const external = ctx.peer === 'ebgp' || (ctx.peer === undefined && ctx.local_as !== ctx.peer_as);
  // Their session offered RFC 8950; what else the two sides agreed on stands in ctx.
  const byIpv6 = `${name} ${ctx.conf ?? ''}`.includes('extended-nexthop');
  return context({
    external,
    fourOctetAs: ctx.asn4 ?? true,
    addPath: new Set(ctx.addpath === undefined ? [] : keys(ctx.addpath_families ?? ctx.families ?? [])),
    extendedNextHop: new Set(byIpv6 ? ['1/1', '2/1', '1/4', '1/128'] : []),
  });
}
