import type { DoctorPorts } from '../../src/host/doctor/doctor.ts';
import { parseInterfaceAddress } from '../../src/model/ip.ts';
import { readerOf } from './host-reader.ts';

/** Files of a host on which nothing is wrong; a test overwrites what it is about. */
export const HEALTHY: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/config.gz': ['NET_NS', 'VETH', 'NET_IPIP', 'VXLAN'].map((name) => `CONFIG_${name}=y\n`).join(''),
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/eth0/rp_filter': '2\n',
  '/proc/self/net/tcp': '  sl  local_address rem_address   st\n',
};

/** node-a1 with eth0 and 172.30.1.11/24; every other node answers. */
export const healthyHost = (
  texts: Readonly<Record<string, string>> = {},
  does: Partial<DoctorPorts> = {},
): DoctorPorts => ({
  reader: readerOf({ ...HEALTHY, ...texts }),
  links: () =>
    Promise.resolve([
      { index: 2, name: 'eth0', mtu: 1500, up: true, addresses: [parseInterfaceAddress('172.30.1.11/24')] },
    ]),
  clock: () => ({ isSynchronized: true, maxErrorMs: 3 }),
  probe: (targets) => {
    const answered = { kind: 'answered', ms: 0.2 } as const;
    return Promise.resolve(
      targets.map(({ address }) => ({ address, small: answered, large: answered, ipip: answered })),
    );
  },
  ...does,
});
