import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { nodeProgram } from './lab-processes.ts';
import type { TestNetns } from './netns.ts';

/**
 * Sockets that listen on loopback of a network namespace while their server is here: a socket stays in the namespace in which it was
 * made, whoever has it. So whoever lives in there reaches the test without a link between the two.
 */
export class NetnsListener {
  readonly #child: ChildProcess;

  constructor(netns: TestNetns) {
    const command = ['netns', 'exec', netns.name, nodeProgram(), 'test/support/netns-listener-process.ts'];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  /** One at a time. Rejects where the port is taken. */
  async listen(port: number): Promise<Server> {
    const answer = once(this.#child, 'message') as Promise<[string, Server | undefined]>;
    this.#child.send(port);
    const [said, server] = await answer;
    if (server === undefined) throw new Error(`port ${port}: ${said}`);
    return server;
  }

  /** The sockets stay. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
