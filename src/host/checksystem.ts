/** `calicoctl-ts node checksystem`: whether this host's kernel has what calico-ts needs. Loads nothing. */
import { InvalidValueError } from '../model/invalid.ts';
import { KERNEL_FEATURES, MINIMUM_KERNEL, NAT_KERNEL, isAtLeast } from './kernel-features.ts';
import type { KernelFeature, Purpose } from './kernel-features.ts';
import type { HostReader } from './reader.ts';

export interface FeatureReport {
  readonly name: string;
  /** `unknown`: neither the modules nor the configuration of this kernel can be read here. */
  readonly verdict: 'ok' | 'missing' | 'unknown';
  /** Without it calico-ts cannot do what was asked for. */
  readonly isRequired: boolean;
  /** How we know: `loaded`, `built in`, `loadable: modprobe ipip` … */
  readonly how: string;
  readonly why: string;
  /** What to do where it is missing. */
  readonly todo: string;
}

export interface SystemReport {
  readonly kernel: string;
  /** Where the kernel's configuration was read. */
  readonly configuration?: string;
  readonly features: readonly FeatureReport[];
  /** Nothing that is required is missing. */
  readonly meets: boolean;
}

export interface SystemQuestion {
  /** Beside `base`. */
  readonly purposes: readonly Purpose[];
  /** The kernel's configuration; default /proc/config.gz, or /boot/config-RELEASE, or where the modules are. */
  readonly configPath?: string;
}

/** Throws InvalidValueError where a configuration was named that cannot be read. */
export function checkSystem(reader: HostReader, { purposes, configPath }: SystemQuestion): SystemReport {
  const release = reader.text('/proc/sys/kernel/osrelease')?.trim() ?? 'unknown';
  const config = readConfig(reader, release, configPath);
  const modules = readModules(reader, release);
  const isRequired = (purpose: Purpose | undefined): boolean =>
    purpose === 'base' || (purpose !== undefined && purposes.includes(purpose));
  const features = [
    versionReport(release, isRequired('nat')),
    ...KERNEL_FEATURES.map((feature): FeatureReport => ({
      name: feature.name,
      ...presence(feature, { modules, options: config?.options }),
      isRequired: isRequired(feature.purpose),
      why: feature.why,
      todo: todoOf(feature, { release, options: config?.options }),
    })),
  ];
  return {
    kernel: release,
    ...(config && { configuration: config.path }),
    features,
    meets: !features.some((feature) => feature.isRequired && feature.verdict === 'missing'),
  };
}

function versionReport(release: string, withNat: boolean): FeatureReport {
  const minimum = withNat ? NAT_KERNEL : MINIMUM_KERNEL;
  const isEnough = isAtLeast(release, minimum);
  return {
    name: `kernel ${release}`,
    verdict: isEnough === undefined ? 'unknown' : isEnough ? 'ok' : 'missing',
    isRequired: true,
    how: `${minimum.join('.')} or later is needed`,
    why: withNat ? 'NAT in inet tables of nftables' : 'netlink, and Node.js itself',
    todo: `boot kernel ${minimum.join('.')} or later`,
  };
}

function todoOf(
  { option, instead }: KernelFeature,
  { release, options }: Pick<KernelKnowledge, 'options'> & { readonly release: string },
): string {
  const kernel =
    options?.get(option) === 'm'
      ? `install the modules of kernel ${release}; distributions may have them in a package of their own`
      : `boot a kernel that has ${option}`;
  return instead === undefined ? kernel : `${kernel}, or ${instead}`;
}

interface Modules {
  readonly loaded: ReadonlySet<string>;
  /** Built in or running: it has a directory in /sys/module. */
  readonly known: ReadonlySet<string>;
  readonly builtIn: ReadonlySet<string>;
  readonly loadable: ReadonlySet<string>;
  /** The lists of this kernel's modules are there. */
  readonly isListed: boolean;
}

function readModules(reader: HostReader, release: string): Modules {
  const directory = `/lib/modules/${release}`;
  const builtIn = reader.text(`${directory}/modules.builtin`);
  const dependencies = reader.text(`${directory}/modules.dep`);
  const firstWords = (text: string): readonly string[] => text.split('\n').map((line) => line.split(/[\s:]/)[0] ?? '');
  const files = (text = ''): ReadonlySet<string> => new Set(firstWords(text).map(moduleOfFile));
  return {
    loaded: new Set(firstWords(reader.text('/proc/modules') ?? '')),
    known: new Set(reader.names('/sys/module')),
    builtIn: files(builtIn),
    loadable: files(dependencies),
    isListed: builtIn !== undefined && dependencies !== undefined,
  };
}

/** `kernel/net/ipv4/ipip.ko.xz` is `ipip`; the kernel takes `-` and `_` for the same. */
const moduleOfFile = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');

interface KernelKnowledge {
  readonly modules: Modules;
  readonly options: ReadonlyMap<string, string> | undefined;
}

function presence(feature: KernelFeature, known: KernelKnowledge): Pick<FeatureReport, 'verdict' | 'how'> {
  const { name, option, isModule } = feature;
  const { modules, options } = known;
  const setting = options?.get(option);
  if (isModule) {
    if (modules.loaded.has(name)) return { verdict: 'ok', how: 'loaded' };
    if (modules.builtIn.has(name) || setting === 'y') return { verdict: 'ok', how: 'built in' };
    if (modules.loadable.has(name)) return { verdict: 'ok', how: `loadable: modprobe ${name}` };
    if (modules.known.has(name)) return { verdict: 'ok', how: 'built in' };
    if (setting === 'm' && !modules.isListed) return { verdict: 'ok', how: `${option}=m` };
    if (setting === 'm') return { verdict: 'missing', how: `${option}=m, but it is not installed in /lib/modules` };
  } else if (setting === 'y') return { verdict: 'ok', how: `${option}=y` };
  if (options !== undefined) return { verdict: 'missing', how: `${option} is not set` };
  if (isModule && modules.isListed) return { verdict: 'missing', how: 'no such module in /lib/modules' };
  return { verdict: 'unknown', how: "this kernel's configuration is not here: -f FILE" };
}

interface KernelConfig {
  readonly path: string;
  readonly options: ReadonlyMap<string, string>;
}

function readConfig(reader: HostReader, release: string, given: string | undefined): KernelConfig | undefined {
  const usual = ['/proc/config.gz', `/boot/config-${release}`, `/lib/modules/${release}/config`];
  for (const path of given === undefined ? usual : [given]) {
    const text = reader.text(path);
    if (text === undefined) continue;
    const lines = text.split('\n').map((line) => /^(CONFIG_\w+)=(.*)$/.exec(line));
    const options = new Map(lines.flatMap((found) => (found === null ? [] : [[found[1]!, found[2]!] as const])));
    if (options.size > 0) return { path, options };
  }
  if (given === undefined) return undefined;
  throw new InvalidValueError('--kernel-config', given, 'is not a kernel configuration that can be read here');
}
