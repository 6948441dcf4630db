import { KernelError } from '../../../felix/kernel.ts';
import type { WatchedSysctl } from '../../../felix/kernel.ts';
import type { FakeNamespace } from './namespace.ts';

/** Those of a link that is not there are not there either. */
export function sysctlRefusal(namespace: FakeNamespace, path: string): KernelError | undefined {
  const name = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//.exec(path)?.[1];
  if (name === undefined || ['all', 'default'].includes(name) || namespace.linkNamed(name) !== undefined)
    return undefined;
  return new KernelError(`sysctl ${path}: ENOENT (no such file or directory)`, 'ENOENT');
}

/** The kernel tells of some alone; ip_forward is `forwarding` of `all`. */
export function tellSysctl(namespace: FakeNamespace, path: string, value: string): void {
  const [, version, scope = '', name = ''] =
    /^net\/ipv([46])\/conf\/([^/]+)\/(forwarding|rp_filter|proxy_arp|proxy_ndp)$/.exec(
      path === 'net/ipv4/ip_forward' ? 'net/ipv4/conf/all/forwarding' : path,
    ) ?? [];
  if (version === undefined) return;
  const ifindex = scope === 'all' || scope === 'default' ? scope : namespace.linkNamed(scope)?.index;
  if (ifindex === undefined) return;
  const family = version === '4' ? 4 : 6;
  namespace.emit({ kind: 'sysctl', family, ifindex, name: name as WatchedSysctl, value: Number(value) });
}
