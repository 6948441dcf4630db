import { HOST_LINK_LOCAL, IPV4_GATEWAY } from '../../felix/index.ts';
import type { WorkloadSight } from '../../felix/index.ts';
import { formatIpAddress, formatPrefix, hostPrefix, parseInterfaceAddress, sameAddress } from '../model/ip.ts';
import type { IpAddress } from '../model/ip.ts';
import { containerTurn } from './add.ts';
import type { AttachmentKey, Workload } from './attachment.ts';
import { CNI_CODE, CniError } from './errors.ts';
import { handleId, hostInterfaceName, workloadText } from './names.ts';
import type { Endpoint, PodPorts } from './ports.ts';
import type { CniResult, ResultInterface } from './result.ts';

/** The attachment that is checked, and what its ADD (and the plugins after it) said. */
export interface Checked extends AttachmentKey {
  readonly netns: string;
  readonly workload: Workload;
  readonly prevResult: CniResult;
}

/**
 * CNI CHECK: interface, MAC, addresses, routes and gateway in the pod, the host's side of it, the endpoint and IPAM, against the previous
 * result. What a later plugin of the chain added is not ours to judge. Throws CniError with every difference, one sentence each.
 */
export async function checkPod(checked: Checked, ports: PodPorts): Promise<void> {
  const differences = await ports.inTurn(containerTurn(checked.containerId), () => differencesOf(checked, ports));
  const [first, ...others] = differences;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new CniError(CNI_CODE.checkFailed, `${first}${more}`, differences.join('\n'));
}

async function differencesOf(checked: Checked, ports: PodPorts): Promise<readonly string[]> {
  const { containerId, interfaceName, netns, workload } = checked;
  const [there, held] = await Promise.all([ports.endpointsOf(workload), ports.held(handleId(checked))]);
  const own = there.find((one) => one.containerId === containerId && one.containerInterface === interfaceName);
  if (own === undefined && held === undefined) {
    throw new CniError(
      CNI_CODE.unknownContainer,
      `CNI_CONTAINERID = '${containerId}': has no interface ${interfaceName} in network ${checked.network}`,
    );
  }
  await ports.requireNamespace(netns);
  const hostInterface = own?.hostInterface ?? hostInterfaceName(workload);
  const expected = expectations(checked);
  const names = { netns, containerInterface: interfaceName, hostInterface };
  const sight = await ports.look(names, expected.addresses);
  return [
    ...(expected.interface === undefined ? [`prevResult has no interface ${interfaceName} in a sandbox`] : []),
    ...podDifferences(checked, sight, expected),
    ...hostDifferences(checked, hostInterface, { sight, expected }),
    ...endpointDifferences(checked, own, { there, expected }),
    ...expected.addresses
      .filter((address) => held?.addresses.some((one) => sameAddress(one, address)) !== true)
      .map((address) => `IPAM does not hold ${formatIpAddress(address)} for ${handleId(checked)}`),
  ];
}

interface Expectations {
  readonly interface: ResultInterface | undefined;
  readonly addresses: readonly IpAddress[];
}

/** An address that names no interface is taken for the sandbox's: older plugins leave it out. */
function expectations({ interfaceName, prevResult: { interfaces, ips } }: Checked): Expectations {
  const index = interfaces.findIndex(({ name, sandbox }) => name === interfaceName && (sandbox ?? '') !== '');
  const own = ips.filter((ip) => typeof ip.interface !== 'number' || ip.interface === index);
  return { interface: interfaces[index], addresses: own.map(({ address }) => parseInterfaceAddress(address).address) };
}

/** `A is B, not C`, unless they are the same or nobody expects anything. */
const differs = (what: string, is: string | number, expected: string | number | undefined): readonly string[] =>
  expected === undefined || expected === '' || expected === is ? [] : [`${what} is ${is}, not ${expected}`];

function podDifferences(
  { interfaceName: name, prevResult }: Checked,
  { pod }: WorkloadSight,
  { interface: before, addresses }: Expectations,
): readonly string[] {
  if (pod === undefined) return [`the pod has no interface ${name}`];
  const routes = prevResult.routes.filter(({ gw }) => gw === IPV4_GATEWAY || gw === HOST_LINK_LOCAL);
  const hasRoute = (dst: string, gw?: string): boolean =>
    pod.routes.some(
      ({ prefix, gateway }) => formatPrefix(prefix) === dst && gw === (gateway && formatIpAddress(gateway)),
    );
  const needsGatewayRoute = routes.some(({ gw }) => gw === IPV4_GATEWAY) && !hasRoute(`${IPV4_GATEWAY}/32`);
  return [
    ...differs(`the MAC address of ${name}`, pod.mac, before?.mac?.toLowerCase()),
    ...differs(`the MTU of ${name}`, pod.mtu, before?.mtu),
    ...(pod.up ? [] : [`${name} is down`]),
    ...addresses
      .filter((address) => !pod.addresses.some((one) => sameAddress(one.address, address)))
      .map((address) => `${name} does not have the address ${formatPrefix(hostPrefix(address))}`),
    ...routes.filter(({ dst, gw }) => !hasRoute(dst, gw)).map(({ dst, gw }) => `the pod has no route ${dst} via ${gw}`),
    ...(needsGatewayRoute ? [`the pod has no route to its gateway ${IPV4_GATEWAY}`] : []),
  ];
}

function hostDifferences(
  { interfaceName, prevResult }: Checked,
  name: string,
  { sight: { host, reached }, expected }: { readonly sight: WorkloadSight; readonly expected: Expectations },
): readonly string[] {
  if (host === undefined) return [`the host has no interface ${name}`];
  const before = prevResult.interfaces.find((one) => one.name === name && (one.sandbox ?? '') === '');
  const has = (family: 4 | 6): boolean => expected.addresses.some((address) => address.family === family);
  return [
    ...(before === undefined ? [`prevResult does not have the host's interface ${name}`] : []),
    ...(host.isPaired ? [] : [`${name} is not the other end of ${interfaceName}`]),
    ...(host.up ? [] : [`${name} is down`]),
    ...differs(`the MAC address of ${name}`, host.mac, before?.mac?.toLowerCase()),
    ...(has(4) && !host.hasProxyArp
      ? [`${name} does not answer for the gateway ${IPV4_GATEWAY}: proxy_arp is off`]
      : []),
    ...(has(6) && !host.hasLinkLocal ? [`${name} does not have the gateway's address ${HOST_LINK_LOCAL}`] : []),
    ...expected.addresses
      .filter((address) => !reached.some((one) => sameAddress(one, address)))
      .map((address) => `the host does not route ${formatPrefix(hostPrefix(address))} to ${name}`),
  ];
}

function endpointDifferences(
  { workload }: Checked,
  own: Endpoint | undefined,
  { there, expected }: { readonly there: readonly Endpoint[]; readonly expected: Expectations },
): readonly string[] {
  const what = `the WorkloadEndpoint of ${workloadText(workload)}`;
  if (own === undefined) {
    const other = there[0];
    return [other === undefined ? `${what} is gone` : `${what} is of container ${other.containerId}`];
  }
  return expected.addresses
    .filter((address) => !own.addresses.some((one) => sameAddress(one, address)))
    .map((address) => `${what} does not have ${formatIpAddress(address)}`);
}
