/**
 * What rtnetlink cannot change: of the tunl0 that the ipip module makes by itself it refuses every setting (EINVAL in
 * ip_tunnel_changelink, seen on 6.1 to 6.18), and the older ioctl takes it. linux/if_tunnel.h, struct ip_tunnel_parm.
 */
import type { Libc } from '../../src/linux/libc.ts';
import { SYS } from '../../src/linux/libc.ts';

const SIOCGETTUNNEL = 0x89f0;
const SIOCCHGTUNNEL = 0x89f3;

/** name 16, link 4, flags 2 + 2, keys 4 + 4, struct iphdr 20 */
const PARAMETER_OCTETS = 52;
const IPHDR = 32;
const VERSION_AND_LENGTH = 0x45;
/** IP_DF in iphdr.frag_off, big-endian. */
const DONT_FRAGMENT = 0x40;

/**
 * Sets Don't Fragment in every outer header of an ipip link, so that paths with a smaller MTU are discovered, as in
 * every tunnel but tunl0 from the start; or takes it back. Throws SystemError.
 */
export function setPathMtuDiscovery(libc: Libc, name: string, isOn: boolean): void {
  const fd = libc.socket(SYS.familyIpv4, SYS.socketDatagram | SYS.socketCloseOnExec, 0);
  try {
    const parameters = new Uint8Array(PARAMETER_OCTETS);
    libc.interfaceRequest(fd, SIOCGETTUNNEL, { name, data: parameters });
    parameters[IPHDR] = VERSION_AND_LENGTH;
    parameters[IPHDR + 6] = isOn ? DONT_FRAGMENT : 0;
    parameters[IPHDR + 7] = 0;
    libc.interfaceRequest(fd, SIOCCHGTUNNEL, { name, data: parameters });
  } finally {
    libc.close(fd);
  }
}
