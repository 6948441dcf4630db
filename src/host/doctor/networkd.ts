/**
 * Whether systemd-networkd keeps its hands off our interfaces and routes: the first `.network` file that matches a link
 * is its (systemd.network(5)), and networkd.conf says what becomes of routes that it did not make.
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
const WHY =
  'it removes the addresses and routes that it did not put there, when the link appears and at each of its restarts';

export function checkNetworkd(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const [process] = processesNamed(reader, 'systemd-networkd');
  if (process === undefined) return [check.ok('does not run here')];
  return [...checkMatches(reader, links), ...checkForeignRoutes(reader)];
}

function checkMatches(reader: HostReader, links: readonly OurLink[]): readonly Finding[] {
  const files = mergedFiles(
    reader,
    SYSTEM.map((directory) => `${directory}/network`),
    '.network',
  ).filter(({ text }) => text.trim() !== '');
  const matched = new Map<string, OurLink[]>();
  for (const link of links) {
    const path = managedNow(reader, link) ?? firstMatch(files, link);
    if (path !== undefined) matched.set(path, [...(matched.get(path) ?? []), link]);
  }
  if (matched.size === 0) return [check.ok('no .network file matches our interfaces')];
  return [...matched].map(([path, own]) =>
    check.problem(`${path} matches ${nameLinks(own)}`, {
      why: WHY,
      todo: `a narrower [Match] there, or /etc/systemd/network/00-calico.network with [Match] Name=cali* tunl0 vxlan.calico and [Link] Unmanaged=yes; then networkctl reload`,
      evidence: [`[Match] ${describeMatch(files.find((file) => file.path === path)?.text ?? '')}`],
    }),
  );
}

/** What it says of a link that is there; its word is stronger than our reading of the files. */
function managedNow(reader: HostReader, { index }: OurLink): string | undefined {
  if (index === undefined) return undefined;
  const state = reader.text(`/run/systemd/netif/links/${index}`);
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(state ?? '')?.[1];
  return value('ADMIN_STATE') === 'unmanaged' ? undefined : value('NETWORK_FILE');
}

/** Undefined where none matches, or the first that does leaves the link alone. */
function firstMatch(
  files: readonly { readonly path: string; readonly text: string }[],
  link: OurLink,
): string | undefined {
  for (const { path, text } of files) {
    const sections = parseIni(text);
    if (!matchesLink(sections, link)) continue;
    return isYes(lastOf(sections, 'Link', 'Unmanaged')) ? undefined : path;
  }
  return undefined;
}

const isYes = (value: string | undefined): boolean =>
  value !== undefined && ['yes', 'true', 'on', '1'].includes(value.toLowerCase());

/** Conditions on the host, not on a link; whether they hold we cannot tell, so they do. */
const OF_THE_HOST = ['Host', 'Virtualization', 'KernelCommandLine', 'KernelVersion', 'Architecture', 'Firmware'];

/** Every condition must hold, and there must be one (systemd 243); a MAC or a path is of no link of ours. */
function matchesLink(sections: readonly IniSection[], link: OurLink): boolean {
  const conditions = sections.filter(({ name }) => name === 'Match').flatMap(({ entries }) => entries);
  if (conditions.length === 0) return false;
  return conditions.every(([key, value]) => {
    if (OF_THE_HOST.includes(key)) return true;
    if (key === 'Name') return matchesList(value, link.name);
    if (key === 'Type') return matchesList(value, link.type);
    if (key === 'Kind' || key === 'Driver') return matchesList(value, link.kind);
    return false;
  });
}

/** `eth* !eth0`: names apart by blanks; with a `!` before the first the whole list is turned round. */
function matchesList(value: string, name: string): boolean {
  const isInverse = value.startsWith('!');
  const patterns = value
    .replace(/^!/, '')
    .split(/\s+/)
    .filter((pattern) => pattern !== '');
  return patterns.some((pattern) => matchesGlob(pattern, name)) !== isInverse;
}

function describeMatch(text: string): string {
  const entries = parseIni(text)
    .filter(({ name }) => name === 'Match')
    .flatMap((section) => section.entries);
  return entries.map(([key, value]) => `${key}=${value}`).join(' ');
}

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
    check.warning('removes routes of others from the interfaces that it manages', {
      why: 'when it restarts or an interface comes back, routes to other nodes are gone until the agent puts them back',
      todo: '/etc/systemd/networkd.conf.d/calico.conf with [Network] ManageForeignRoutes=no, then systemctl restart systemd-networkd',
      evidence: [`ManageForeignRoutes=${value ?? 'yes (its default)'}`],
    }),
  ];
}
