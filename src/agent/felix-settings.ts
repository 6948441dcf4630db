import type { SettingReport } from '../config/settings-report.ts';
import { reportSettings } from '../config/settings-report.ts';
import type { Environment } from '../config/datastore.ts';
import { withFelixConfigurations } from '../config/felix-configuration.ts';
import type { FelixEnvironment, FelixSource } from '../config/felix-configuration.ts';
import { readRuntimeSettings } from '../config/settings.ts';
import type { RuntimeSettings } from '../config/settings.ts';
import { felixConfigurationsOf, resourceKey } from '../resources/index.ts';
import type { FelixConfiguration, ResourceView } from '../resources/index.ts';

export interface SettingsOutcome {
  readonly settings: RuntimeSettings;
  /** One sentence for each setting that changed: `FELIX_IPINIPMTU is 1400 (FelixConfiguration(default)), was 0 (default)`. */
  readonly changes: readonly string[];
  readonly problems: readonly string[];
}

/**
 * What the environment and the FelixConfigurations of one node come to, followed over time: of a configuration that became
 * unreadable, and of a field that became unusable, what was said before stays.
 */
export class FelixSettings {
  readonly #told: Environment;
  readonly #node: string;
  #readable: ReadonlyMap<string, FelixConfiguration> = new Map();
  #sources: readonly FelixSource[] = [];
  #merged: FelixEnvironment;
  #problems: readonly string[] = [];

  constructor(node: string, told: Environment) {
    this.#node = node;
    this.#told = told;
    this.#merged = withFelixConfigurations(told, []);
  }

  update({ resources, unreadable }: ResourceView): SettingsOutcome {
    const before = this.report();
    const lost: string[] = [];
    const readable = new Map(resources.FelixConfiguration);
    for (const { key, reason } of unreadable) {
      const name = nameOfKey(key);
      if (name === undefined) continue;
      const last = this.#readable.get(name);
      if (last !== undefined) readable.set(name, last);
      lost.push(
        `FelixConfiguration(${name}): ${reason}; ${last === undefined ? 'it is passed over' : 'what it said before stays in force'}`,
      );
    }
    this.#readable = readable;
    const labels = resources.Node.get(this.#node)?.metadata.labels ?? {};
    this.#sources = felixConfigurationsOf({ name: this.#node, labels }, readable).map(({ metadata, spec }) => ({
      ...{ name: `FelixConfiguration(${metadata.name})`, spec: { ...spec } },
    }));
    this.#merged = withFelixConfigurations(this.#told, this.#sources, this.#merged.sound);
    this.#problems = [...lost, ...this.#merged.problems];
    return {
      settings: readRuntimeSettings(this.#merged.environment),
      changes: changesBetween(before, this.report()),
      problems: this.#problems,
    };
  }

  problems(): readonly string[] {
    return this.#problems;
  }

  report(): readonly SettingReport[] {
    return reportSettings(this.#told, this.#sources, this.#merged);
  }
}

const KEY_PREFIX = resourceKey('FelixConfiguration', '');

const nameOfKey = (key: string): string | undefined =>
  key.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : undefined;

function changesBetween(before: readonly SettingReport[], after: readonly SettingReport[]): readonly string[] {
  const was = new Map(before.map((each) => [each.name, each]));
  return after.flatMap(({ name, value, origin, note }) => {
    const old = was.get(name);
    if (old === undefined) return [`${name} is ${value} (${origin})${note === undefined ? '' : `: ${note}`}`];
    return old.value === value ? [] : [`${name} is ${value} (${origin}), was ${old.value} (${old.origin})`];
  });
}
