/** Where the kernel itself says that it dropped packets: to tell, of a lost ping, who lost it. */
import { readFileSync } from 'node:fs';
import type { TestNetns } from './netns.ts';

/** `a IpExt InNoRoutes` → how often. */
export type DropCounters = ReadonlyMap<string, number>;

const TELLING = /Err|Discard|NoRoute|Unreach|Fail|Drop|Filter|Unknown|Trunc|Redirect|dropped|drops|nohandler/i;

/** Counters of drops and refusals in some namespaces, and of the neighbour tables and queues that all of them share. */
export function countDrops(spaces: ReadonlyMap<string, TestNetns>): DropCounters {
  const counters = new Map<string, number>();
  const note = (where: string, name: string, value: number): void => {
    if (TELLING.test(name)) counters.set(`${where} ${name}`, (counters.get(`${where} ${name}`) ?? 0) + value);
  };
  for (const [where, space] of spaces) {
    const read = (name: string): string => space.run('cat', `/proc/net/${name}`);
    for (const file of ['snmp', 'netstat']) notePairs(read(file), (name, value) => note(where, name, value));
    for (const file of ['raw', 'icmp']) noteSockets(read(file), (drops) => note(where, `${file} sockets drops`, drops));
    for (const link of JSON.parse(space.run('ip', '-j', '-s', 'link')) as readonly LinkCounters[]) {
      for (const way of ['rx', 'tx'] as const) {
        for (const [name, value] of Object.entries(link.stats64[way])) {
          note(where, `${link.ifname} ${way} ${name}`, value);
        }
      }
    }
  }
  noteColumns(readFileSync('/proc/net/stat/arp_cache', 'utf8'), (name, value) => {
    if (name === 'unresolved_discards' || name === 'res_failed') note('neighbours', `${name} dropped`, value);
  });
  for (const line of readFileSync('/proc/net/softnet_stat', 'utf8').trim().split('\n')) {
    note('queues', 'dropped', Number.parseInt(line.split(' ')[1]!, 16));
  }
  return counters;
}

/** What rose between two counts: `a IpExt InNoRoutes +3, ...`; empty where nothing did. */
export const risen = (before: DropCounters, after: DropCounters): string =>
  [...after]
    .map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const)
    .filter(([, more]) => more !== 0)
    .map(([name, more]) => `${name} +${more}`)
    .join(', ');

interface LinkCounters {
  readonly ifname: string;
  readonly stats64: Readonly<Record<'rx' | 'tx', Readonly<Record<string, number>>>>;
}

/** `Ip: A B` over `Ip: 1 2`. */
function notePairs(text: string, note: (name: string, value: number) => void): void {
  const lines = text.trim().split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [group = '', ...names] = lines[i]!.split(' ');
    const [, ...values] = lines[i + 1]!.split(' ');
    for (const [at, name] of names.entries()) note(`${group.slice(0, -1)} ${name}`, Number(values[at]));
  }
}

/** The last column of /proc/net/raw and /proc/net/icmp. */
function noteSockets(text: string, note: (drops: number) => void): void {
  for (const line of text.trim().split('\n').slice(1)) note(Number(line.trim().split(/\s+/).at(-1)));
}

/** Names in the first line, hexadecimal numbers of each processor in those below. */
function noteColumns(text: string, note: (name: string, value: number) => void): void {
  const [names = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  for (const row of rows) for (const [at, name] of names.entries()) note(name, Number.parseInt(row[at]!, 16));
}
