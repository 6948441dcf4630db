/** What our own speaker is told when it plays a switch; the same as config/tor tells BIRD and FRR. */
import type { OriginatedRoute, PeerSettings, SpeakerSettings } from '../../bird/index.ts';
import { parseInterfaceAddress, parseIpAddress, prefixOf } from '../model/ip.ts';
import { HOLD_SECONDS } from './environment.ts';
import { NODE_ASN, NODES, SWITCHES } from './topology.ts';
import type { DemoSwitch, Topology } from './topology.ts';

const BGP_PORT = 179;

export interface SwitchPlan {
  readonly speaker: SpeakerSettings;
  readonly peers: readonly PeerSettings[];
  readonly originated: readonly OriginatedRoute[];
}

export function planSwitch(tor: DemoSwitch, topology: Topology): SwitchPlan {
  const other = SWITCHES.find(({ name }) => name === tor.uplink)!;
  const nodes = NODES.filter(({ rack }) => rack === tor.rack);
  return {
    speaker: {
      asn: tor.asn,
      bgpIdentifier: parseIpAddress(tor.address).words[0]!,
      listen: [{ address: '0.0.0.0', port: BGP_PORT }],
      transit: true,
      gracefulRestart: { restarting: false, deferralSeconds: 0 },
    },
    peers: [
      peer(tor, { address: other.uplinkAddress, asn: other.asn, kind: 'switch', passive: false }),
      ...nodes.map(({ address }) => peer(tor, { address, asn: NODE_ASN, kind: 'node', passive: true })),
    ],
    originated: connectedSubnets(tor, topology),
  };
}

interface Neighbor {
  readonly address: string;
  readonly asn: number;
  readonly kind: string;
  readonly passive: boolean;
}

function peer(tor: DemoSwitch, { address, asn, kind, passive }: Neighbor): PeerSettings {
  return {
    address: parseIpAddress(address),
    port: BGP_PORT,
    kind,
    origin: 'topology.ts',
    remoteAsn: asn,
    localAsn: tor.asn,
    families: [4],
    passive,
    holdSeconds: HOLD_SECONDS,
    connectRetrySeconds: 2,
    errorWaitSeconds: [2, 10],
    gracefulRestartSeconds: 120,
    nextHop: 'auto',
    routeReflectorClient: false,
    allowOwnAsn: 0,
  };
}

/** The subnets on the switch's own interfaces. */
function connectedSubnets({ name }: DemoSwitch, { hosts, cables }: Topology): readonly OriginatedRoute[] {
  const bridge = hosts.find((host) => host.name === name)?.bridge?.address;
  const plugs = cables.flat().filter((plug) => plug.host === name);
  return [bridge, ...plugs.map(({ address }) => address)].flatMap((text) => {
    if (text === undefined) return [];
    const { address, length } = parseInterfaceAddress(text);
    return [{ prefix: prefixOf(address, length), reason: 'connected' }];
  });
}
