import { parseDuration } from '../model/duration.ts';
import type { Environment } from './datastore.ts';
import { variables } from './variables.ts';

/** One FelixConfiguration as far as it matters here: what messages call it, and its spec. */
export interface FelixSource {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface FelixEnvironment {
  readonly environment: Environment;
  /** One sentence for each value of a FelixConfiguration that is passed over because no setting of ours takes it. */
  readonly problems: readonly string[];
}

const asWritten = (value: unknown): string => String(value);

/** Felix's variables are seconds where its fields are durations. */
const inSeconds = (value: unknown): string => String(parseDuration(String(value)) / 1000);

/** The fields that we have a setting for: its variable, and how that writes what the field holds. */
const FIELDS = {
  routeRefreshInterval: [variables.routeRefreshSeconds, inSeconds],
  ipipMTU: [variables.ipipMtu, asWritten],
  vxlanMTU: [variables.vxlanMtu, asWritten],
  vxlanVNI: [variables.vxlanVni, asWritten],
  vxlanPort: [variables.vxlanPort, asWritten],
  healthEnabled: [variables.healthEnabled, asWritten],
  healthHost: [variables.healthHost, asWritten],
  healthPort: [variables.healthPort, asWritten],
  natPortRange: [variables.natPortRange, asWritten],
  natOutgoingAddress: [variables.natOutgoingAddress, asWritten],
  natOutgoingExclusions: [variables.natOutgoingExclusions, asWritten],
} as const;

/** The variable that is stronger than a field of FelixConfiguration, by field. */
export const FELIX_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FIELDS).map(([field, [[variable]]]) => [field, variable]),
);

/**
 * What the agent is told altogether, as one environment for `loadSettings`: a variable that is set is stronger than every
 * FelixConfiguration, and of those the first that has a field decides about it. `sources`: the strongest first.
 */
export function withFelixConfigurations(environment: Environment, sources: readonly FelixSource[]): FelixEnvironment {
  const told: Record<string, string | undefined> = { ...environment };
  const problems: string[] = [];
  for (const [field, [[variable, schema], write]] of Object.entries(FIELDS)) {
    for (const { name, spec } of sources) {
      if (told[variable] !== undefined) break;
      const value = spec[field];
      if (value === undefined || value === '') continue;
      const text = write(value);
      const { success, error } = schema.safeParse(text);
      if (success) told[variable] = text;
      else problems.push(`${name} spec.${field}: ${error.issues.map(({ message }) => message).join('; ')}`);
    }
  }
  return { environment: told, problems };
}
