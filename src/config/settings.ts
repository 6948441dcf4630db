import * as z from 'zod';
import type { StoreSettings } from '../datastore/open.ts';
import { formatPrefix } from '../model/ip.ts';
import type { IpAddress, Prefix } from '../model/ip.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { DATASTORE_VARIABLES, datastoreSettings } from './datastore.ts';
import type { Environment } from './datastore.ts';
import type { DetectionMethod } from './detection-method.ts';
import { misspelled } from './misspelled.ts';
import { SettingsError } from './settings-error.ts';
import { variables } from './variables.ts';
import type { IpSetting, NatExclusions, PoolMode, PortRange } from './variables.ts';

export { SettingsError } from './settings-error.ts';

/** What a FelixConfiguration may change while the agent runs. */
export interface RuntimeSettings {
  /** Absent: neither /liveness nor /readiness over TCP. */
  readonly health?: { readonly host: string; readonly port: number };
  /** Absent: no /metrics. */
  readonly metrics?: MetricsSettings;
  /** Of all that the agent logs but for bird's. */
  readonly logThreshold: LogLevel;
  readonly felix: {
    readonly resyncSeconds: number;
    readonly ipipMtu: number;
    readonly vxlanMtu: number;
    readonly vxlanMtuV6: number;
    readonly vxlanVni: number;
    readonly vxlanPort: number;
    readonly nat: {
      readonly exclusions: NatExclusions;
      /** Absent: any that is free. */
      readonly portRange?: PortRange;
      /** Absent: that of the interface. */
      readonly address?: IpAddress;
    };
    readonly adoptCalicoRoutes: boolean;
  };
}

export interface MetricsSettings {
  /** Absent: on every address of this host. */
  readonly host?: string;
  readonly port: number;
  /** Of the process: processor time, memory, files. */
  readonly process: boolean;
  /** Of the runtime, which is Node here and Go in Felix: its heap and its event loop. */
  readonly runtime: boolean;
}

/** What the agent was told at its start, whole and checked. */
export interface AgentSettings extends RuntimeSettings {
  /** The variables that are set, as they are written; the datastore's are not among them. */
  readonly told: Environment;
  readonly nodeName: string | undefined;
  readonly ip: IpSetting;
  readonly ipDetection: DetectionMethod;
  /** With IP or IP6 `autodetect`: how often the address is looked for again. */
  readonly detectionPollSeconds: number;
  readonly ip6: IpSetting;
  readonly ip6Detection: DetectionMethod;
  readonly asn?: number;
  readonly routerId?: IpAddress | 'hash';
  /** Absent: no default pool is made. */
  readonly defaultPool?: DefaultPoolSettings;
  readonly datastore: StoreSettings;
  readonly waitForDatastore: boolean;
  readonly runDirectory: string;
  readonly socketMode: number;
  /** Plugin and conflist of CNI are put in place and kept there. */
  readonly installCni: boolean;
  readonly nodeNameFile: string;
  /** Absent: info, and bird's as BGPConfiguration says. */
  readonly logLevel?: LogLevel;
  readonly bgp: {
    readonly holdSeconds: number;
    readonly deferralSeconds: number;
    /** Holds NAME/KEY for each entry of a Secret. Absent: there are no passwords. */
    readonly passwordDirectory?: string;
  };
  /** Peers that are down make the node unready, as with calico-node's `--bird-ready`. */
  readonly birdReady: boolean;
  /** For so long an address must look leaked before it is given back; 0: never. */
  readonly leakGraceMs: number;
}

export interface DefaultPoolSettings {
  /** Absent: 192.168.0.0/16, or the first of 172.16.0.0/16 … where that holds an address of this host. */
  readonly cidr?: Prefix;
  readonly ipipMode: PoolMode;
  readonly vxlanMode: PoolMode;
  readonly blockSize: number;
  readonly nodeSelector: string;
  readonly natOutgoing: boolean;
  readonly disableBgpExport: boolean;
}

const DEFAULT_BLOCK_SIZE = 26;

const schema = z.object(Object.fromEntries(Object.values(variables)) as Record<string, z.ZodType>);

const KNOWN: readonly string[] = [...Object.values(variables).map(([name]) => name), ...DATASTORE_VARIABLES];

type Values = { readonly [K in keyof typeof variables]?: z.output<(typeof variables)[K][1]> };

/** Reads and checks the whole environment; throws SettingsError with every fault in it. */
export function loadSettings(env: Environment): AgentSettings {
  const parsed = schema.safeParse(env);
  const faults = [
    ...misspelled(env, KNOWN),
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => issue.message)),
  ];
  let datastore: StoreSettings | undefined;
  try {
    datastore = datastoreSettings(env);
  } catch (error) {
    faults.push((error as Error).message);
  }
  const values = named(parsed.data ?? {});
  faults.push(...contradictions(values));
  if (faults.length > 0 || datastore === undefined) throw new SettingsError(faults.join('\n'));
  return Object.freeze({ ...withDefaults(values, datastore), told: toldOf(env) });
}

/** Of an environment that `loadSettings` has taken, or that was made of one: see `withFelixConfigurations`. */
export function readRuntimeSettings(env: Environment): RuntimeSettings {
  return runtimeSettings(named(schema.parse(env)));
}

