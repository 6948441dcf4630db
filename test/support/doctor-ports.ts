import type { DoctorPorts } from '../../src/host/doctor/doctor.ts';
import { parseInterfaceAddress } from '../../src/model/ip.ts';
import { readerOf } from './host-reader.ts';

/** Files of a host on which nothing is wrong; a test overwrites what it is about. */
export const HEALTHY: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/config.gz': ['NET_NS', 'VETH', 'NET_IPIP', 'VXLAN'].map((name) => `CONFIG_${name}=y\n`).join(''),
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv6/conf/all/forwarding': '1\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
  '/proc/self/net/tcp': '  sl  local_address rem_address   st\n',
};

/** node-a1 with eth0, 172.30.1.11/24 and fd30:1::11/64; every other node answers, whatever it is asked. */
export const healthyHost = (
  texts: Readonly<Record<string, string>> = {},
  does: Partial<DoctorPorts> = {},
): DoctorPorts => ({
  reader: readerOf({ ...HEALTHY, ...texts }),
  links: () => {
    const addresses = ['172.30.1.11/24', 'fd30:1::11/64'].map((text) => parseInterfaceAddress(text));
    return Promise.resolve([{ index: 2, name: 'eth0', mtu: 1500, up: true, addresses }]);
  },
  clock: () => ({ isSynchronized: true, maxErrorMs: 3 }),
  probe: (targets) => {
    const answered = { kind: 'answered', ms: 0.2 } as const;
    const tunnel = { there: answered, andBack: answered };
    return Promise.resolve(
      targets.map(({ ipip, vxlan }) => ({
        ...{ small: answered, large: answered },
        ...(ipip && { ipip: tunnel }),
        ...(vxlan && { vxlan: tunnel }),
      })),
    );
  },
  dial: (targets) => Promise.resolve(targets.map(() => ({ kind: 'connected' }) as const)),
  ...does,
});
