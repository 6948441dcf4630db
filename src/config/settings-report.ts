import type { FelixEnvironment, FelixSource } from './felix-configuration.ts';
import { FELIX_VARIABLES, inertFields } from './felix-configuration.ts';
import type { Environment } from './datastore.ts';
import { variables } from './variables.ts';

/** One setting: what holds, and who said so. */
export interface SettingReport {
  /** The variable; of a field that nothing goes by the field's name. */
  readonly name: string;
  /** Of FelixConfiguration, where it has one for it. */
  readonly field?: string;
  /** As it would be written; empty where nothing is said and no value stands for that. */
  readonly value: string;
  /** `environment`, `FelixConfiguration(node.a)`, `default` */
  readonly origin: string;
  /** Who says something else and is not heard, or why nothing comes of it. */
  readonly note?: string;
}

const FIELD_OF = new Map(Object.entries(FELIX_VARIABLES).map(([field, variable]) => [variable, field]));

/**
 * Every setting of the agent, with where its value comes from. `told`: the environment alone; `sources`: the FelixConfigurations of
 * the node, the strongest first, and `merged` what came of both.
 */
export function reportSettings(
  told: Environment,
  sources: readonly FelixSource[],
  { environment, origins }: Pick<FelixEnvironment, 'environment' | 'origins'>,
): readonly SettingReport[] {
  const settings = Object.values(variables).map(([name, , whenUnset = '']): SettingReport => {
    const field = FIELD_OF.get(name);
    const origin = told[name] === undefined ? (origins.get(name) ?? 'default') : 'environment';
    const unheard = field === undefined ? [] : unheardSources(field, origin, sources);
    return {
      name,
      ...(field !== undefined && { field }),
      value: environment[name] ?? whenUnset,
      origin,
      ...(unheard.length > 0 && { note: `stronger than ${unheard.join(' and ')}` }),
    };
  });
  const inert = sources.flatMap((source) =>
    inertFields(source).map((field) => ({
      ...{ name: field, field, value: asText(source.spec[field]), origin: source.name },
      note: 'kept, but nothing goes by it',
    })),
  );
  return [...settings, ...inert];
}

/** `FelixConfiguration(default), 1400`: all that have the field but for the one that decided, who may be the environment. */
function unheardSources(field: string, origin: string, sources: readonly FelixSource[]): readonly string[] {
  const decided = sources.findIndex(({ name }) => name === origin);
  return sources
    .slice(decided + 1)
    .filter(({ spec }) => spec[field] !== undefined && spec[field] !== '')
    .map(({ name, spec }) => `${asText(spec[field])} of ${name}`);
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
