/**
 * A node for our BFD, a far host for BIRD or FRR, and between them a middle that can be cut: eth0 of both through a bridge
 * (one link), eth1 of both through a router (multihop). All are namespaces; leaves nothing behind.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BfdCommand, BfdStatus } from './bfd-process.ts';
import { eventually } from './bgp-lab.ts';
import { run } from './netns.ts';

export const NODE = { link: '10.97.0.1', link6: '2001:db8:97::1', linkLocal: 'fe80::97:1', routed: '10.98.1.1' };
export const FAR = { link: '10.97.0.2', link6: '2001:db8:97::2', linkLocal: 'fe80::97:2', routed: '10.98.2.1' };

type Place = 'node' | 'middle' | 'far';

export class BfdLab {
  readonly directory: string;
  readonly #prefix: string;
  readonly #children = new Set<ChildProcess>();

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
    const child = spawn('ip', ['netns', 'exec', this.namespace(place), command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Neither end sees its own link go down. */
  cut(): void {
    this.ip('middle', 'link', 'set', 'f0', 'nomaster');
  }

  mend(): void {
    this.ip('middle', 'link', 'set', 'f0', 'master', 'br0');
  }

  bfd(module = 'bird/bfd/index.ts'): Promise<BfdHandle> {
    const local = join('node_modules', '.bin', 'node');
    const runtime = existsSync(local) ? local : process.execPath;
    return BfdHandle.of(this.start('node', runtime, 'test/support/bfd-process.ts', module));
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

  frrPeers(): readonly FrrPeer[] {
    const directory = join(this.directory, 'frr');
    return JSON.parse(run('vtysh', '--vty_socket', directory, '-c', 'show bfd peers json')) as readonly FrrPeer[];
  }

  async close(): Promise<void> {
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    this.#remove();
  }

  get #birdSocket(): string {
    return join(this.directory, 'bird.ctl');
  }

  #build(): void {
    for (const place of ['node', 'middle', 'far'] as const) run('ip', 'netns', 'add', this.namespace(place));
    for (const [place, port] of [
      ['node', 'n'],
      ['far', 'f'],
    ] as const) {
      for (const number of ['0', '1']) {
        const peer = ['peer', 'name', `${port}${number}`, 'netns', this.namespace('middle')];
        run('ip', 'link', 'add', `eth${number}`, 'netns', this.namespace(place), 'type', 'veth', ...peer);
        this.ip('middle', 'link', 'set', `${port}${number}`, 'up');
      }
    }
    this.ip('middle', 'link', 'add', 'br0', 'type', 'bridge');
    this.ip('middle', 'link', 'set', 'br0', 'up');
    for (const port of ['n0', 'f0']) this.ip('middle', 'link', 'set', port, 'master', 'br0');
    this.ip('middle', 'address', 'add', '10.98.1.254/24', 'dev', 'n1');
    this.ip('middle', 'address', 'add', '10.98.2.254/24', 'dev', 'f1');
    run('ip', 'netns', 'exec', this.namespace('middle'), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    this.#host('node', NODE, '10.98.1.254');
    this.#host('far', FAR, '10.98.2.254');
  }

  #host(place: Place, own: typeof NODE, gateway: string): void {
    this.ip(place, 'link', 'set', 'lo', 'up');
    for (const link of ['eth0', 'eth1']) {
      this.ip(place, 'link', 'set', link, 'addrgenmode', 'none');
      this.ip(place, 'link', 'set', link, 'up');
    }
    this.ip(place, 'address', 'add', `${own.link}/24`, 'dev', 'eth0');
    this.ip(place, 'address', 'add', `${own.link6}/64`, 'dev', 'eth0', 'nodad');
    this.ip(place, 'address', 'add', `${own.linkLocal}/64`, 'dev', 'eth0', 'nodad');
    this.ip(place, 'address', 'add', `${own.routed}/24`, 'dev', 'eth1');
    this.ip(place, 'route', 'add', '10.98.0.0/16', 'via', gateway);
  }

  #remove(): void {
    for (const place of ['node', 'middle', 'far'] as const) {
      const namespace = this.namespace(place);
      if (existsSync(`/run/netns/${namespace}`)) run('ip', 'netns', 'delete', namespace);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
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
  readonly #answers: AsyncIterator<string>;
  #stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  static async of(child: ChildProcess): Promise<BfdHandle> {
    const handle = new BfdHandle(child);
    await handle.#answer();
    return handle;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async tell(command: BfdCommand): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    return JSON.parse(await this.#answer()) as unknown;
  }

  status(): Promise<BfdStatus> {
    return this.tell({ do: 'status' }) as Promise<BfdStatus>;
  }

  /** Resolves when the process is gone. */
  exited(): Promise<void> {
    if (this.#child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async #answer(): Promise<string> {
    const next = await this.#answers.next();
    if (next.done === true) throw new Error(`our BFD ended: ${this.#stderr}`);
    return next.value;
  }
}
