/** `calico-node-ts speaker` as a process in a namespace, asked through its socket as calicoctl-ts does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.ts';
import { systemIo } from '../../src/cli/system-io.ts';
import { createAgentClient } from '../../src/api/client.ts';
import type { AgentClient } from '../../src/api/client.ts';
import type { PathReport, PeerStatus, SpeakerStatus } from '../../src/api/contract.ts';
import type { SpeakerFile } from '../../src/speaker/schema.ts';
import { eventually } from './eventually.ts';
import { nodeProgram } from './lab-processes.ts';
import type { TestNetns } from './netns.ts';

/** What a test writes; the lab fills in the rest. */
export type LabSpeakerFile = Omit<SpeakerFile, 'bgpIdentifier' | 'socket'> & { readonly bgpIdentifier?: string };

/** Tests do not wait longer than they must. */
const QUICK = { connectDelaySeconds: 0, connectRetrySeconds: 1, errorWaitSeconds: [1, 2] as [number, number] };

interface Place {
  readonly directory: string;
  readonly file: LabSpeakerFile;
}

export class LabSpeaker {
  readonly socket: string;
  readonly client: AgentClient;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  readonly #bgpIdentifier: string | undefined;

  private constructor(netns: TestNetns, { directory, file }: Place) {
    this.#directory = directory;
    this.#bgpIdentifier = file.bgpIdentifier;
    this.socket = join(directory, 'calico-ts.sock');
    this.client = createAgentClient(this.socket);
    this.#write(file);
    const log = openSync(this.#logFile, 'a');
    const command = [...program(), 'speaker', '--config', this.configFile];
    this.#child = spawn('ip', ['netns', 'exec', netns.name, ...command], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => void this.#child.once('exit', (code) => resolve(code ?? -1)));
  }

  static async start(netns: TestNetns, place: Place): Promise<LabSpeaker> {
    const speaker = new LabSpeaker(netns, place);
    await eventually(async () => {
      if (speaker.#child.exitCode !== null) throw new Error('it has ended');
      await speaker.status();
    }, 15_000).catch((error: unknown) => {
      throw new Error(`the speaker did not start: ${(error as Error).message}\n${speaker.log()}`);
    });
    return speaker;
  }

  get configFile(): string {
    return join(this.#directory, 'speaker.yaml');
  }

  status(): Promise<SpeakerStatus> {
    return this.client.get('/v1/status');
  }

  /** Rejects where there is no such peer. */
  async peer(address: string): Promise<PeerStatus> {
    const { bgp } = await this.status();
    const peer = bgp.peers.find((one) => one.address === address);
    if (peer === undefined) throw new Error(`no peer ${address}, only ${bgp.peers.map((one) => one.address).join()}`);
    return peer;
  }

  /** Every path it knows. */
  paths(): Promise<readonly PathReport[]> {
    return this.client.get('/v1/bgp/routes');
  }

  /** Of the best routes, sorted as text. */
  async prefixes(): Promise<readonly string[]> {
    return (await this.paths())
      .filter(({ best }) => best)
      .map(({ prefix }) => prefix)
      .sort();
  }

  /** Waits for the session. */
  async established(address: string, timeoutMs = 20_000): Promise<void> {
    await eventually(async () => {
      const { state, lastError = '' } = await this.peer(address);
      if (state !== 'Established') throw new Error(`${address} is ${state}: ${lastError}`);
    }, timeoutMs);
  }

  /** What calicoctl-ts prints, errors too, for an operator who types this. */
  async cli(...args: readonly string[]): Promise<string> {
    let printed = '';
    const say = (text: string): void => void (printed += text);
    await runCli([...args, '--socket', this.socket], { ...systemIo('test'), stdout: say, stderr: say });
    return printed;
  }

  /** Another file and SIGHUP; waits until it was read, and gives the problems that it has. */
  async reload(file: LabSpeakerFile): Promise<readonly string[]> {
    this.#write({ ...(this.#bgpIdentifier !== undefined && { bgpIdentifier: this.#bgpIdentifier }), ...file });
    return this.#readAgain();
  }

  /** The same with the text as it is. */
  async reloadText(text: string): Promise<readonly string[]> {
    writeFileSync(this.configFile, text);
    return this.#readAgain();
  }

  /** Sends a signal and gives the exit code; -1 where the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number> {
    this.#child.kill(signal);
    return this.#ended;
  }

  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  async #readAgain(): Promise<readonly string[]> {
    const reads = (): number =>
      this.log().match(/"(the configuration was read again|the configuration is wrong)/g)?.length ?? 0;
    const before = reads();
    this.#child.kill('SIGHUP');
    await eventually(() => {
      if (reads() === before) throw new Error(`SIGHUP has no effect\n${this.log()}`);
    }, 5000);
    return (await this.status()).configuration?.refused ?? [];
  }

  get #logFile(): string {
    return join(this.#directory, 'speaker.log');
  }

  /** JSON is YAML. */
  #write({ defaults, ...file }: LabSpeakerFile): void {
    const whole = { socket: this.socket, log: { level: 'debug' }, ...file, defaults: { ...QUICK, ...defaults } };
    writeFileSync(this.configFile, JSON.stringify(whole, null, 2));
  }
}

function program(): readonly string[] {
  return [nodeProgram(), process.env['CALICO_TS_BUNDLE'] === '1' ? 'dist/calico-node-ts.mjs' : 'src/main.ts'];
}
