/** Two hosts on one wire, as namespaces: a node for our speaker, a switch for BIRD or FRR. Leaves nothing behind. */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SpeakerSettings } from '../../bird/index.ts';
import { eventually } from './eventually.ts';
import { Conversation, LabProcesses, nodeProgram } from './lab-processes.ts';
import { run } from './netns.ts';
import type { SpeakerCommand, SpeakerStatus } from './speaker-process.ts';

export const NODE_ADDRESS = '10.99.0.1';
export const SWITCH_ADDRESS = '10.99.0.2';
export const NODE_ADDRESS6 = '2001:db8:99::1';
export const SWITCH_ADDRESS6 = '2001:db8:99::2';

export class BgpLab {
  readonly node: string;
  readonly switch: string;
  readonly directory: string;
  readonly #processes = new LabProcesses();

  constructor(name: string) {
    this.node = `cts-${name}-${process.pid}-n`;
    this.switch = `cts-${name}-${process.pid}-s`;
    this.directory = mkdtempSync(join(tmpdir(), 'cts-bgp-'));
    chmodSync(this.directory, 0o755);
    try {
      this.#build();
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  /** Starts a program in a namespace; it ends with the lab at the latest. */
  start(namespace: string, command: string, ...args: readonly string[]): ChildProcess {
    return this.#processes.start(namespace, command, ...args);
  }

  file(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  startBird(config: string, ...args: readonly string[]): ChildProcess {
    return this.start(this.switch, 'bird', '-f', '-c', this.file('bird.conf', config), '-s', this.#birdSocket, ...args);
  }

  birdc(...command: readonly string[]): string {
    return run('birdc', '-s', this.#birdSocket, ...command);
  }

  /** zebra and bgpd in a directory of their own, as the user that Debian's FRR insists on. */
  async startFrr(config: string): Promise<ChildProcess> {
    mkdirSync(this.#frrDirectory, { recursive: true });
    run('chown', 'frr:frr', this.#frrDirectory);
    await this.#startFrrDaemon('zebra', '');
    return this.startBgpd(config);
  }

  /** Once more, beside the zebra that runs. */
  startBgpd(config: string): Promise<ChildProcess> {
    return this.#startFrrDaemon('bgpd', config, '-l', SWITCH_ADDRESS);
  }

  async #startFrrDaemon(daemon: string, config: string, ...more: readonly string[]): Promise<ChildProcess> {
    const directory = this.#frrDirectory;
    const file = join(directory, `${daemon}.conf`);
    writeFileSync(file, config);
    run('chown', 'frr:frr', file);
    rmSync(join(directory, `${daemon}.vty`), { force: true });
    const api = join(directory, 'zserv.api');
    const own = ['-f', file, '-i', join(directory, `${daemon}.pid`), '-z', api, '--vty_socket', directory, '-P', '0'];
    const log = `file:${join(directory, daemon)}.log`;
    const child = this.start(this.switch, `/usr/lib/frr/${daemon}`, ...own, ...more, '--log', log);
    await eventually(() => this.#mustExist(join(directory, `${daemon}.vty`)));
    return child;
  }

  vtysh(...commands: readonly string[]): string {
    const each = commands.flatMap((command) => ['-c', command]);
    return run('vtysh', '--vty_socket', this.#frrDirectory, ...each);
  }

  /** What `ip route` shows of a program's routes. */
  kernelRoutes(namespace: string, protocol: string): readonly string[] {
    return run('ip', '-n', namespace, 'route', 'show', 'proto', protocol).split('\n').filter(Boolean);
  }

  /** The lines that `ip monitor route` writes in a namespace from now on. */
  monitorRoutes(namespace: string): readonly string[] {
    const lines: string[] = [];
    createInterface({ input: this.start(namespace, 'ip', 'monitor', 'route').stdout! }).on('line', (line) =>
      lines.push(line),
    );
    return lines;
  }

  /** `wrapper` comes before the program: `prlimit --nofile=64`. */
  speaker(settings: Partial<SpeakerSettings> = {}, ...wrapper: readonly string[]): Promise<SpeakerHandle> {
    const complete: SpeakerSettings = {
      asn: 64512,
      bgpIdentifier: 0x0a630001,
      listen: [
        { address: NODE_ADDRESS, port: 179 },
        { address: NODE_ADDRESS6, port: 179 },
      ],
      gracefulRestart: { restarting: false, deferralSeconds: 30 },
      ...settings,
    };
    const program = [...wrapper, nodeProgram(), 'test/support/speaker-process.ts', JSON.stringify(complete)] as const;
    return SpeakerHandle.of(this.start(this.node, 'env', ...program));
  }

  async close(): Promise<void> {
    await this.#processes.end();
    this.#remove();
  }

  get #frrDirectory(): string {
    return join(this.directory, 'frr');
  }

  get #birdSocket(): string {
    return join(this.directory, 'bird.ctl');
  }

  #mustExist(path: string): void {
    if (!existsSync(path)) throw new Error(`${path} is not there`);
  }

  #build(): void {
    for (const namespace of [this.node, this.switch]) run('ip', 'netns', 'add', namespace);
    run('ip', 'link', 'add', 'eth0', 'netns', this.node, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.switch);
    const addresses = [
      [this.node, NODE_ADDRESS, NODE_ADDRESS6],
      [this.switch, SWITCH_ADDRESS, SWITCH_ADDRESS6],
    ] as const;
    for (const [namespace, ipv4, ipv6] of addresses) {
      run('ip', '-n', namespace, 'address', 'add', `${ipv4}/24`, 'dev', 'eth0');
      run('ip', '-n', namespace, 'address', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad');
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
      run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
    }
  }

  #remove(): void {
    for (const namespace of [this.node, this.switch]) {
      if (existsSync(`/run/netns/${namespace}`)) run('ip', 'netns', 'delete', namespace);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Our speaker in a process of its own. */
export class SpeakerHandle {
  readonly #child: ChildProcess;
  readonly #conversation: Conversation;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#conversation = new Conversation('the speaker', child);
  }

  /** Resolves when it listens; rejects with what it said on stderr where it does not. */
  static async of(child: ChildProcess): Promise<SpeakerHandle> {
    const handle = new SpeakerHandle(child);
    await handle.#conversation.hear();
    return handle;
  }

  tell(command: SpeakerCommand): Promise<unknown> {
    return this.#conversation.ask(command);
  }

  status(): Promise<SpeakerStatus> {
    return this.tell({ do: 'status' }) as Promise<SpeakerStatus>;
  }

  /** As a host that hangs: it says and hears nothing until `resume`. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** As a crash ends it. */
  kill(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }
}

/** Why a test of real switches cannot run on this machine, or undefined; in CI it must run, and fail if it cannot. */
export function missingForLab(...programs: readonly string[]): string | undefined {
  if (process.env['CI'] !== undefined) return undefined;
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  const absent = programs.filter((path) => !existsSync(path));
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
}
