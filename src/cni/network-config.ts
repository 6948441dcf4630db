/** The network configuration that a runtime writes to a plugin's stdin, with Calico's keys. */
import * as z from 'zod';
import { CNI_CODE, CniError } from './errors.ts';

/** Calico has it as text, since its template is; people write it without the quotes. */
const yesOrNo = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: "is neither 'true' nor 'false'",
});

const poolNames = z.array(z.string(), { error: 'is not a list of names or CIDRs of IP pools' });

const ipam = z.looseObject(
  {
    type: z.string({ error: 'is not the name of an IPAM plugin' }).optional(),
    assign_ipv4: yesOrNo.default(true),
    assign_ipv6: yesOrNo.default(false),
    ipv4_pools: poolNames.optional(),
    ipv6_pools: poolNames.optional(),
  },
  { error: 'is not an object' },
);

const networkName = z
  .string({ error: 'is not the name of a network' })
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, "must begin with a letter or digit and have only these, '_', '.' and '-'");

const validAttachments = z.array(
  z.looseObject({ containerID: z.string({ error: 'is not text' }), ifname: z.string({ error: 'is not text' }) }),
  { error: 'is not a list of attachments' },
);

const networkConfig = z.looseObject(
  {
    cniVersion: z.string({ error: 'is not a version' }).optional(),
    name: networkName,
    mtu: z
      .int({ error: 'is not a whole number' })
      .min(0, 'is less than 0')
      .max(65_535, 'is more than 65535')
      .default(0),
    nodename: z.string({ error: 'is not the name of a node' }).optional(),
    ipam: ipam.prefault({}),
    container_settings: z
      .looseObject({ allow_ip_forwarding: yesOrNo.default(false) }, { error: 'is not an object' })
      .prefault({}),
    runtimeConfig: z.record(z.string(), z.unknown(), { error: 'is not an object' }).default({}),
    args: z
      .looseObject({ cni: z.looseObject({ ips: z.unknown().optional() }).optional() }, { error: 'is not an object' })
      .optional(),
    dns: z.looseObject({}, { error: 'is not an object' }).default({}),
    prevResult: z.unknown().optional(),
  },
  { error: 'is not an object' },
);

export type NetworkConfig = z.output<typeof networkConfig>;

/** Calico's own, for a datastore and a policy engine that are the agent's business here. */
const IGNORED: readonly RegExp[] = [
  /^(kubernetes|policy|datastore_type|qps|burst|calico_api_group|nodename_file|nodename_file_optional)$/,
  /^(etcd|log|windows)_/,
  /^(feature_control|dataplane_options|readiness_gates|policy_setup_timeout_seconds|endpoint_status_dir)$/,
  /^(require_mtu_file|ipam_lock_file|num_queues|device_type|mode|include_default_routes)$/,
];

/** Keys of Calico's that are there and change nothing. */
export const ignoredKeys = (config: NetworkConfig): readonly string[] =>
  Object.keys(config).filter((key) => IGNORED.some((pattern) => pattern.test(key)));

/** Throws CniError, decode failure, for what is not a JSON object. */
export function decodeConfig(stdin: Uint8Array): Readonly<Record<string, unknown>> {
  const text = new TextDecoder().decode(stdin);
  const failure = (reason: string): CniError =>
    new CniError(CNI_CODE.decodeFailure, `the network configuration on stdin ${reason}`);
  if (text.trim() === '') throw failure('is empty');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw failure(`is not JSON: ${(error as Error).message}`);
  }
  throw failure('is not a JSON object');
}

/** All that a DEL needs: what else is wrong in a configuration must not keep a pod from going. */
export function readNetwork(json: Readonly<Record<string, unknown>>): string {
  return parsed(networkName, json['name'], ['name']);
}

/** `cni.dev/valid-attachments`; 1.1.0 had another name for it at first, and libcni sets both. Null is libcni's empty list. */
export function readValidAttachments(json: Readonly<Record<string, unknown>>): z.output<typeof validAttachments> {
  const keys = ['cni.dev/valid-attachments', 'cni.dev/attachments'];
  const key = keys.find((each) => json[each] !== undefined) ?? keys[0]!;
  return json[key] === null ? [] : parsed(validAttachments, json[key], [key]);
}

/** Throws CniError, one sentence with the key and the value. */
export function readConfig(json: Readonly<Record<string, unknown>>, node: string): NetworkConfig {
  const config = parsed(networkConfig, json, []);
  refuseUnsupported(config);
  if (config.nodename !== undefined && config.nodename !== '' && config.nodename !== node) {
    throw invalid('nodename', config.nodename, `this node is ${node}`);
  }
  if (!config.ipam.assign_ipv4 && !config.ipam.assign_ipv6) {
    throw invalid('ipam.assign_ipv4', false, 'and without assign_ipv6 a pod would have no address');
  }
  return config;
}

/** What asks for something that a pod would have to go without. */
function refuseUnsupported({ ipam: { type, subnet }, runtimeConfig: { mac, ipRanges } }: NetworkConfig): void {
  if (type !== undefined && type !== 'calico-ipam') {
    throw unsupported('ipam.type', type, 'addresses come from the IP pools: calico-ipam');
  }
  if (subnet !== undefined) {
    throw unsupported('ipam.subnet', subnet, 'addresses come from the IP pools: ipam.ipv4_pools and ipam.ipv6_pools');
  }
  if (mac !== undefined && mac !== '')
    throw unsupported('runtimeConfig.mac', mac, 'the kernel chooses the MAC address');
  if (Array.isArray(ipRanges) && ipRanges.length > 0) {
    throw unsupported('runtimeConfig.ipRanges', ipRanges, 'addresses come from the IP pools');
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const unsupported = (key: string, value: unknown, reason: string): CniError =>
  new CniError(CNI_CODE.unsupportedField, `${key} = '${shown(value)}': is not supported; ${reason}`);

const invalid = (key: string, value: unknown, reason: string): CniError =>
  new CniError(
    CNI_CODE.invalidConfig,
    value === undefined ? `${key} is missing` : `${key} = '${shown(value)}': ${reason}`,
  );

/** `at`: where the value stands in the configuration. */
function parsed<T>(schema: z.ZodType<T>, value: unknown, at: readonly string[]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid([...at, ...issue!.path].join('.'), memberAt(value, issue!.path), issue!.message);
}

const memberAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null ? (at as Readonly<Record<PropertyKey, unknown>>)[part] : undefined,
    value,
  );