const toldOf = (env: Environment): Environment =>
  Object.fromEntries(
    Object.values(variables).flatMap(([name]) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );

function named(parsed: Readonly<Record<string, unknown>>): Values {
  const entries = Object.entries(variables).map(([name, [variable]]) => [name, parsed[variable]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function contradictions(values: Values): readonly string[] {
  const faults: string[] = [];
  if (values.noDefaultPools === true && values.poolCidr !== undefined && values.poolCidr !== 'none') {
    faults.push('NO_DEFAULT_POOLS and CALICO_IPV4POOL_CIDR are both set: only one of them can hold');
  }
  if ((values.poolIpip ?? 'Never') !== 'Never' && (values.poolVxlan ?? 'Never') !== 'Never') {
    faults.push(
      `CALICO_IPV4POOL_IPIP = '${String(values.poolIpip)}' and CALICO_IPV4POOL_VXLAN = '${String(values.poolVxlan)}': a pool is encapsulated by one of them only`,
    );
  }
  const { poolCidr, poolBlockSize = DEFAULT_BLOCK_SIZE } = values;
  if (poolCidr !== undefined && poolCidr !== 'none' && poolCidr.length > poolBlockSize) {
    faults.push(
      `CALICO_IPV4POOL_CIDR = '${formatPrefix(poolCidr)}' and CALICO_IPV4POOL_BLOCK_SIZE = '${poolBlockSize}': the pool is smaller than one block`,
    );
  }
  return faults;
}

function withDefaults(values: Values, datastore: StoreSettings): Omit<AgentSettings, 'told'> {
  const runDirectory = values.runDirectory ?? '/var/run/calico';
  return {
    nodeName: values.nodeName ?? values.hostName?.toLowerCase(),
    ip: values.ip ?? { kind: 'keep' },
    ipDetection: values.ipDetection ?? { kind: 'first-found' },
    detectionPollSeconds: values.detectionPollSeconds ?? 60,
    ip6: values.ip6 ?? { kind: 'keep' },
    ip6Detection: values.ip6Detection ?? { kind: 'first-found' },
    ...(values.asn === undefined ? {} : { asn: values.asn }),
    ...(values.routerId === undefined ? {} : { routerId: values.routerId }),
    ...defaultPool(values),
    datastore,
    waitForDatastore: values.waitForDatastore ?? false,
    runDirectory,
    socketMode: values.socketMode ?? 0o660,
    installCni: values.installCni ?? false,
    nodeNameFile: values.nodeNameFile ?? '/var/lib/calico/nodename',
    ...(values.logLevel === undefined ? {} : { logLevel: values.logLevel }),
    // 240 s is what Calico's BIRD offers; its own restart wait is longer, but holds up new routes as long.
    bgp: {
      holdSeconds: values.holdSeconds ?? 240,
      deferralSeconds: values.deferralSeconds ?? 30,
      ...(values.passwordDirectory === undefined ? {} : { passwordDirectory: values.passwordDirectory }),
    },
    birdReady: values.birdReady ?? false,
    leakGraceMs: values.leakGraceMs ?? 900_000,
    ...runtimeSettings(values),
  };
}

function runtimeSettings(values: Values): RuntimeSettings {
  return {
    ...(values.healthEnabled === true && {
      health: { host: values.healthHost ?? 'localhost', port: values.healthPort ?? 9099 },
    }),
    ...(values.metricsEnabled === true && { metrics: metricsSettings(values) }),
    logThreshold: values.logLevel ?? values.logSeverityScreen ?? 'info',
    felix: {
      resyncSeconds: values.routeRefreshSeconds ?? 90,
      ipipMtu: values.ipipMtu ?? 0,
      vxlanMtu: values.vxlanMtu ?? 0,
      vxlanMtuV6: values.vxlanMtuV6 ?? 0,
      vxlanVni: values.vxlanVni ?? 4096,
      vxlanPort: values.vxlanPort ?? 4789,
      nat: {
        exclusions: values.natOutgoingExclusions ?? 'IPPoolsOnly',
        ...(values.natPortRange !== undefined && { portRange: values.natPortRange }),
        ...(values.natOutgoingAddress !== undefined && { address: values.natOutgoingAddress }),
      },
      adoptCalicoRoutes: values.adoptCalicoRoutes ?? false,
    },
  };
}

function metricsSettings(values: Values): MetricsSettings {
  return {
    ...(values.metricsHost !== undefined && { host: values.metricsHost }),
    port: values.metricsPort ?? 9091,
    process: values.processMetricsEnabled ?? true,
    runtime: values.runtimeMetricsEnabled ?? true,
  };
}

function defaultPool(values: Values): { readonly defaultPool?: DefaultPoolSettings } {
  if (values.noDefaultPools === true || values.poolCidr === 'none') return {};
  return {
    defaultPool: {
      ...(values.poolCidr === undefined ? {} : { cidr: values.poolCidr }),
      ipipMode: values.poolIpip ?? 'Never',
      vxlanMode: values.poolVxlan ?? 'Never',
      blockSize: values.poolBlockSize ?? DEFAULT_BLOCK_SIZE,
      nodeSelector: values.poolNodeSelector ?? 'all()',
      // Calico's startup has it so for IPv4; of its IPv6 pool, which we do not make, it is false. An IPPool that says nothing has false, too.
      natOutgoing: values.poolNatOutgoing ?? true,
      disableBgpExport: values.poolDisableBgpExport ?? false,
    },
  };
}
