import { resolveSrv } from 'node:dns/promises';
import { UnavailableError } from './store.ts';

interface SrvRecord {
  readonly name: string;
  readonly port: number;
}

/** Asks the DNS for the SRV records of a name; rejects where there are none. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** etcd's own names for its clients' ports. */
const SERVICES = [
  { service: '_etcd-client-ssl._tcp', scheme: 'https' },
  { service: '_etcd-client._tcp', scheme: 'http' },
] as const;

/**
 * The endpoints that a domain's SRV records name, those with TLS first; one kind may be missing. Throws UnavailableError with
 * both names and why neither answered. The system's resolver has its own time limit.
 */
export async function discoverEndpoints(domain: string, resolve: ResolveSrv = resolveSrv): Promise<readonly string[]> {
  const failures: string[] = [];
  const found: string[] = [];
  for (const { service, scheme } of SERVICES) {
    const name = `${service}.${domain}`;
    try {
      const records = await resolve(name);
      found.push(...records.map(({ name: host, port }) => `${scheme}://${host.replace(/\.$/, '')}:${port}`));
    } catch (cause) {
      failures.push((cause as Error).message);
    }
  }
  if (found.length > 0) return found;
  throw new UnavailableError(
    `ETCD_DISCOVERY_SRV = '${domain}': names no etcd (${failures.join('; ') || 'no records'})`,
  );
}
