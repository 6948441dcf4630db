import type { HostInterface } from '../../felix/index.ts';
import { parseInterfaceAddress } from '../../src/model/ip.ts';

/**
 * A host in words, one interface a line: `2 eth0 172.30.1.11/24,fd00::1/64+deprecated`, `3 br0:bridge`. After the index,
 * `!` means down and `~` without a carrier.
 */
export const hostOf = (...lines: readonly string[]): readonly HostInterface[] =>
  lines.map((line) => {
    const [number = '', named = '', addresses = ''] = line.split(/\s+/);
    const [name = '', kind] = named.split(':');
    const isUp = !number.includes('!');
    return {
      ...{ name, index: Number.parseInt(number), mtu: 1500, mac: '' },
      ...(kind !== undefined && { kind }),
      ...{ up: isUp, running: isUp && !number.includes('~') },
      addresses: addresses.split(',').filter(Boolean).map(addressOf),
    };
  });

function addressOf(text: string): HostInterface['addresses'][number] {
  const [address = '', ...flags] = text.split('+');
  const flag = <K extends string>(name: K): { readonly [P in K]?: true } =>
    (flags.includes(name) ? { [name]: true } : {}) as { readonly [P in K]?: true };
  return { ...parseInterfaceAddress(address), ...flag('secondary'), ...flag('deprecated') };
}
