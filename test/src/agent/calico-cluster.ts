/** The three nodes of Calico's own scenarios, and what their peers' settings make of a route, from resources to attributes. */
import { compilePolicy, NO_RULE } from '../../../bird/policy/compiled.ts';
import { exportRoute, exportTarget } from '../../../bird/policy/export.ts';
import type { ExportSource, FilterOutcome } from '../../../bird/policy/export.ts';
import {
  ACCEPTED,
  importContext,
  judgeAttributes,
  REJECTED_BY_FILTER,
  rejectionText,
  rewriteOnImport,
} from '../../../bird/policy/import.ts';
import { packPrefix } from '../../../bird/rib/prefix-table.ts';
import type { PeerSettings } from '../../../bird/settings.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import type { ComputedPeers, PeerInputs } from '../../../src/agent/peers.ts';
import { CALICO_PEER_DEFAULTS, computePeers } from '../../../src/agent/peers.ts';
import type { IpAddress, IpFamily } from '../../../src/model/ip.ts';
import { formatIpAddress, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource, view } from '../../support/resources.ts';

export interface NodeChanges {
  readonly labels?: Readonly<Record<string, string>>;
  readonly bgp?: object;
}

/** `kube-master` is 10.192.0.2, the others follow. */
const ADDRESSES: Readonly<Record<string, number>> = { 'kube-master': 2, 'kube-node-1': 3, 'kube-node-2': 4 };

export function node(name: string, { labels = {}, bgp = {} }: NodeChanges = {}): AnyResource {
  const last = ADDRESSES[name]!;
  return resource(
    'Node',
    { name, labels },
    { bgp: { ipv4Address: `10.192.0.${last}/16`, ipv6Address: `2001::10${last}/64`, ...bgp } },
  );
}

export const nodes = (changes: NodeChanges = {}): readonly AnyResource[] =>
  Object.keys(ADDRESSES).map((name) => node(name, changes));

export const filter = (name: string, spec: object): AnyResource => resource('BGPFilter', name, spec);

/** IPv4 alone: what many of Calico's scenarios have. */
export const v4Nodes = (
  labels: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): readonly AnyResource[] =>
  Object.entries(ADDRESSES).map(([name, last]) =>
    resource('Node', { name, labels: labels[name] ?? {} }, { bgp: { ipv4Address: `10.192.0.${last}/16` } }),
  );

export const peersOf = (
  name: string,
  resources: readonly AnyResource[],
  inputs: Partial<PeerInputs> = {},
): ComputedPeers => computePeers(view(...resources), name, { ...CALICO_PEER_DEFAULTS, ...inputs });

/** The one peer of kube-master at this address. */
export function peerAt(address: string, resources: readonly AnyResource[]): PeerSettings {
  const found = peersOf('kube-master', resources).peers.filter((each) => formatIpAddress(each.address) === address);
  if (found.length !== 1) throw new Error(`${found.length} peers at ${address}`);
  return found[0]!;
}

const octets = ({ family, words }: IpAddress): Uint8Array =>
  Uint8Array.from(
    words
      .slice(family === 4 ? -1 : 0)
      .flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]),
  );

const OURS = { 4: octets(parseIpAddress('10.192.0.2')), 6: octets(parseIpAddress('2001::102')) } as const;
const THEIRS = { 4: octets(parseIpAddress('10.192.0.9')), 6: octets(parseIpAddress('2001::109')) } as const;

/** A route as it is offered, to us or by us. */
export interface Offered {
  readonly prefix: string;
  readonly attributes?: PathAttributes;
  /** For export: where we have it from. */
  readonly from?: 'this node' | 'eBGP' | 'iBGP';
  readonly interface?: string;
}

const SOURCES: Readonly<Record<NonNullable<Offered['from']>, ExportSource>> = {
  'this node': { kind: 'local' },
  eBGP: { kind: 'peer', external: true, bgpIdentifier: 7, routeReflectorClient: false },
  iBGP: { kind: 'peer', external: false, bgpIdentifier: 7, routeReflectorClient: true },
};

const isExternal = ({ remoteAsn, localAsn }: PeerSettings): boolean => remoteAsn !== localAsn;

function filtered(
  filters: PeerSettings['importFilters'],
  settings: PeerSettings,
  offered: Required<Pick<Offered, 'attributes' | 'from'>> & Offered,
): { readonly outcome: FilterOutcome | undefined; readonly rule: string } {
  const policy = compilePolicy(filters);
  const prefix = parsePrefix(offered.prefix);
  const rule = policy.ruleFor({
    family: prefix.address.family,
    prefix: packPrefix(prefix),
    attributes: offered.attributes,
    source: offered.from === 'this node' ? 'local' : 'remotePeers',
    isExternal: isExternal(settings),
    ...(offered.interface === undefined ? {} : { interface: offered.interface }),
  });
  if (rule === NO_RULE) return { outcome: undefined, rule: 'no rule' };
  const attributes = policy.apply(rule, offered.attributes);
  return { outcome: attributes === undefined ? 'rejected' : { attributes }, rule: policy.nameOf(rule) };
}

const familyOf = ({ prefix }: Offered): IpFamily => parsePrefix(prefix).address.family;

/** What the peer is told, or why nothing. */
export function exported(settings: PeerSettings, offered: Offered, clusterId?: number): PathAttributes | string {
  const { from = 'this node' } = offered;
  const family = familyOf(offered);
  const attributes: PathAttributes = { origin: 'igp', asPath: [], nextHop: THEIRS[family], ...offered.attributes };
  const { outcome } = filtered(settings.exportFilters, settings, { ...offered, attributes, from });
  const target = exportTarget(settings, {
    external: isExternal(settings),
    peerAsn: settings.remoteAsn,
    clusterId,
    transit: false,
    localAddress: OURS[family],
    longLived: false,
    draining: false,
  });
  const told = exportRoute(attributes, SOURCES[from], target, outcome);
  return told.kind === 'send' ? told.attributes : told.reason;
}

/** What goes into Adj-RIB-In, or why it is refused. */
export function imported(settings: PeerSettings, offered: Offered): PathAttributes | string {
  const family = familyOf(offered);
  const context = importContext(settings, {
    bgpIdentifier: 1,
    clusterId: undefined,
    peerAsn: settings.remoteAsn,
    external: isExternal(settings),
    localAddress: OURS[family],
  });
  const received: PathAttributes = { origin: 'igp', asPath: [], nextHop: THEIRS[family], ...offered.attributes };
  const rejection = judgeAttributes(received, context);
  if (rejection !== ACCEPTED) return rejectionText(rejection, settings);
  const route = { ...offered, attributes: received, from: 'eBGP' } as const;
  const { outcome, rule } = filtered(settings.importFilters, settings, route);
  if (outcome === 'rejected') return rejectionText(REJECTED_BY_FILTER, { localAsn: settings.localAsn, rule });
  return rewriteOnImport(outcome?.attributes ?? received, context);
}

/** `accepted`, or why not. */
export const verdict = (outcome: PathAttributes | string): string =>
  typeof outcome === 'string' ? outcome : 'accepted';
