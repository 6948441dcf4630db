/**
 * Whether systemd-networkd keeps its hands off our interfaces and routes: the first `.network` file that matches a link
 * is its (systemd.network(5)), and networkd.conf says what becomes of routes that it did not make. Held against systemd 252 itself.
 */
import type { HostReader } from '../reader.ts';
import type { IniSection } from './configuration-files.ts';
import { lastOf, matchesGlob, mergedFiles, parseIni, processesNamed } from './configuration-files.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { OurLink } from './our-links.ts';
import { nameLinks } from './our-links.ts';

const check = checkOf('systemd-networkd');
const SYSTEM = ['/usr/lib/systemd', '/usr/local/lib/systemd', '/run/systemd', '/etc/systemd'];
const ANEW =
  'whenever it configures an interface anew (networkctl reconfigure, a reload after a change, in some versions a restart)';
const WHY = `${ANEW} it removes the addresses and routes that it did not put there`;

export function checkNetworkd(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const [process] = processesNamed(reader, 'systemd-networkd');
  if (process === undefined) return [check.ok('does not run here')];
  return [...checkMatches(reader, links), ...checkForeignRoutes(reader)];
}

function checkMatches(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const files = networkFiles(reader);
  const matched = new Map<string, OurLink[]>();
  for (const link of links) {
    const state = runtimeState(reader, link);
    const path = state === undefined ? firstMatch(files, link) : state.path;
    if (path !== undefined) matched.set(path, [...(matched.get(path) ?? []), link]);
  }
  if (matched.size === 0) return [check.ok('no .network file matches our interfaces')];
  return [...matched].map(([path, own]) =>
    check.problem(`${path} matches ${nameLinks(own)}`, {
      why: WHY,
      todo: 'write /etc/systemd/network/00-calico.network with [Match] Name=cali* tunl0 vxlan.calico vxlan-v6.calico and [Link] Unmanaged=yes, or a narrower [Match] there; then networkctl reload',
      evidence: [`[Match] ${describeMatch(files.find((file) => file.path === path)?.sections ?? [])}`],
    }),
  );
}

interface NetworkFile {
  readonly path: string;
  /** Its own, then those of its drop-ins (`NAME.network.d/*.conf`). */
  readonly sections: readonly IniSection[];
}

/** Empty ones, and links to /dev/null, switch off those of the same name. */
function networkFiles(reader: HostReader): readonly NetworkFile[] {
  const directories = SYSTEM.map((directory) => `${directory}/network`);
  return mergedFiles(reader, directories, '.network')
    .filter(({ text }) => text.trim() !== '')
    .map(({ path, text }) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const additions = mergedFiles(
        reader,
        directories.map((directory) => `${directory}/${name}.d`),
        '.conf',
      );
      return { path, sections: [text, ...additions.map((addition) => addition.text)].flatMap(parseIni) };
    });
}

/** What it says of a link that is there, which counts more than our reading of the files; `path`: of the file that it goes by. */
function runtimeState(reader: HostReader, { index }: OurLink): { readonly path: string | undefined } | undefined {
  const state = index === undefined ? undefined : reader.text(`/run/systemd/netif/links/${index}`);
  if (state === undefined) return undefined;
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(state)?.[1];
  return { path: value('ADMIN_STATE') === 'unmanaged' ? undefined : value('NETWORK_FILE') };
}

/** Undefined where none matches, or the first that does leaves the link alone. */
function firstMatch(files: readonly NetworkFile[], link: OurLink): string | undefined {
  const first = files.find(({ sections }) => matchesLink(sections, link));
  return first === undefined || isYes(lastOf(first.sections, 'Link', 'Unmanaged')) ? undefined : first.path;
}

const isYes = (value: string | undefined): boolean =>
  value !== undefined && ['yes', 'true', 'on', '1'].includes(value.toLowerCase());

/** Conditions on the host, not on a link; whether they hold we cannot tell, so they do. */
const OF_THE_HOST = ['Host', 'Virtualization', 'KernelCommandLine', 'KernelVersion', 'Architecture', 'Firmware'];

/** Every condition must hold, and there must be one (systemd 243); a MAC or a path is of no link of ours. */
function matchesLink(sections: readonly IniSection[], link: OurLink): boolean {
  const conditions = matchConditions(sections);
  if (conditions.size === 0) return false;
  return [...conditions].every(([key, patterns]) => {
    if (OF_THE_HOST.includes(key)) return true;
    if (key === 'Name') return matchesList(patterns, link.name);
    if (key === 'Type') return matchesList(patterns, link.type);
    if (key === 'Kind' || key === 'Driver') return matchesList(patterns, link.kind);
    return false;
  });
}

/** By key: a second `Name=` adds to the first, an empty one begins anew; a `!` before the first word is before all of its line. */
function matchConditions(sections: readonly IniSection[]): ReadonlyMap<string, readonly string[]> {
  const conditions = new Map<string, readonly string[]>();
  for (const [key, value] of sections.filter(({ name }) => name === 'Match').flatMap(({ entries }) => entries)) {
    const words = value.split(/\s+/).filter((word) => word !== '');
    const patterns = value.startsWith('!') ? words.map((word) => `!${word.replace(/^!/, '')}`) : words;
    if (patterns.length === 0) conditions.delete(key);
    else conditions.set(key, [...(conditions.get(key) ?? []), ...patterns]);
  }
  return conditions;
}

/** One `!` that matches is too much; of the others one is enough, and where there are none nothing more is asked. */
function matchesList(patterns: readonly string[], name: string): boolean {
  const [not, wanted] = [true, false].map((isNot) => patterns.filter((pattern) => pattern.startsWith('!') === isNot));
  if (not!.some((pattern) => matchesGlob(pattern.slice(1), name))) return false;
  return wanted!.length === 0 || wanted!.some((pattern) => matchesGlob(pattern, name));
}

const describeMatch = (sections: readonly IniSection[]): string =>
  sections
    .filter(({ name }) => name === 'Match')
    .flatMap(({ entries }) => entries)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');

function checkForeignRoutes(reader: HostReader): readonly Finding[] {
  const main = SYSTEM.toReversed()
    .map((directory) => reader.text(`${directory}/networkd.conf`))
    .find((text) => text !== undefined);
  const additions = mergedFiles(
    reader,
    SYSTEM.map((directory) => `${directory}/networkd.conf.d`),
    '.conf',
  );
  const sections = [main ?? '', ...additions.map(({ text }) => text)].flatMap(parseIni);
  const value = lastOf(sections, 'Network', 'ManageForeignRoutes');
  if (value !== undefined && !isYes(value)) return [check.ok('leaves routes of others alone')];
  return [
    check.warning('removes routes of others', {
      why: `${ANEW} the routes over it to other nodes, and the blackholes of our blocks, are gone until the agent puts them back`,
      todo: 'write /etc/systemd/networkd.conf.d/calico.conf with [Network] ManageForeignRoutes=no, then systemctl restart systemd-networkd',
      evidence: [`ManageForeignRoutes=${value ?? 'yes (its default)'}`],
    }),
  ];
}
