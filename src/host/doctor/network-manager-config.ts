/**
 * What NetworkManager is told of devices: NetworkManager.conf(5), and the udev rules beside it. Held against NetworkManager 1.42
 * itself (`--print-config`, `nmcli device`), for its manual leaves some of it open.
 */
import type { HostReader } from '../reader.ts';
import type { IniSection } from './configuration-files.ts';
import { parseIni, processesNamed } from './configuration-files.ts';
import type { OurLink } from './our-links.ts';

export interface ManagerConfig {
  readonly unmanagedDevices: readonly string[];
  /** The strongest first. */
  readonly deviceSections: readonly IniSection[];
}

/** The packages' directory, then the run time's, then the main file, then the administrator's; each sorted by itself. */
export function readManagerConfig(reader: HostReader): ManagerConfig {
  const [lib, run, etc] = ['/usr/lib', '/run', '/etc'].map((root) => `${root}/NetworkManager/conf.d`) as [
    ...[string, string, string],
  ];
  const files = [
    ...configFiles(reader, lib, [run, etc]),
    ...configFiles(reader, run, [etc]),
    '/etc/NetworkManager/NetworkManager.conf',
    ...configFiles(reader, etc, []),
  ].map((path) => parseIni(reader.text(path) ?? ''));
  return {
    unmanagedDevices: unmanagedList(files.flat()),
    // A later file is stronger; within one, the section that comes first.
    deviceSections: files.toReversed().flatMap((sections) => sections.filter(({ name }) => name.startsWith('device'))),
  };
}

/** Without those that a file of the same name in a stronger directory stands in for. */
const configFiles = (reader: HostReader, directory: string, stronger: readonly string[]): readonly string[] =>
  reader
    .names(directory)
    .filter((name) => name.endsWith('.conf') && !stronger.some((other) => reader.names(other).includes(name)))
    .map((name) => `${directory}/${name}`);

/** A later `unmanaged-devices` replaces an earlier one, `+=` adds to it and `-=` takes from it. */
function unmanagedList(sections: readonly IniSection[]): readonly string[] {
  let list: readonly string[] = [];
  for (const { name, entries } of sections) {
    if (name !== 'keyfile') continue;
    for (const [key, value] of entries) {
      const specs = splitSpecs(value);
      if (key === 'unmanaged-devices') list = specs;
      else if (key === 'unmanaged-devices+') list = [...list, ...specs];
      else if (key === 'unmanaged-devices-') list = list.filter((spec) => !specs.includes(spec));
    }
  }
  return list;
}

const splitSpecs = (value: string): readonly string[] =>
  value
    .split(/[;,]/)
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');

/** What `unmanaged-devices` names nothing can make managed; `managed` of a `[device]` section is stronger than udev. */
export function isToldToLeave(config: ManagerConfig, reader: HostReader, link: OurLink): boolean {
  if (matchesDevice(config.unmanagedDevices, link)) return true;
  return managedOf(config.deviceSections, link) ?? leftByUdev(reader, link);
}

/** True: told to leave it; undefined: no section says anything. */
function managedOf(sections: readonly IniSection[], link: OurLink): boolean | undefined {
  for (const { entries } of sections) {
    const value = (key: string): string | undefined => entries.findLast(([each]) => each === key)?.[1];
    const matches = value('match-device');
    if (matches !== undefined && !matchesDevice(splitSpecs(matches), link)) continue;
    const managed = value('managed');
    if (managed !== undefined) return !isTrue(managed);
    if (isTrue(value('stop-match'))) return undefined;
  }
  return undefined;
}

const isTrue = (value: string | undefined): boolean =>
  value !== undefined && ['1', 'yes', 'true', 'on'].includes(value.toLowerCase());

/** "Device List Format": one match is enough, one `except:` is too much. */
function matchesDevice(specs: readonly string[], link: OurLink): boolean {
  const exceptions = specs.filter((spec) => spec.startsWith('except:'));
  if (exceptions.some((spec) => matchesSpec(spec.slice('except:'.length), link))) return false;
  const wanted = specs.filter((spec) => !exceptions.includes(spec));
  return wanted.length === 0 ? exceptions.length > 0 : wanted.some((spec) => matchesSpec(spec, link));
}

/** Only after `interface-name:` there are patterns, of `*` and `?`. */
function matchesSpec(spec: string, { name, managerType, kind }: OurLink): boolean {
  if (spec === '*') return true;
  const [, tag, value = ''] = /^(interface-name|type|driver):(.*)$/.exec(spec) ?? [];
  if (tag === 'interface-name') {
    if (value.startsWith('=')) return value.slice(1) === name;
    return matchesSimpleGlob(value.replace(/^~/, ''), name);
  }
  if (tag === 'type') return value === managerType;
  if (tag === 'driver') return value === kind;
  return spec === name;
}

function matchesSimpleGlob(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

const RULES = '85-nm-unmanaged.rules';
/** The stronger first. */
const RULE_DIRECTORIES = ['/etc', '/run', '/usr/lib', '/lib'].map((root) => `${root}/udev/rules.d`);

/** NetworkManager's own rules mark veths; what udev said of a link that is there counts, and the rules for one to come. */
function leftByUdev(reader: HostReader, { index, kind }: OurLink): boolean {
  if (index !== undefined) return /^E:NM_UNMANAGED=1$/m.test(reader.text(`/run/udev/data/n${index}`) ?? '');
  const runs = ['systemd-udevd', 'udevd'].some((name) => processesNamed(reader, name).length > 0);
  const rules = RULE_DIRECTORIES.map((directory) => reader.text(`${directory}/${RULES}`)).find(Boolean) ?? '';
  const isMarked = rules
    .split('\n')
    .some((line) => !line.startsWith('#') && line.includes(`"${kind}"`) && /NM_UNMANAGED\}="1"/.test(line));
  return runs && isMarked;
}
