/** The switch between the two nodes of an agent lab, and a BIRD on it as their ToR. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeNetns } from './netns.ts';
import type { TestNetns } from './netns.ts';

export const TOR_ADDRESS = '172.30.7.1';
export const TOR_ASN = 65001;

export class LabTor {
  readonly #netns: TestNetns;
  readonly #directory: string;
  #bird: ChildProcess | undefined;

  constructor(name: string) {
    this.#netns = makeNetns(name);
    this.#directory = mkdtempSync(join(tmpdir(), `${name}-`));
    const { run } = this.#netns;
    run('ip', 'link', 'add', 'br0', 'type', 'bridge');
    run('ip', 'addr', 'add', `${TOR_ADDRESS}/24`, 'dev', 'br0');
    run('ip', 'link', 'set', 'br0', 'up');
  }

  /** Joins the nodes: a port of the bridge is the other end of each one's eth0. */
  join(...nodes: readonly TestNetns[]): void {
    for (const [i, { name }] of nodes.entries()) {
      const port = `port${i}`;
      this.#netns.run('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      this.#netns.run('ip', 'link', 'set', port, 'master', 'br0', 'up');
    }
  }

  /** `lines` stand in the protocol of every node. */
  start(nodes: readonly string[], lines = ''): void {
    this.#write(nodes, lines);
    const command = ['netns', 'exec', this.#netns.name, 'bird', '-f', '-c', this.#config, '-s', this.#socket];
    this.#bird = spawn('ip', command, { stdio: 'ignore' });
  }

  configure(nodes: readonly string[], lines: string, more = ''): void {
    this.#write(nodes, lines, more);
    this.birdc('configure');
  }

  /** A second session with a node, from an address of the ToR that is on no link of the node's. */
  configureBehind(node: string, address: string): void {
    this.#netns.run('ip', 'addr', 'replace', `${address}/32`, 'dev', 'lo');
    this.#netns.run('ip', 'link', 'set', 'lo', 'up');
    const session = `protocol bgp behind {
  local ${address} as ${TOR_ASN}; neighbor ${node} as 64512; multihop;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import none; export where source = RTS_STATIC; };
}`;
    this.configure([], '', session);
  }

  birdc(...command: readonly string[]): string {
    return this.#netns.run('birdc', '-s', this.#socket, ...command);
  }

  /** Prefixes within 10.48.0.0/16, each with those that told it: `10.48.1.0/26 from n0`. */
  told(): readonly string[] {
    const shown = this.birdc('show', 'route', 'where', 'net', '~', '[10.48.0.0/16+]');
    let prefix = '';
    return shown.split('\n').flatMap((line) => {
      const [, own, by] = /^(\S+)?\s+unicast \[(\w+) /.exec(line) ?? [];
      prefix = own ?? prefix;
      return by === undefined ? [] : [`${prefix} from ${by}`];
    });
  }

  async remove(): Promise<void> {
    const gone = new Promise((resolve) => void this.#bird?.once('exit', resolve));
    if (this.#bird?.kill('SIGKILL') === true) await gone;
    this.#netns.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #config(): string {
    return join(this.#directory, 'bird.conf');
  }

  get #socket(): string {
    return join(this.#directory, 'bird.ctl');
  }

  #write(nodes: readonly string[], lines: string, more = ''): void {
    const sessions = nodes.map(
      (address, i) => `protocol bgp n${i} {
  local ${TOR_ADDRESS} as ${TOR_ASN}; neighbor ${address} as 64512;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  graceful restart on;
  ipv4 { import all; export where source = RTS_STATIC; };
  ${lines}
}`,
    );
    const text = `router id ${TOR_ADDRESS};
protocol device {}
protocol static { ipv4; route 10.50.0.0/16 blackhole; route 10.51.0.0/16 blackhole; }
${sessions.join('\n')}
${more}
`;
    writeFileSync(this.#config, text);
  }
}
