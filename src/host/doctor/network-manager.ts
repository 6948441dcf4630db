/**
 * Whether NetworkManager keeps its hands off our interfaces: what it is told, and what it wrote of each device at run time. No
 * D-Bus, which is not there in a container.
 */
import type { HostReader } from '../reader.ts';
import { processesNamed } from './configuration-files.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { ManagerConfig } from './network-manager-config.ts';
import { isToldToLeave, readManagerConfig } from './network-manager-config.ts';
import type { OurLink } from './our-links.ts';
import { nameLinks } from './our-links.ts';

const check = checkOf('NetworkManager');
const WHY =
  'it asks DHCP for an address on an interface that it manages, and takes it down, its routes with it, when it lets go';
const CONFIG =
  'write /etc/NetworkManager/conf.d/calico.conf with [keyfile] unmanaged-devices=interface-name:cali*;interface-name:tunl0;interface-name:vxlan.calico;interface-name:vxlan-v6.calico';

export function checkNetworkManager(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const [process] = processesNamed(reader, 'NetworkManager');
  if (process === undefined) return [check.ok('does not run here')];
  const config = readManagerConfig(reader);
  const known = [`NetworkManager is process ${process}`, `unmanaged-devices: ${listText(config)}`];
  const taken = links.filter((link) => stateOf(reader, link) === 'managed');
  if (taken.length > 0) {
    return [
      check.problem(`manages ${nameLinks(taken)}`, {
        why: WHY,
        todo: `${CONFIG}, then systemctl restart NetworkManager (a reload would take down what it manages now)`,
        evidence: [...known, ...taken.map(({ index }) => `${stateFile(index)}: managed=true`)],
      }),
    ];
  }
  const open = links.filter((link) => !isToldToLeave(config, reader, link));
  if (open.length === 0) return [check.ok('leaves our interfaces alone', known)];
  const watched = open.filter((link) => stateOf(reader, link) === 'external').map(({ name }) => name);
  return [
    check.warning(`is not told to leave ${nameLinks(open)} alone`, {
      why: `it may take them: ${WHY}`,
      todo: `${CONFIG}, then systemctl reload NetworkManager`,
      evidence: [
        ...known,
        ...watched.map((name) => `${name} is 'connected (externally)': for now it only looks on there`),
      ],
    }),
  ];
}

const listText = ({ unmanagedDevices }: ManagerConfig): string => unmanagedDevices.join(';') || 'none';

const stateFile = (index: number | undefined): string => `/run/NetworkManager/devices/${index ?? ''}`;
const PROFILES = '/run/NetworkManager/system-connections';

/**
 * `external`: it shows a profile that it made up of what somebody else configured, and changes nothing. Of a device that it leaves
 * alone it writes nothing while it runs.
 */
function stateOf(reader: HostReader, { index }: OurLink): 'managed' | 'external' | undefined {
  const state = index === undefined ? undefined : reader.text(stateFile(index));
  if (state === undefined || !/^managed=true$/m.test(state)) return undefined;
  const uuid = /^connection-uuid=(.+)$/m.exec(state)?.[1];
  if (uuid === undefined) return 'managed';
  const profiles = reader.names(PROFILES).map((name) => reader.text(`${PROFILES}/${name}`) ?? '');
  const profile = profiles.find((text) => text.split('\n').includes(`uuid=${uuid}`));
  return profile !== undefined && /^external=true$/m.test(profile) ? 'external' : 'managed';
}
