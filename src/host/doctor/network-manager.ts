/**
 * Whether NetworkManager keeps its hands off our interfaces: its configuration as NetworkManager.conf(5) has it, and what it
 * wrote of each device at run time. No D-Bus, which is not there in a container.
 */
import type { HostReader } from '../reader.ts';
import type { IniSection } from './configuration-files.ts';
import { matchesGlob, mergedFiles, parseIni, processesNamed } from './configuration-files.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { OurLink } from './our-links.ts';
import { nameLinks } from './our-links.ts';

const check = checkOf('NetworkManager');
const WHY = 'it takes our addresses and routes for foreign ones and removes them, or runs DHCP on a pod';
const FIX =
  '/etc/NetworkManager/conf.d/calico.conf with [keyfile] unmanaged-devices=interface-name:cali*;interface-name:tunl0;interface-name:vxlan.calico, then systemctl reload NetworkManager';

export function checkNetworkManager(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const [process] = processesNamed(reader, 'NetworkManager');
  if (process === undefined) return [check.ok('does not run here')];
  const sections = readConfiguration(reader);
  const taken = links.filter(({ index }) => isManagedNow(reader, index));
  if (taken.length > 0) {
    return [
      check.problem(`manages ${nameLinks(taken)}`, {
        ...{ why: WHY, todo: FIX },
        evidence: taken.map(({ index }) => `/run/NetworkManager/devices/${index ?? ''}: managed=true`),
      }),
    ];
  }
  const open = links.filter((link) => !isUnmanaged(sections, link));
  if (open.length === 0) return [check.ok('leaves our interfaces alone', evidence(sections, process))];
  return [
    check.warning(`is not told to leave ${nameLinks(open)} alone`, {
      ...{ why: WHY, todo: FIX, evidence: evidence(sections, process) },
    }),
  ];
}

const evidence = (sections: readonly IniSection[], process: number): readonly string[] => [
  `NetworkManager is process ${process}`,
  `unmanaged-devices: ${unmanagedList(sections).join(';') || 'none'}`,
];

function isManagedNow(reader: HostReader, index: number | undefined): boolean {
  if (index === undefined) return false;
  const state = reader.text(`/run/NetworkManager/devices/${index}`);
  return state !== undefined && /^managed=true$/m.test(state);
}

/** The packages' directory, then the run time's, then the main file, then the administrator's; a name shadows those before. */
function readConfiguration(reader: HostReader): readonly IniSection[] {
  const directories = ['/usr/lib/NetworkManager/conf.d', '/run/NetworkManager/conf.d', '/etc/NetworkManager/conf.d'];
  const files = mergedFiles(reader, directories, '.conf');
  const isOwn = ({ path }: { readonly path: string }): boolean => path.startsWith('/etc/');
  const main = reader.text('/etc/NetworkManager/NetworkManager.conf') ?? '';
  const texts = [...files.filter((file) => !isOwn(file)).map(({ text }) => text), main];
  return [...texts, ...files.filter(isOwn).map(({ text }) => text)].flatMap(parseIni);
}

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

/** `managed` of the first `[device…]` section that matches is stronger than `unmanaged-devices`. */
function isUnmanaged(sections: readonly IniSection[], link: OurLink): boolean {
  for (const { name, entries } of sections.toReversed()) {
    if (!name.startsWith('device')) continue;
    const value = (key: string): string | undefined => entries.findLast(([each]) => each === key)?.[1];
    const [matches, managed] = [value('match-device'), value('managed')];
    if (managed === undefined || (matches !== undefined && !matchesDevice(splitSpecs(matches), link))) continue;
    return ['0', 'no', 'false', 'off'].includes(managed.toLowerCase());
  }
  return matchesDevice(unmanagedList(sections), link);
}

/** "Device List Format": one match is enough, one `except:` is too much. */
function matchesDevice(specs: readonly string[], link: OurLink): boolean {
  const exceptions = specs.filter((spec) => spec.startsWith('except:'));
  if (exceptions.some((spec) => matchesSpec(spec.slice('except:'.length), link))) return false;
  const wanted = specs.filter((spec) => !exceptions.includes(spec));
  return wanted.length === 0 ? exceptions.length > 0 : wanted.some((spec) => matchesSpec(spec, link));
}

function matchesSpec(spec: string, { name, managerType, kind }: OurLink): boolean {
  if (spec === '*') return true;
  const [, tag, value = ''] = /^(interface-name|type|driver):(.*)$/.exec(spec) ?? [];
  if (tag === 'interface-name') {
    return value.startsWith('=') ? value.slice(1) === name : matchesGlob(value.replace(/^~/, ''), name);
  }
  if (tag === 'type') return value === managerType || (kind === 'veth' && value === 'ethernet');
  if (tag === 'driver') return value === kind;
  return matchesGlob(spec, name);
}
