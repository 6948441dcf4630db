/** Peers of the file as bird's settings: `defaults`, then the template, then the peer itself. Pure. */
import type { DynamicPeers, PeerSettings, RouteFilter } from '../../bird/index.ts';
import type { IpFamily } from '../model/ip.ts';
import { PEER_DEFAULTS } from './peer-defaults.ts';
import type { DynamicPeersText, Peer, PeerFields } from './peer-schema.ts';

/** What the settings of a peer refer to. */
export interface Surroundings {
  readonly asn: number;
  readonly defaults: PeerFields;
  readonly templates: ReadonlyMap<string, PeerFields>;
  readonly filters: ReadonlyMap<string, RouteFilter>;
  /** By the path as it stands in the file. */
  readonly passwords: ReadonlyMap<string, string>;
}

/** All that holds for a peer, the strongest place last. A password and a file with one are the same setting. */
export function inherited(own: PeerFields, template: string | undefined, around: Surroundings): PeerFields {
  const fromTemplate = template === undefined ? {} : (around.templates.get(template) ?? {});
  return [around.defaults, fromTemplate, own].reduce<PeerFields>((weaker, stronger) => {
    const hasPassword = stronger.password !== undefined || stronger.passwordFile !== undefined;
    return { ...(hasPassword ? without(weaker, ['password', 'passwordFile']) : weaker), ...stronger };
  }, {});
}

/** `origin` says where it stands in the file. */
export function peerSettings(
  { address: { address, interface: link }, template, ...own }: Peer,
  around: Surroundings,
  origin: string,
): PeerSettings {
  const fields = inherited(own, template, around);
  return {
    ...commonSettings(fields, around, { origin, family: address.family, remoteAsn: fields.asn ?? 0 }),
    address,
    passive: fields.passive ?? PEER_DEFAULTS.passive,
    ...(link !== undefined && { interface: link }),
  };
}

export function dynamicPeers(
  { prefix, limit, asns, template, ...own }: DynamicPeersText,
  around: Surroundings,
  origin: string,
): DynamicPeers {
  const fields = inherited(own, template, around);
  const remoteAsn = fields.asn ?? asns?.[0] ?? 0;
  return {
    prefix,
    limit,
    ...(asns !== undefined && { remoteAsns: asns }),
    template: commonSettings(fields, around, { origin, family: prefix.address.family, remoteAsn }),
  };
}

/** What bird calls otherwise, or wants in another form; all else it takes by the same name. */
const OTHERWISE = [
  ...(['asn', 'passive', 'families', 'shutdown', 'roleStrict', 'password', 'passwordFile'] as const),
  ...(['prefixLimits', 'importFilters', 'exportFilters'] as const),
] as const;

interface Given {
  readonly origin: string;
  readonly family: IpFamily;
  readonly remoteAsn: number;
}

function commonSettings(
  fields: PeerFields,
  around: Surroundings,
  { origin, family, remoteAsn }: Given,
): DynamicPeers['template'] {
  const { localAsn = around.asn, families, shutdown, roleStrict, passwordFile, prefixLimits } = fields;
  const password = fields.password ?? (passwordFile === undefined ? undefined : around.passwords.get(passwordFile));
  const filters = (names: readonly string[] = []): readonly RouteFilter[] =>
    names.flatMap((name) => around.filters.get(name) ?? []);
  return {
    ...without(PEER_DEFAULTS, ['passive']),
    kind: kindOf(fields, remoteAsn === localAsn),
    ...without(fields, OTHERWISE),
    origin,
    remoteAsn,
    localAsn,
    families: families === undefined ? [family] : [...new Set(families)].sort((a, b) => a - b),
    ...(shutdown !== undefined && shutdown !== false && { shutdown: shutdown === true ? '' : shutdown }),
    ...(roleStrict !== undefined && { isRoleStrict: roleStrict }),
    ...(password !== undefined && { password }),
    ...(prefixLimits !== undefined && { prefixLimits: limitsByFamily(prefixLimits) }),
    ...(fields.importFilters !== undefined && { importFilters: filters(fields.importFilters) }),
    ...(fields.exportFilters !== undefined && { exportFilters: filters(fields.exportFilters) }),
  };
}

function limitsByFamily({ ipv4, ipv6 }: NonNullable<PeerFields['prefixLimits']>) {
  return { ...(ipv4 !== undefined && { 4: ipv4 }), ...(ipv6 !== undefined && { 6: ipv6 }) };
}

function kindOf({ routeReflectorClient, routeServerClient }: PeerFields, isInternal: boolean): string {
  if (isInternal) return routeReflectorClient === true ? 'iBGP client' : 'iBGP';
  return routeServerClient === true ? 'eBGP route server client' : 'eBGP';
}

function without<T extends object, K extends keyof T>(fields: T, names: readonly K[]): Omit<T, K> {
  const entries = Object.entries(fields).filter(([name]) => !names.includes(name as K));
  return Object.fromEntries(entries) as Omit<T, K>;
}
