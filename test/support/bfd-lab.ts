/**
 * A node for our BFD, a far host for BIRD or FRR, and between them a middle that can be cut: eth0 of both through a bridge
 * (one link), eth1 of both through a router (multihop). All are namespaces; leaves nothing behind.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BfdCommand, BfdStatus } from './bfd-process.ts';
import { eventually } from './eventually.ts';
import { Conversation, LabProcesses, nodeProgram } from './lab-processes.ts';
import { run } from './netns.ts';

export const NODE = { link: '10.97.0.1', link6: '2001:db8:97::1', linkLocal: 'fe80::97:1', routed: '10.98.1.1' };
export const FAR = { link: '10.97.0.2', link6: '2001:db8:97::2', linkLocal: 'fe80::97:2', routed: '10.98.2.1' };

type Place = 'node' | 'middle' | 'far';

export class BfdLab {
  readonly directory: string;
  readonly #prefix: string;
  readonly #processes = new LabProcesses();

  constructor(name: string) {
    this.#prefix = `ctsbfd-${name}-${process.pid}`;
    this.directory = mkdtempSync(join(tmpdir(), 'cts-bfd-'));
    chmodSync(this.directory, 0o755);
    try {
      this.#build();
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  namespace(place: Place): string {
    return `${this.#prefix}-${place.charAt(0)}`;
  }

  ip(place: Place, ...args: readonly string[]): void {
    run('ip', '-n', this.namespace(place), ...args);
  }

  start(place: Place, command: string, ...args: readonly string[]): ChildProcess {
    return this.#processes.start(this.namespace(place), command, ...args);
  }

  /** Neither end sees its own link go down. */
  cut(): void {
    this.ip('middle', 'link', 'set', 'f0', 'nomaster');
  }

  mend(): void {
    this.ip('middle', 'link', 'set', 'f0', 'master', 'br0');
  }

  bfd({ place = 'node', module = 'bird/bfd/index.ts' }: BfdPlace = {}): Promise<BfdHandle> {
    return BfdHandle.of(this.start(place, nodeProgram(), 'test/support/bfd-process.ts', module));
  }

  startBird(config: string): ChildProcess {
    const path = join(this.directory, 'bird.conf');
    writeFileSync(path, config);
    return this.start('far', 'bird', '-f', '-c', path, '-s', this.#birdSocket);
  }

  birdc(...command: readonly string[]): string {
    return run('birdc', '-s', this.#birdSocket, ...command);
  }

  /** The row of a neighbor in `show bfd sessions`: interface, state, since, interval, timeout. */
  birdSession(neighbor: string): readonly string[] {
    const row = this.birdc('show', 'bfd', 'sessions')
      .split('\n')
      .find((line) => line.startsWith(`${neighbor} `));
    return row?.split(/\s+/).slice(1) ?? [];
  }

  /** zebra and bfdd, as the user that Debian's FRR insists on. */
  async startFrr(config: string): Promise<void> {
    const directory = join(this.directory, 'frr');
    mkdirSync(directory);
    run('chown', 'frr:frr', directory);
    for (const daemon of ['zebra', 'bfdd']) {
      const file = join(directory, `${daemon}.conf`);
      writeFileSync(file, daemon === 'bfdd' ? config : '');
      run('chown', 'frr:frr', file);
      const api = ['-z', join(directory, 'zserv.api'), '--vty_socket', directory, '-P', '0'];
      const control = daemon === 'bfdd' ? ['--bfdctl', join(directory, 'bfdd.sock')] : [];
      const own = ['-f', file, '-i', join(directory, `${daemon}.pid`), '--log', `file:${join(directory, daemon)}.log`];
      this.start('far', `/usr/lib/frr/${daemon}`, ...own, ...api, ...control);
      await eventually(() => {
        if (!existsSync(join(directory, `${daemon}.vty`))) throw new Error(`${daemon} does not answer`);
      });
    }
  }

  /** One command after another, in one shell. */
  vtysh(...commands: readonly string[]): string {
    const words = commands.flatMap((command) => ['-c', command]);
    return run('vtysh', '--vty_socket', join(this.directory, 'frr'), ...words);
  }

  frrPeers(): readonly FrrPeer[] {
    return JSON.parse(this.vtysh('show bfd peers json')) as readonly FrrPeer[];
  }

  killFrr(daemon: 'bfdd'): void {
    process.kill(Number(readFileSync(join(this.directory, 'frr', `${daemon}.pid`), 'utf8')), 'SIGKILL');
  }

  /** A new interface in the place of one that is gone, with another index. */
  plugIn(place: 'node' | 'far', number: '0' | '1'): void {
    this.#wire(place, number);
    if (number === '0') this.ip('middle', 'link', 'set', `${place.charAt(0)}0`, 'master', 'br0');
    this.#addresses(place);
  }

  async close(): Promise<void> {
    await this.#processes.end();
    this.#remove();
  }

  get #birdSocket(): string {
    return join(this.directory, 'bird.ctl');
  }

  #build(): void {
    for (const place of ['node', 'middle', 'far'] as const) run('ip', 'netns', 'add', this.namespace(place));
    for (const place of ['node', 'far'] as const) {
      for (const number of ['0', '1'] as const) this.#wire(place, number);
    }
    this.ip('middle', 'link', 'add', 'br0', 'type', 'bridge');
    this.ip('middle', 'link', 'set', 'br0', 'up');
    for (const port of ['n0', 'f0']) this.ip('middle', 'link', 'set', port, 'master', 'br0');
    this.ip('middle', 'address', 'add', '10.98.1.254/24', 'dev', 'n1');
    this.ip('middle', 'address', 'add', '10.98.2.254/24', 'dev', 'f1');
    run('ip', 'netns', 'exec', this.namespace('middle'), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const place of ['node', 'far'] as const) {
      this.ip(place, 'link', 'set', 'lo', 'up');
      this.#addresses(place);
    }
  }

  #wire(place: 'node' | 'far', number: '0' | '1'): void {
    const link = `eth${number}`;
    const port = `${place.charAt(0)}${number}`;
    const peer = ['peer', 'name', port, 'netns', this.namespace('middle')];
    run('ip', 'link', 'add', link, 'netns', this.namespace(place), 'type', 'veth', ...peer);
    this.ip('middle', 'link', 'set', port, 'up');
    this.ip(place, 'link', 'set', link, 'addrgenmode', 'none');
    this.ip(place, 'link', 'set', link, 'up');
  }

  #addresses(place: 'node' | 'far'): void {
    const [own, gateway] = place === 'node' ? [NODE, '10.98.1.254'] : [FAR, '10.98.2.254'];
    this.ip(place, 'address', 'replace', `${own.link}/24`, 'dev', 'eth0');
    this.ip(place, 'address', 'replace', `${own.link6}/64`, 'dev', 'eth0', 'nodad');
    this.ip(place, 'address', 'replace', `${own.linkLocal}/64`, 'dev', 'eth0', 'nodad');
    this.ip(place, 'address', 'replace', `${own.routed}/24`, 'dev', 'eth1');
    this.ip(place, 'route', 'replace', '10.98.0.0/16', 'via', gateway);
  }

  #remove(): void {
    for (const place of ['node', 'middle', 'far'] as const) {
      const namespace = this.namespace(place);
      if (existsSync(`/run/netns/${namespace}`)) run('ip', 'netns', 'delete', namespace);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface BfdPlace {
  readonly place?: 'node' | 'far';
  /** What to run: the sources or a bundle. */
  readonly module?: string;
}

export interface FrrPeer {
  readonly peer: string;
  readonly status: string;
  readonly diagnostic: string;
  readonly 'remote-diagnostic': string;
  readonly 'transmit-interval': number;
  readonly 'remote-receive-interval': number;
  readonly 'remote-transmit-interval': number;
}

/** Our BFD in a process of its own. */
export class BfdHandle {
  readonly #child: ChildProcess;
  readonly #conversation: Conversation;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#conversation = new Conversation('our BFD', child);
  }

  static async of(child: ChildProcess): Promise<BfdHandle> {
    const handle = new BfdHandle(child);
    await handle.#conversation.hear();
    return handle;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  tell(command: BfdCommand): Promise<unknown> {
    return this.#conversation.ask(command);
  }

  status(): Promise<BfdStatus> {
    return this.tell({ do: 'status' }) as Promise<BfdStatus>;
  }

  /** Resolves when the process is gone, with its exit code or what killed it. */
  exited(): Promise<number | NodeJS.Signals | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return Promise.resolve(exitCode ?? signalCode);
    return new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(code ?? signal)));
  }

  /** The process ends without a word. */
  exit(): void {
    this.#conversation.say({ do: 'exit' } satisfies BfdCommand);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
