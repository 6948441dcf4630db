import { parsePrefix } from '../src/model/ip.ts';
import type { Kernel } from './kernel.ts';
import { MAIN_TABLE } from './routes/kernel-route.ts';
import { OUR_PROTOCOL } from './ownership.ts';

/** TEST-NET-1 at the worst metric: nobody has such a route, so removing it asks for the permission and changes nothing. */
const NOBODYS_ROUTE = {
  prefix: parsePrefix('192.0.2.1/32'),
  table: MAIN_TABLE,
  metric: 0xffff_ffff,
  protocol: OUR_PROTOCOL,
} as const;

/**
 * Throws one sentence where the kernel would refuse our writes. Asking the kernel is the only sure way: capabilities
 * count in the user namespace that owns the network namespace, which /proc/self/status does not tell.
 */
export async function requirePermission(kernel: Pick<Kernel, 'writeRoutes'>): Promise<void> {
  const [error] = await kernel.writeRoutes([{ op: 'remove', route: NOBODYS_ROUTE }]);
  if (error === undefined) return;
  const hint = error.code === 'EPERM' || error.code === 'EACCES' ? 'this needs root or CAP_NET_ADMIN' : '';
  const what = hint === '' ? 'routes cannot be programmed' : `${hint} to program routes`;
  throw new Error(`${what}: ${error.message}`, { cause: error });
}
