/** The network's configuration as the runtime reads it: ours, or a template of the operator with Calico's placeholders. */
import { InvalidValueError } from '../../model/invalid.ts';

/** What the conflist names us by, and the file in the plugins' directory. */
export const PLUGIN_TYPE = 'calico-cni-ts';

export interface ConflistSettings {
  /** Where the template came from, for the sentence where it is wrong. */
  readonly templateFrom: string;
  /** Absent: ours. */
  readonly template?: string;
  /** The plugins after ours in our own conflist. */
  readonly chained: readonly ChainedPlugin[];
  readonly socket: string;
  /** Placeholders and what they become: `__CNI_MTU__`. */
  readonly values: ReadonlyMap<string, string>;
}

export interface Conflist {
  /** The `type` of each plugin, in order. */
  readonly types: readonly string[];
  /** `knows`: which versions of CNI a plugin says it knows, by its type. */
  text(knows: (type: string) => readonly string[]): string;
}

const CHAINABLE = {
  portmap: { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  bandwidth: { type: 'bandwidth', capabilities: { bandwidth: true } },
} as const;

export type ChainedPlugin = keyof typeof CHAINABLE;
export const isChainable = (name: string): name is ChainedPlugin => Object.hasOwn(CHAINABLE, name);
export const CHAINABLE_NAMES = Object.keys(CHAINABLE);

/** 1.0.0 and not the newest: a runtime must know a version to use it, and containerd 1.6 knows no later one. */
const CNI_VERSION = '1.0.0';
/** With it a runtime calls GC and STATUS. libcni 1.2 picks the newest of `cniVersions`, an older one does not read them. */
const WITH_GC = '1.1.0';

/** Throws InvalidValueError where the template is no conflist with our plugin first among those that make an interface. */
export function makeConflist(settings: ConflistSettings): Conflist {
  const { template, templateFrom, values } = settings;
  if (template === undefined) {
    return {
      types: [PLUGIN_TYPE, ...settings.chained],
      text: (knows) => {
        const isKnown = settings.chained.every((type) => knows(type).includes(WITH_GC));
        return `${JSON.stringify(ownConflist(settings, isKnown), null, 2)}\n`;
      },
    };
  }
  const text = substituted(template, templateFrom, values);
  return { types: ownTypes(text, templateFrom), text: () => (text.endsWith('\n') ? text : `${text}\n`) };
}

const ownConflist = ({ chained, socket, values }: ConflistSettings, isGcKnown: boolean) => ({
  name: 'k8s-pod-network',
  cniVersion: CNI_VERSION,
  ...(isGcKnown && { cniVersions: [CNI_VERSION, WITH_GC] }),
  plugins: [
    {
      type: PLUGIN_TYPE,
      socket,
      mtu: Number(values.get('__CNI_MTU__') ?? 0),
      capabilities: { 'io.kubernetes.cri.pod-annotations': true },
    },
    ...chained.map((name) => CHAINABLE[name]),
  ],
});

function substituted(template: string, from: string, values: ReadonlyMap<string, string>): string {
  return template.replaceAll(/__[A-Z0-9_]*[A-Z0-9]__/g, (placeholder) => {
    const value = values.get(placeholder);
    if (value === undefined) throw new InvalidValueError(from, placeholder, 'is a placeholder that nothing stands for');
    // Within a string of JSON, where most of them are; a number has nothing to escape.
    return JSON.stringify(value).slice(1, -1);
  });
}

/** Throws InvalidValueError where none of them is ours. */
function ownTypes(text: string, from: string): readonly string[] {
  const types = conflistTypes(text, from);
  if (types.includes(PLUGIN_TYPE)) return types;
  throw new InvalidValueError(from, types.join(', '), `none of its plugins is ${PLUGIN_TYPE}`);
}

/** The `type` of each plugin, in order; throws InvalidValueError, which names `from`, where the text is no conflist. */
export function conflistTypes(text: string, from: string): readonly string[] {
  const parsed = parseJson(text, from);
  const { name, plugins } = isObject(parsed) ? parsed : {};
  if (typeof name !== 'string' || name === '') throw new InvalidValueError(from, name, 'a conflist has a name');
  if (!Array.isArray(plugins)) throw new InvalidValueError(from, plugins, 'a conflist has a list of plugins');
  const types = plugins.map((plugin: unknown) => (isObject(plugin) ? plugin['type'] : undefined));
  const wrong = types.findIndex((type) => typeof type !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(type));
  if (wrong >= 0)
    throw new InvalidValueError(`${from} plugins[${wrong}].type`, types[wrong], 'is not the name of a file');
  return types as readonly string[];
}

function parseJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidValueError(from, text.slice(0, 60), `is not JSON: ${(error as Error).message}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
