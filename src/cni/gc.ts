import { holderOf, removePod } from './del.ts';
import type { Removed } from './del.ts';
import { CNI_CODE, CniError } from './errors.ts';
import { handleId, hostInterfaceName, isHostInterfaceName, NETWORK_NAME } from './names.ts';
import type { Endpoint, HeldHandle, PodPorts } from './ports.ts';

/** As `cni.dev/valid-attachments` has them. */
export interface ValidAttachment {
  readonly containerID: string;
  readonly ifname: string;
}

export interface Collection {
  readonly network: string;
  readonly valid: readonly ValidAttachment[];
  /** Its ADD is at work, or ended since GC began: the runtime could not name it. */
  readonly isNew: (containerId: string) => boolean;
}

/**
 * CNI GC: every attachment of the network on this node that is not valid goes, as by its DEL: those with an endpoint, those that only have
 * addresses. Last the host interfaces of which nobody knows anything, if every valid attachment is known: otherwise one of them may be its.
 * Goes on after a failure; throws CniError with all of them.
 */
export async function collectGarbage(collection: Collection, ports: PodPorts): Promise<void> {
  const [held, endpoints] = await Promise.all([ports.heldHere(), ports.endpoints()]);
  const known = { held, endpoints };
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    await work().catch((error: unknown) => void failures.push(`${what}: ${(error as Error).message}`));
  };
  const stale = staleAttachments(collection, known);
  await Promise.all(stale.map((each) => attempt(`container ${each.containerId}`, () => removePod(each, ports))));
  for (const name of await strayInterfaces(collection, known, ports)) {
    await attempt(`interface ${name}`, () => ports.inTurn(name, () => removeStray(name, ports)));
  }
  const [first, ...others] = failures;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new CniError(
    CNI_CODE.leftOver,
    `GC of ${collection.network} left something over: ${first}${more}`,
    failures.join('\n'),
  );
}

interface Known {
  readonly held: readonly HeldHandle[];
  readonly endpoints: readonly Endpoint[];
}

function staleAttachments(collection: Collection, known: Known): readonly Removed[] {
  const { network, valid, isNew } = collection;
  const validNames = new Set(valid.map(({ containerID, ifname }) => `${containerID} ${ifname}`));
  const validContainers = new Set(valid.map(({ containerID }) => containerID));
  const byEndpoint = known.endpoints
    .filter((endpoint) => isOfNetwork(endpoint, network, known.held))
    .filter(({ containerId, containerInterface }) => !validNames.has(`${containerId} ${containerInterface}`))
    .map(({ containerId, containerInterface }) => ({ network, containerId, interfaceName: containerInterface }));
  const withEndpoint = new Set(known.endpoints.map(({ containerId }) => containerId));
  // Of one without an endpoint nobody knows the interface's name: it is valid with its container.
  const byAddress = known.held
    .flatMap((each) => containerOf(each, network) ?? [])
    .filter((containerId) => !withEndpoint.has(containerId) && !validContainers.has(containerId))
    .map((containerId) => ({ network, containerId }));
  return [...byEndpoint, ...byAddress].filter(({ containerId }) => !isNew(containerId));
}

/** Undefined where the handle is another network's; of one that could be read in two ways, unless its addresses tell. */
function containerOf({ handleId: id, network: told }: HeldHandle, network: string): string | undefined {
  const start = handleId({ network, containerId: '' });
  if (!id.startsWith(start)) return undefined;
  const containerId = id.slice(start.length);
  if (told !== undefined) return told === network ? containerId : undefined;
  return containerId.includes('.') ? undefined : containerId;
}

/** One that does not say is of the network whose handle its container holds; where it holds nothing, of Calico's own. */
function isOfNetwork(endpoint: Endpoint, network: string, held: readonly HeldHandle[]): boolean {
  if (endpoint.network !== undefined) return endpoint.network === network;
  const { containerId } = endpoint;
  if (held.some((each) => containerOf(each, network) === containerId)) return true;
  return network === NETWORK_NAME && !held.some(({ handleId: id }) => id.endsWith(`.${containerId}`));
}

async function strayInterfaces({ valid }: Collection, known: Known, ports: PodPorts): Promise<readonly string[]> {
  const containers = new Set(known.endpoints.map(({ containerId }) => containerId));
  const isKnown = (containerId: string): boolean =>
    containers.has(containerId) || known.held.some(({ handleId: id }) => id.endsWith(`.${containerId}`));
  if (!valid.every(({ containerID }) => isKnown(containerID))) return [];
  const used = new Set([
    ...known.endpoints.map(({ hostInterface }) => hostInterface),
    ...known.held.map((each) => hostInterfaceName(holderOf(each, each.handleId.slice(each.handleId.indexOf('.') + 1)))),
  ]);
  return (await ports.veths()).filter((name) => isHostInterfaceName(name) && !used.has(name));
}

/** Within its turn no ADD is at work on it: one that came since has its endpoint by now. */
async function removeStray(name: string, ports: PodPorts): Promise<void> {
  const endpoints = await ports.endpoints();
  if (endpoints.every(({ hostInterface }) => hostInterface !== name)) await ports.removeInterface(name);
}
