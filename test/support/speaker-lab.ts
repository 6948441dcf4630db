/**
 * Hosts, each a namespace, on one LAN: `calico-node-ts speaker` on one of them, foreign daemons on the others, routers and
 * more wires where a test wants them. `close` ends every process and removes everything, whatever happened before.
 *
 *     const lab = new SpeakerLab('md5', ['ours', 'bird']);
 *     const { ours, bird } = { ours: lab.host('ours'), bird: lab.host('bird') };
 *     await lab.startDaemon('bird', birdDaemon, `… neighbor ${ours.ipv4} as 64512; …`);
 *     const speaker = await lab.startSpeaker('ours', { asn: 64512, peers: [{ address: bird.ipv4, asn: 65001 }] });
 *     await speaker.established(bird.ipv4);
 *     expect(await speaker.prefixes()).toEqual(['10.50.0.0/16']);
 *
 * The daemons are those of test/capture/daemons; their `control` is birdc, vtysh, gobgp and so on.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Daemon } from '../capture/daemon.ts';
import type { DaemonHost } from '../capture/lab.ts';
import { eventually } from './eventually.ts';
import { LabSpeaker } from './lab-speaker.ts';
import type { LabSpeakerFile } from './lab-speaker.ts';
import { makeNetns, run } from './netns.ts';
import type { TestNetns } from './netns.ts';

export { LabSpeaker } from './lab-speaker.ts';

/** One end of a wire. */
export interface WireEnd {
  readonly device: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** With its link: `fe80::1%eth0`, as a peer's address on the other end but for the name of the link there. */
  readonly linkLocal: string;
}

/** A host; its own end is that on the LAN, at `eth0`. */
export interface SpeakerLabHost extends WireEnd {
  readonly netns: TestNetns;
  /** A command on it; throws with its stderr where it fails. */
  run(command: string, ...args: readonly string[]): string;
}

/** A daemon that runs in the lab. */
export interface LabDaemon {
  /** One line for its own command line (birdc, vtysh, gobgp, bgpctl; a line of its API for ExaBGP). */
  control(line: string): string;
  /** What it printed. */
  output(): string;
  /** As a crash ends it. */
  kill(): Promise<void>;
}

const LAN = { ipv4: '10.98.0', ipv6: '2001:db8:98:' } as const;

export class SpeakerLab {
  readonly directory: string;
  readonly #name: string;
  readonly #hosts = new Map<string, SpeakerLabHost>();
  readonly #made: TestNetns[] = [];
  readonly #undo: (() => void)[] = [];
  #lan: TestNetns | undefined;
  #wires = 0;

  /** `name` is short, its own among all tests; `hosts` are on the LAN, with .1, .2 … in this order. */
  constructor(name: string, hosts: readonly string[]) {
    this.#name = `sl-${process.pid}-${name}`;
    this.directory = mkdtempSync(join(tmpdir(), `sl-${name}-`));
    chmodSync(this.directory, 0o755);
    try {
      this.#lan = this.#namespace('lan');
      this.#lan.run('ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
      this.#lan.run('ip', 'link', 'set', 'br0', 'up');
      for (const host of hosts) this.#addToLan(host);
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  host(name: string): SpeakerLabHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`the lab has no host ${name}`);
    return host;
  }

  /** Takes a host off the LAN; no host sees a link go down. */
  cut(host: string): void {
    this.#lan!.run('ip', 'link', 'set', this.#portOf(host), 'nomaster');
  }

  /** After `cut`. */
  mend(host: string): void {
    this.#lan!.run('ip', 'link', 'set', this.#portOf(host), 'master', 'br0');
  }

  /** A host that forwards, and is on no wire yet. */
  addRouter(name: string): void {
    const netns = this.#namespace(name);
    for (const family of ['ipv4.ip_forward', 'ipv6.conf.all.forwarding']) netns.run('sysctl', '-qw', `net.${family}=1`);
    this.#hosts.set(name, hostOf(netns, { device: '', ipv4: '', ipv6: '', linkLocal: '' }));
  }

  /**
   * One more wire between two hosts, with subnets of its own: 10.98.N.1 and .2, 2001:db8:98:N::1 and ::2. Routes are the
   * test's: `lab.host('a').run('ip', 'route', 'add', …)`.
   */
  link(left: string, right: string): { readonly left: WireEnd; readonly right: WireEnd } {
    const wire = ++this.#wires;
    const [a, b] = [this.host(left).netns, this.host(right).netns];
    const ends = [endOf(wire, 1, `w${wire}`), endOf(wire, 2, `w${wire}`)] as const;
    run(
      'ip',
      'link',
      'add',
      `w${wire}`,
      'netns',
      a.name,
      ...['type', 'veth', 'peer', 'name', `w${wire}`],
      'netns',
      b.name,
    );
    raise(a, ends[0]);
    raise(b, ends[1]);
    return { left: ends[0], right: ends[1] };
  }

