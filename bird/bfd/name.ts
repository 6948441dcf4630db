import { formatIpAddress } from '../../src/model/ip.ts';
import type { BfdSessionName, BfdSessionSettings } from './contract.ts';

type Named = Pick<BfdSessionSettings, 'address' | 'interface' | 'multihop'>;

/** What names a session: `10.0.0.2`, `fe80::1%eth0`, `10.9.9.9 multihop`. */
export function sessionKey({ address, interface: link, multihop = false }: Named): string {
  return `${formatIpAddress(address)}${link === undefined ? '' : `%${link}`}${multihop ? ' multihop' : ''}`;
}

export const nameOf = ({ address, multihop = false, interface: link }: Named): BfdSessionName => ({
  address,
  multihop,
  ...(link !== undefined && { interface: link }),
});
