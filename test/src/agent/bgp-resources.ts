/** Resources about peers, and what comes of them in one line. */
import type { PeerSettings } from '../../../bird/settings.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';
import type { AnyResource } from '../../../src/resources/index.ts';
import { resource } from '../../support/resources.ts';

export const peer = (name: string, spec: object): AnyResource => resource('BGPPeer', name, spec);
export const config = (spec: object, name = 'default'): AnyResource => resource('BGPConfiguration', name, spec);
export const noMesh = config({ nodeToNodeMeshEnabled: false });

/** `10.192.0.3:150 AS 64567 global, passive, client, local AS 65000, next hop keep` */
export const peerLine = (settings: PeerSettings): string =>
  [
    `${addressText(settings)} AS ${settings.remoteAsn} ${settings.kind}`,
    ...(settings.passive ? ['passive'] : []),
    ...(settings.routeReflectorClient ? ['client'] : []),
    ...(settings.localAsn === 64_512 ? [] : [`local AS ${settings.localAsn}`]),
    ...(settings.nextHop === 'auto' ? [] : [`next hop ${settings.nextHop}`]),
  ].join(', ');

const addressText = ({ address, port }: PeerSettings): string =>
  address.family === 4 ? `${formatIpAddress(address)}:${port}` : `[${formatIpAddress(address)}]:${port}`;
