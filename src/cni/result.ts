/** What ADD prints, in each version's own shape, and the same read back (`prevResult`). CNI specification, "Result types". */
import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { parseInterfaceAddress } from '../model/ip.ts';
import { CNI_CODE, CniError } from './errors.ts';
import type { CniVersion } from './versions.ts';
import { isAtLeast } from './versions.ts';

const resultInterface = z.looseObject({
  name: z.string(),
  mac: z.string().optional(),
  /** 1.1.0, as are socketPath and pciID. */
  mtu: z.number().optional(),
  /** The path of the network namespace; absent or empty on the host. */
  sandbox: z.string().optional(),
  socketPath: z.string().optional(),
  pciID: z.string().optional(),
});

const resultIp = z.looseObject({
  /** `10.48.0.1/32` */
  address: z.string(),
  gateway: z.string().optional(),
  /** Which of `interfaces` has it. */
  interface: z.int().nullable().optional(),
});

const resultRoute = z.looseObject({ dst: z.string(), gw: z.string().optional() });

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullable()
    .optional()
    .transform((list) => list ?? []);

const result = z.looseObject({
  interfaces: listOf(resultInterface),
  ips: listOf(resultIp),
  routes: listOf(resultRoute),
  dns: z.looseObject({}).nullable().optional(),
});

export type ResultInterface = z.output<typeof resultInterface>;
export type ResultIp = z.output<typeof resultIp>;
export type ResultRoute = z.output<typeof resultRoute>;

export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Readonly<Record<string, unknown>>;
}

/** Throws CniError, invalid configuration, with the place in it. */
export function readPrevResult(value: unknown): CniResult {
  const parsed = result.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CniError(CNI_CODE.invalidConfig, `${['prevResult', ...issue!.path].join('.')}: ${issue!.message}`);
  }
  const { interfaces, ips, routes, dns } = parsed.data;
  for (const [i, { address }] of ips.entries()) checkAddress(address, i);
  return { interfaces, ips, routes, dns: dns ?? {} };
}

function checkAddress(address: string, i: number): void {
  try {
    parseInterfaceAddress(address, `prevResult.ips.${i}.address`);
  } catch (error) {
    if (error instanceof InvalidValueError) throw new CniError(CNI_CODE.invalidConfig, error.message);
    throw error;
  }
}

/** What an earlier plugin of the chain made comes first; what we made is counted on from there. */
export function appended(before: CniResult | undefined, own: CniResult): CniResult {
  if (before === undefined) return own;
  const offset = before.interfaces.length;
  const ips = own.ips.map((ip) =>
    typeof ip.interface === 'number' ? { ...ip, interface: ip.interface + offset } : ip,
  );
  return {
    interfaces: [...before.interfaces, ...own.interfaces],
    ips: [...before.ips, ...ips],
    routes: [...before.routes, ...own.routes],
    dns: Object.keys(own.dns).length > 0 ? own.dns : before.dns,
  };
}

/** In interfaces and routes. */
const NEW_IN_1_1: ReadonlySet<string> = new Set(['mtu', 'socketPath', 'pciID', 'advmss', 'priority', 'table', 'scope']);

const without = (keys: ReadonlySet<string>, value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.has(key)));

const withFamily = (ip: ResultIp): object => ({ version: ip.address.includes(':') ? '6' : '4', ...ip });

/** Of an address; 1.0.0 took it out, since the address tells. */
const GONE_IN_1_0: ReadonlySet<string> = new Set(['version']);

export function formatResult({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): string {
  const hasNews = isAtLeast(version, '1.1.0');
  return JSON.stringify({
    cniVersion: version,
    interfaces: hasNews ? interfaces : interfaces.map((each) => without(NEW_IN_1_1, each)),
    ips: ips.map((ip) => (isAtLeast(version, '1.0.0') ? without(GONE_IN_1_0, ip) : withFamily(ip))),
    routes: hasNews ? routes : routes.map((route) => without(NEW_IN_1_1, route)),
    dns,
  });
}
