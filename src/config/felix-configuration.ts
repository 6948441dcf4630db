import { parseDuration } from '../model/duration.ts';
import type { Environment } from './datastore.ts';
import { variables } from './variables.ts';

/** One FelixConfiguration as far as it matters here: what messages call it, and its spec. */
export interface FelixSource {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a field of a FelixConfiguration said when it was last sound, as its variable would say it; by `NAME spec.FIELD`. */
export type SoundFields = ReadonlyMap<string, string>;

export interface FelixEnvironment {
  readonly environment: Environment;
  /** Who decided about a variable that the environment does not set: the name of its FelixConfiguration. */
  readonly origins: ReadonlyMap<string, string>;
  /** One sentence for each value of a FelixConfiguration that no setting of ours takes, and what holds in its place. */
  readonly problems: readonly string[];
  /** Which fields these are: `NAME spec.FIELD`. */
  readonly refused: ReadonlySet<string>;
  /** For the next time. */
  readonly sound: SoundFields;
}

const asWritten = (value: unknown): string => String(value);

/** Felix's variables are seconds where its fields are durations. */
const inSeconds = (value: unknown): string => String(parseDuration(String(value)) / 1000);

/** The fields that we have a setting for: its variable, and how that writes what the field holds. */
const FIELDS = {
  routeRefreshInterval: [variables.routeRefreshSeconds, inSeconds],
  ipipMTU: [variables.ipipMtu, asWritten],
  vxlanMTU: [variables.vxlanMtu, asWritten],
  vxlanMTUV6: [variables.vxlanMtuV6, asWritten],
  vxlanVNI: [variables.vxlanVni, asWritten],
  vxlanPort: [variables.vxlanPort, asWritten],
  healthEnabled: [variables.healthEnabled, asWritten],
  healthHost: [variables.healthHost, asWritten],
  healthPort: [variables.healthPort, asWritten],
  prometheusMetricsEnabled: [variables.metricsEnabled, asWritten],
  prometheusMetricsHost: [variables.metricsHost, asWritten],
  prometheusMetricsPort: [variables.metricsPort, asWritten],
  prometheusGoMetricsEnabled: [variables.runtimeMetricsEnabled, asWritten],
  prometheusProcessMetricsEnabled: [variables.processMetricsEnabled, asWritten],
  natPortRange: [variables.natPortRange, asWritten],
  natOutgoingAddress: [variables.natOutgoingAddress, asWritten],
  natOutgoingExclusions: [variables.natOutgoingExclusions, asWritten],
  logSeverityScreen: [variables.logSeverityScreen, asWritten],
} as const;

/** The variable that is stronger than a field of FelixConfiguration, by field. */
export const FELIX_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FIELDS).map(([field, [[variable]]]) => [field, variable]),
);

/** What a FelixConfiguration says about itself, not about Felix. */
const NO_SETTINGS = ['nodeSelector'];

/** Fields that it sets and that nothing here goes by. */
export const inertFields = ({ spec }: FelixSource): readonly string[] =>
  Object.keys(spec).filter((field) => !(field in FIELDS) && !NO_SETTINGS.includes(field));

/**
 * What the agent is told altogether, as one environment: a variable that is set is stronger than every FelixConfiguration, and of
 * those the first that has a field decides about it. `sources`: the strongest first. A value that no setting takes is told; what
 * the same field said before stays, and where it said nothing (`before`), the next that has the field decides.
 */
export function withFelixConfigurations(
  environment: Environment,
  sources: readonly FelixSource[],
  before: SoundFields = new Map(),
): FelixEnvironment {
  const told: Record<string, string | undefined> = { ...environment };
  const origins = new Map<string, string>();
  const problems: string[] = [];
  const refused = new Set<string>();
  const sound = new Map<string, string>();
  for (const [field, [[variable, schema], write]] of Object.entries(FIELDS)) {
    for (const { name, spec } of sources) {
      if (told[variable] !== undefined) break;
      const value = spec[field];
      if (value === undefined || value === '') continue;
      const where = `${name} spec.${field}`;
      const text = write(value);
      const { success, error } = schema.safeParse(text);
      const usable = success ? text : before.get(where);
      if (!success) {
        const why = error.issues.map(({ message }) => message).join('; ');
        refused.add(where);
        problems.push(`${where}: ${why}; ${usable === undefined ? 'it is passed over' : `${usable} stays in force`}`);
      }
      if (usable === undefined) continue;
      told[variable] = usable;
      origins.set(variable, name);
      sound.set(where, usable);
    }
  }
  return { environment: told, origins, problems, refused, sound };
}
