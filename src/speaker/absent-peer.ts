/** Why an address is no peer of a speaker alone. Pure. */
import { formatIpAddress, formatPrefix, prefixContainsAddress } from '../model/ip.ts';
import type { IpAddress } from '../model/ip.ts';
import type { SpeakerConfiguration } from './convert.ts';

/** One sentence each; never empty. `isRefused`: the file has changed since, and is wrong. */
export function whyNoPeer(
  address: IpAddress,
  { dynamicPeers }: Pick<SpeakerConfiguration, 'dynamicPeers'>,
  { file, isRefused }: { readonly file: string; readonly isRefused: boolean },
): readonly string[] {
  const text = formatIpAddress(address);
  const ranges = dynamicPeers.filter(({ prefix }) => prefixContainsAddress(prefix, address));
  const late = isRefused
    ? [`${file} has changed and is wrong, so that what it said before stays in force: calicoctl-ts node status`]
    : [];
  if (ranges.length === 0) return [...late, `no peer and no range of dynamicPeers in ${file} has the address ${text}`];
  return [
    ...late,
    ...ranges.map(
      ({ prefix, limit }) =>
        `${text} is in ${formatPrefix(prefix)} of dynamicPeers, so it is a peer while it is connected, one of ${limit} at most`,
    ),
  ];
}
