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
  /** Who says something else and is not heard, what cannot be used, or that nothing comes of it. */
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
  { environment, origins, refused }: Pick<FelixEnvironment, 'environment' | 'origins' | 'refused'>,
): readonly SettingReport[] {
  const settings = Object.values(variables).map(([name, , whenUnset = '']): SettingReport => {
    const field = FIELD_OF.get(name);
    const origin = told[name] === undefined ? (origins.get(name) ?? 'default') : 'environment';
    const notes = field === undefined ? [] : notesOn(field, { origin, sources, refused });
    return {
      name,
      ...(field !== undefined && { field }),
      value: environment[name] ?? whenUnset,
      origin,
      ...(notes.length > 0 && { note: notes.join('; ') }),
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

interface Decided extends Pick<FelixEnvironment, 'refused'> {
  readonly origin: string;
  readonly sources: readonly FelixSource[];
}

/** Of all that have the field but for what is in force: what is weaker, and what no setting takes. */
function notesOn(field: string, { origin, sources, refused }: Decided): readonly string[] {
  const having = sources.filter(({ spec }) => spec[field] !== undefined && spec[field] !== '');
  const isRefused = ({ name }: FelixSource): boolean => refused.has(`${name} spec.${field}`);
  const said = ({ name, spec }: FelixSource): string => `${asText(spec[field])} of ${name}`;
  const weaker = having.filter((source) => source.name !== origin && !isRefused(source)).map(said);
  return [
    ...having.filter(isRefused).map((source) => `${said(source)} cannot be used`),
    ...(weaker.length > 0 ? [`stronger than ${weaker.join(' and ')}`] : []),
  ];
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
