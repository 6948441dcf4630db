/** Which nodes have a BGP session with each other, and what stands against those that will not come up. Pure. */
import type { PeerSettings } from '../../bird/index.ts';
import type { BgpNode } from '../agent/bgp-nodes.ts';
import { formatIpAddress } from '../model/ip.ts';
import type { IpFamily } from '../model/ip.ts';

export const FAMILIES = [4, 6] as const satisfies readonly IpFamily[];

/** What of a peer's settings decides whether the session comes up and what goes over it. */
export type End = Pick<
  PeerSettings,
  | 'origin'
  | 'localAsn'
  | 'remoteAsn'
  | 'password'
  | 'ttlSecurityHops'
  | 'passive'
  | 'port'
  | 'routeReflectorClient'
  | 'nextHop'
  | 'allowOwnAsn'
  | 'importFilters'
  | 'exportFilters'
>;

export const isExternal = ({ localAsn, remoteAsn }: End): boolean => localAsn !== remoteAsn;

/**
 * The ends of all sessions between nodes: a matrix for each family, for a mesh of a thousand nodes has a million of them. Equal
 * ends are one object.
 */
export class Sessions {
  readonly names: readonly string[];
  readonly nodes: readonly BgpNode[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #byAddress: ReadonlyMap<string, number>;
  readonly #rows: Readonly<Record<IpFamily, readonly Int32Array[]>>;
  readonly #ends: (End & { readonly listenPort: number })[] = [];
  readonly #known = new Map<string, number>();
  /** By two ends: those that agree. */
  readonly #agreeing = new Set<number>();
  #hasFilters = false;

  constructor(nodes: ReadonlyMap<string, BgpNode>) {
    this.names = [...nodes.keys()];
    this.nodes = [...nodes.values()];
    this.#index = new Map(this.names.map((name, i) => [name, i]));
    // Of two nodes with one address the first has it, as everywhere.
    this.#byAddress = new Map(
      this.nodes.flatMap(({ addresses }, i) => addresses.map((one) => [formatIpAddress(one), i] as const)).toReversed(),
    );
    const rows = (): readonly Int32Array[] => this.names.map(() => new Int32Array(this.names.length));
    this.#rows = { 4: rows(), 6: rows() };
  }

  indexOf(name: string): number | undefined {
    return this.#index.get(name);
  }

  /** The node that has the address. */
  nodeAt(address: PeerSettings['address']): number | undefined {
    return this.#byAddress.get(formatIpAddress(address));
  }

  /** Between two nodes there is a BGPFilter. */
  get hasFilters(): boolean {
    return this.#hasFilters;
  }

  /** The peers of one node; those that are no nodes are passed over. */
  add(node: number, peers: readonly PeerSettings[]): void {
    for (const peer of peers) {
      const remote = this.nodeAt(peer.address);
      const row = this.#rows[peer.address.family][node]!;
      // Of several peers with one node, on several ports, the first counts.
      if (remote === undefined || remote === node || row[remote] !== 0) continue;
      row[remote] = this.#intern(peer, this.nodes[node]!.port) + 1;
      this.#hasFilters ||= peer.importFilters !== undefined || peer.exportFilters !== undefined;
    }
  }

  end(family: IpFamily, from: number, to: number): End | undefined {
    const place = this.#rows[family][from]![to]!;
    return place === 0 ? undefined : this.#ends[place - 1];
  }

  /** Why a session that one of the two wants does not come up; undefined where it does, or where neither wants it. */
  fault(family: IpFamily, a: number, b: number): string | undefined {
    const here = this.#rows[family][a]![b]!;
    const there = this.#rows[family][b]![a]!;
    if (here === 0 && there === 0) return undefined;
    const [near, far] = [this.#ends[here - 1], this.#ends[there - 1]];
    const [nameA, nameB] = [this.names[a]!, this.names[b]!];
    if (near === undefined) return `${nameB} dials ${nameA} (${far!.origin}), which has no such peer`;
    if (far === undefined) return `${nameA} dials ${nameB} (${near.origin}), which has no such peer`;
    const key = here * 2 ** 24 + there;
    if (this.#agreeing.has(key)) return undefined;
    const fault = disagreement({ name: nameA, end: near }, { name: nameB, end: far });
    if (fault === undefined) this.#agreeing.add(key);
    return fault;
  }

  isUp(family: IpFamily, a: number, b: number): boolean {
    const isWanted = this.#rows[family][a]![b] !== 0 && this.#rows[family][b]![a] !== 0;
    return isWanted && this.fault(family, a, b) === undefined;
  }

  #intern(peer: PeerSettings, listenPort: number): number {
    const { origin, localAsn, remoteAsn, password = '', ttlSecurityHops = 0, passive, port } = peer;
    const { routeReflectorClient, nextHop, allowOwnAsn, address, importFilters, exportFilters } = peer;
    const key = [
      ...[origin, localAsn, remoteAsn, password, ttlSecurityHops, passive, port, listenPort],
      ...[routeReflectorClient, nextHop, allowOwnAsn, address.family, exportFilters?.length],
    ].join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#ends.push({
      ...{ origin, localAsn, remoteAsn, passive, port, listenPort, routeReflectorClient, nextHop, allowOwnAsn },
      ...(password !== '' && { password }),
      ...(ttlSecurityHops !== 0 && { ttlSecurityHops }),
      ...(importFilters && { importFilters }),
      ...(exportFilters && { exportFilters }),
    });
    this.#known.set(key, this.#ends.length - 1);
    return this.#ends.length - 1;
  }
}

interface Side {
  readonly name: string;
  readonly end: End & { readonly listenPort: number };
}

function disagreement(a: Side, b: Side): string | undefined {
  return (
    wrongAsn(a, b) ??
    wrongAsn(b, a) ??
    (a.end.password === b.end.password
      ? undefined
      : `${a.name} has ${passwordText(a.end)}, and ${b.name} ${passwordText(b.end)}`) ??
    ((a.end.ttlSecurityHops === undefined) === (b.end.ttlSecurityHops === undefined)
      ? undefined
      : `only one of ${a.name} (${a.end.origin}) and ${b.name} (${b.end.origin}) has ttlSecurity`) ??
    (reaches(a, b) || reaches(b, a) ? undefined : whyNobodyReaches(a, b))
  );
}

const wrongAsn = (a: Side, b: Side): string | undefined =>
  a.end.remoteAsn === b.end.localAsn
    ? undefined
    : `${a.name} expects AS ${a.end.remoteAsn} of ${b.name} (${a.end.origin}), which says AS ${b.end.localAsn}`;

const passwordText = ({ password, origin }: End): string =>
  `${password === undefined ? 'no password' : `the password of Secret ${password}`} (${origin})`;

const reaches = ({ end }: Side, far: Side): boolean => !end.passive && end.port === far.end.listenPort;

const whyNobodyReaches = (a: Side, b: Side): string =>
  a.end.passive && b.end.passive
    ? `${a.name} and ${b.name} both wait for the other to dial`
    : `${a.name} dials ${b.name} on port ${a.end.port} (${a.end.origin}), and ${b.name} listens on ${b.end.listenPort}`;
