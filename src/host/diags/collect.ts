/** `calicoctl-ts node diags`: what somebody else needs to see of a node to find out what is wrong with it. */
import type { AgentClient } from '../../api/client.ts';
import type { PeerStatus } from '../../api/contract.ts';
import type { HostReader } from '../reader.ts';
import { describeSettingsFile, describeVariables, withoutUrlSecrets } from './secrets.ts';
import type { ArchiveFile } from './tar.ts';

export interface DiagsPorts {
  readonly reader: HostReader;
  readonly agent: Pick<AgentClient, 'get'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the kernel tells through netlink, by name: links, addresses, routes, rules. */
  readonly kernel: Readonly<Record<string, () => Promise<unknown>>>;
}

export interface Diags {
  readonly files: readonly ArchiveFile[];
  /** What could not be had, and why: a sentence each. */
  readonly missing: readonly string[];
}

/** Of each log the end alone, which tells what is wrong now. */
const MAX_LOG_CHARACTERS = 4 * 1024 * 1024;

/** Agent's answers that need no argument. */
const ANSWERS = ['status', 'routes', 'bgp/tables', 'bgp/peers', 'bgp/routes', 'bgp/advertised'] as const;

const HOST_FILES = [
  '/etc/os-release',
  '/proc/version',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/modules',
  ...['arp', 'dev', 'fib_trie', 'if_inet6', 'ipv6_route', 'netstat', 'route', 'snmp', 'snmp6'].map(
    (name) => `/proc/self/net/${name}`,
  ),
];

/** Of these directories every interface is read, or they are files themselves. */
const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv4/ip_local_port_range',
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_count',
];
const INTERFACE_SYSCTLS: Readonly<Record<string, readonly string[]>> = {
  'net/ipv4/conf': ['forwarding', 'rp_filter', 'proxy_arp', 'accept_local', 'arp_ignore'],
  'net/ipv6/conf': ['forwarding', 'disable_ipv6', 'accept_ra', 'proxy_ndp'],
};

const SETTINGS_DIRECTORIES = ['/etc/calico', '/etc/cni/net.d'];

/** Asks everything, one after the other; what fails is noted, and stops nothing. */
export async function collectDiags(ports: DiagsPorts, logDirectory: string): Promise<Diags> {
  const files: ArchiveFile[] = [];
  const missing: string[] = [];
  const keep = (path: string, text: string): void => void files.push({ path: path.replaceAll(':', '_'), text });
  const ask = async <T>(path: string, question: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await question();
      keep(path, `${JSON.stringify(answer, undefined, 2)}\n`);
      return answer;
    } catch (error) {
      missing.push(`${path}: ${(error as Error).message}`);
      return undefined;
    }
  };
  for (const name of ANSWERS) await ask(`agent/${name}.json`, () => ports.agent.get(`/v1/${name}`));
  const status = await ports.agent
    .get<{ readonly bgp: { readonly peers: readonly PeerStatus[] }; readonly pid?: number }>('/v1/status')
    .catch(() => undefined);
  for (const { address } of status?.bgp.peers ?? []) {
    const path = `/v1/bgp/peers/${encodeURIComponent(address)}`;
    await ask(`agent/bgp/peers/${address}.json`, () => ports.agent.get(path));
    await ask(`agent/bgp/peers/${address}-explain.json`, () => ports.agent.get(`${path}/explain`));
  }
  for (const [name, question] of Object.entries(ports.kernel)) await ask(`kernel/${name}.json`, question);
  for (const { path, text } of hostFiles(ports.reader, missing)) keep(path, text);
  keep('host/sysctls.txt', sysctls(ports.reader));
  keep('settings/environment-of-calicoctl-ts.txt', describeVariables(ports.env));
  agentEnvironment(ports.reader, status?.pid, { keep, missing });
  for (const { path, text } of settingsFiles(ports.reader)) keep(path, text);
  logs(ports.reader, logDirectory, { keep, missing });
  return { files, missing };
}

function* hostFiles(reader: HostReader, missing: string[]): Generator<ArchiveFile> {
  for (const path of HOST_FILES) {
    const text = reader.text(path);
    if (text === undefined) missing.push(`${path}: is not there, or may not be read`);
    else yield { path: `host${path}`, text };
  }
}

function sysctls(reader: HostReader): string {
  const perInterface = Object.entries(INTERFACE_SYSCTLS).flatMap(([directory, names]) =>
    reader.names(`/proc/sys/${directory}`).flatMap((link) => names.map((name) => `${directory}/${link}/${name}`)),
  );
  return [...SYSCTLS, ...perInterface]
    .map((path) => `${path} = ${reader.text(`/proc/sys/${path}`)?.trim() ?? '(not there)'}\n`)
    .join('');
}

interface Notes {
  readonly keep: (path: string, text: string) => void;
  readonly missing: string[];
}

/** What the agent was started with; only its own user and root may see it. */

function agentEnvironment(reader: HostReader, pid: number | undefined, { keep, missing }: Notes): void {
  if (pid === undefined) return;
  const text = reader.text(`/proc/${pid}/environ`);
  if (text === undefined) {
    missing.push(`settings of the agent: /proc/${pid}/environ may not be read; root may`);
    return;
  }
  const pairs = text
    .split('\0')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  keep('settings/environment-of-the-agent.txt', describeVariables(Object.fromEntries(pairs)));
}

function* settingsFiles(reader: HostReader): Generator<ArchiveFile> {
  for (const directory of SETTINGS_DIRECTORIES) {
    for (const name of reader.names(directory)) {
      const text = /\.(cfg|conf|conflist|ya?ml|json|env)$/.test(name) ? reader.text(`${directory}/${name}`) : undefined;
      if (text !== undefined) yield { path: `settings${directory}/${name}`, text: describeSettingsFile(text) };
    }
  }
}

function logs(reader: HostReader, directory: string, { keep, missing }: Notes): void {
  const names = reader.names(directory);
  if (names.length === 0)
    missing.push(
      `logs: there are none in ${directory}; where the agent logs to its standard output, ask journalctl or the container's runtime`,
    );
  for (const name of names) {
    const text = reader.text(`${directory}/${name}`);
    if (text !== undefined) keep(`logs/${name}`, withoutUrlSecrets(text.slice(-MAX_LOG_CHARACTERS)));
  }
}