  /**
   * Our speaker, started from the sources (CALICO_TS_BUNDLE=1: from dist). Its file is `file`, with waits of a second,
   * and the host's address as BGP Identifier, where `file` does not say otherwise. Resolves when its API answers.
   */
  startSpeaker(host: string, file: LabSpeakerFile): Promise<LabSpeaker> {
    const { netns, ipv4 } = this.host(host);
    const directory = this.#directoryOf(host);
    return LabSpeaker.start(netns, { directory, file: { bgpIdentifier: ipv4, ...file } });
  }

  /** A foreign daemon, with its own configuration text; one of each kind on a host. */
  async startDaemon(host: string, daemon: Daemon, config: string): Promise<LabDaemon> {
    const { netns } = this.host(host);
    const on = this.#daemonHost(host, netns);
    await daemon.start(on, config);
    return {
      control: (line) => daemon.control(on, line),
      output: () => on.output(),
      kill: () => endAll(netns),
    };
  }

  /** Any other program on a host; it ends with the lab at the latest. */
  start(host: string, command: string, ...args: readonly string[]): ChildProcess {
    return startIn(this.host(host).netns, [command, ...args]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#made.map(endAll));
    this.#remove();
  }

  #daemonHost(name: string, netns: TestNetns): DaemonHost {
    const directory = this.#directoryOf(name);
    let printed = '';
    return {
      directory,
      startDaemon: (command, ...args) => {
        const child = startIn(netns, [command, ...args]);
        for (const stream of [child.stdout, child.stderr]) {
          stream?.on('data', (chunk: Buffer) => {
            printed += chunk.toString();
            appendFileSync(join(directory, 'output'), chunk);
          });
        }
        return child;
      },
      file: (file, text) => {
        writeFileSync(join(directory, file), text);
        return join(directory, file);
      },
      run: netns.run,
      output: () => printed,
      onClose: (undo) => void this.#undo.push(undo),
    };
  }

  #directoryOf(host: string): string {
    const directory = join(this.directory, host);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  #namespace(host: string): TestNetns {
    const netns = makeNetns(`${this.#name}-${host}`);
    this.#made.push(netns);
    netns.run('ip', 'link', 'set', 'lo', 'up');
    return netns;
  }

  /** Of the bridge, towards the host. */
  #portOf(host: string): string {
    return `p${this.host(host).ipv4.split('.')[3]}`;
  }

  #addToLan(name: string): void {
    const netns = this.#namespace(name);
    const place = this.#hosts.size + 1;
    const port = `p${place}`;
    const peer = ['type', 'veth', 'peer', 'name', port, 'netns', this.#lan!.name];
    run('ip', 'link', 'add', 'eth0', 'netns', netns.name, ...peer);
    this.#lan!.run('ip', 'link', 'set', port, 'master', 'br0', 'up');
    const end = endOf(0, place, 'eth0');
    raise(netns, end);
    this.#hosts.set(name, hostOf(netns, end));
  }

  #remove(): void {
    for (const netns of this.#made.splice(0)) netns.remove();
    for (const undo of this.#undo.splice(0)) undo();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const hostOf = (netns: TestNetns, end: WireEnd): SpeakerLabHost => ({ ...end, netns, run: netns.run });

function endOf(wire: number, place: number, device: string): WireEnd {
  return {
    device,
    ipv4: `${LAN.ipv4.replace(/0$/, String(wire))}.${place}`,
    ipv6: wire === 0 ? `2001:db8:98::${place}` : `${LAN.ipv6}${wire}::${place}`,
    linkLocal: `fe80::${place}%${device}`,
  };
}

/** Up, with addresses that hold at once: no duplicate address detection, and a link-local address that tests can name. */
function raise(netns: TestNetns, { device, ipv4, ipv6, linkLocal }: WireEnd): void {
  netns.run('sysctl', '-qw', `net.ipv6.conf.${device}.addr_gen_mode=1`);
  netns.run('ip', 'address', 'add', `${ipv4}/24`, 'dev', device);
  netns.run('ip', 'link', 'set', device, 'up');
  for (const address of [ipv6, linkLocal.split('%')[0]!]) {
    netns.run('ip', 'address', 'add', `${address}/64`, 'dev', device, 'nodad');
  }
}

/** The process itself: `ip netns exec` becomes it. */
function startIn(netns: TestNetns, command: readonly string[]): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', netns.name, ...command], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  return child;
}

/** All processes of a namespace are the lab's: it is. Some daemons fork, so the children that we know are not all. */
async function endAll({ name }: TestNetns): Promise<void> {
  await eventually(() => {
    const pids = existsSync(`/run/netns/${name}`) ? run('ip', 'netns', 'pids', name).split('\n').filter(Boolean) : [];
    for (const pid of pids) kill(Number(pid));
    if (pids.length > 0) throw new Error(`${name} still has processes`);
  }, 5000);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
