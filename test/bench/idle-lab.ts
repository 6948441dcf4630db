/** A LAN with five speakers, and on it the daemons of `npm run bench -- idle`, each in a namespace of its own with sessions to all five. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAgentClient } from '../../src/api/client.ts';
import type { NodeStatus, SpeakerStatus } from '../../src/api/contract.ts';
import { NODE_FLAGS } from '../../src/runtime/node-flags.ts';
import { bird } from '../capture/daemons/bird.ts';
import { HAS_ETCD } from '../support/etcd-server.ts';
import { eventually } from '../support/eventually.ts';
import { nodeProgram } from '../support/lab-processes.ts';
import { run } from '../support/netns.ts';
import { manifest } from '../support/resources.ts';
import { SpeakerLab } from '../support/speaker-lab.ts';
import { isListening } from './process-figures.ts';

export const PEERS = 5;
/** Each tells as many routes. */
const ROUTES = 20;
const BGP_PORT = 179;
const PROGRAM = join('dist', 'calico-node-ts.mjs');
const CLI = join('dist', 'calicoctl-ts.mjs');
const PEER_ASN = 65_001;

/** A daemon in the lab; its host has the same name. */
export interface Contender {
  readonly name: string;
  /** Whether a kubelet asks it how it is, and a Prometheus for its metrics. */
  readonly isAsked?: boolean;
  /** Prepares its files; gives the command. */
  readonly command: (lab: IdleLab) => readonly string[];
  /** How many sessions are up. */
  readonly sessions: (lab: IdleLab) => Promise<number>;
}

const node = (...args: readonly string[]): readonly string[] => [nodeProgram(), ...NODE_FLAGS, ...args];

const agent = (name: string, datastore: 'file' | 'etcd', isAsked = false): Contender => ({
  name,
  isAsked,
  command: (lab) => {
    const environment = lab.agentEnvironment(name, datastore);
    lab.apply(name, environment);
    return ['env', ...Object.entries(environment).map(([key, value]) => `${key}=${value}`), ...node(PROGRAM)];
  },
  sessions: (lab) => lab.sessionsOfOurs(name),
});

const speaker: Contender = {
  name: 'speaker',
  command: (lab) => {
    const { ipv4 } = lab.host('speaker');
    const peers = lab.peers.map((address) => ({ address, asn: PEER_ASN }));
    const config = lab.file('speaker', 'speaker.yaml', {
      ...{ asn: 64_512, bgpIdentifier: ipv4, socket: lab.socketOf('speaker'), log: { level: 'warn' }, peers },
    });
    return node(PROGRAM, 'speaker', '--config', config);
  },
  sessions: (lab) => lab.sessionsOfOurs('speaker'),
};

const birdDaemon: Contender = {
  name: 'BIRD',
  command: (lab) => {
    const { ipv4 } = lab.host('BIRD');
    const sessions = lab.peers.map(
      (peer, i) =>
        `protocol bgp p${i} { local ${ipv4} as 64512; neighbor ${peer} as ${PEER_ASN}; ipv4 { import all; export all; }; }`,
    );
    const config = lab.file('BIRD', 'bird.conf', `router id ${ipv4};\nprotocol device {}\n${sessions.join('\n')}\n`);
    return [bird.programs[0]!, '-f', '-c', config, '-s', lab.socketOf('BIRD')];
  },
  sessions: (lab) => {
    const said = run('/usr/sbin/birdc', '-s', lab.socketOf('BIRD'), 'show', 'protocols');
    return Promise.resolve(said.split('\n').filter((line) => line.includes('Established')).length);
  },
};

/** What can run here; a daemon that is not installed is left out. */
export const CONTENDERS: readonly Contender[] = [
  ...(bird.programs.every((program) => existsSync(program)) ? [birdDaemon] : []),
  speaker,
  agent('agent', 'file'),
  agent('agent-asked', 'file', true),
  ...(HAS_ETCD ? [agent('agent-etcd', 'etcd')] : []),
];

export class IdleLab {
  readonly #lab: SpeakerLab;
  readonly peers: readonly string[];
  readonly #names: readonly string[];

  constructor() {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: npm run build`);
    this.#names = Array.from({ length: PEERS }, (_, i) => `peer-${i}`);
    this.#lab = new SpeakerLab('idle', [...this.#names, 'etcd', ...CONTENDERS.map(({ name }) => name)]);
    this.peers = this.#names.map((name) => this.#lab.host(name).ipv4);
  }

  /** The five, and the etcd. */
  async startPeers(): Promise<void> {
    for (const [i, name] of this.#names.entries()) this.#startPeer(name, i);
    if (HAS_ETCD) this.#startEtcd();
    await eventually(() => {
      for (const name of this.#names) if (!existsSync(this.socketOf(name))) throw new Error(`${name} does not answer`);
    });
  }

  /** Runs it, and waits until it listens for BGP: `ms` since it was started. */
  async start({
    name,
    command,
  }: Contender): Promise<{ readonly child: ChildProcess; readonly pid: number; readonly ms: number }> {
    const words = command(this);
    const startedAt = performance.now();
    const child = this.#lab.start(name, words[0]!, ...words.slice(1));
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    // The process is `ip netns exec` at first, in our own namespace, where nobody speaks BGP.
    while (!isListening(child.pid!, BGP_PORT)) {
      if (child.exitCode !== null) throw new Error(`${name} has ended: ${said.join('')}`);
      if (performance.now() - startedAt > 30_000) throw new Error(`${name} does not listen: ${said.join('')}`);
      await sleep(1);
    }
    return { child, pid: child.pid!, ms: performance.now() - startedAt };
  }

  async established({ name, sessions }: Contender): Promise<void> {
    await eventually(async () => {
      const count = await sessions(this);
      if (count !== PEERS) throw new Error(`${name} has ${count} of ${PEERS} sessions`);
    }, 30_000);
  }

  host(name: string): { readonly ipv4: string } {
    return this.#lab.host(name);
  }

  /** As a kubelet and a Prometheus do; throws where one of them gets no answer. */
  ask(name: string): void {
    const urls = ['9099/liveness', '9099/readiness', '9091/metrics'].map((path) => `http://127.0.0.1:${path}`);
    for (const url of urls) this.#lab.host(name).run('curl', '-sSf', '-o', '/dev/null', url);
  }

  socketOf(name: string): string {
    return join(this.#directoryOf(name), 'calico-ts.sock');
  }

  /** A text as it stands, anything else as JSON, which YAML understands. */
  file(host: string, name: string, content: unknown): string {
    const path = join(this.#directoryOf(host), name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    return path;
  }

  async sessionsOfOurs(name: string): Promise<number> {
    const { bgp } = await createAgentClient(this.socketOf(name)).get<NodeStatus | SpeakerStatus>('/v1/status');
    return bgp.peers.filter(({ state }) => state === 'Established').length;
  }

  agentEnvironment(name: string, datastore: 'file' | 'etcd'): Readonly<Record<string, string>> {
    const directory = this.#directoryOf(name);
    return {
      NODENAME: name,
      IP: 'autodetect',
      CALICO_IPV4POOL_CIDR: '10.48.0.0/16',
      CALICO_IPV4POOL_VXLAN: 'Always',
      CALICO_RUN_DIR: directory,
      CALICO_NODENAME_FILE: join(directory, 'nodename'),
      FELIX_HEALTHENABLED: 'true',
      FELIX_PROMETHEUSMETRICSENABLED: 'true',
      ...(datastore === 'etcd'
        ? { DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: `http://${this.host('etcd').ipv4}:2379` }
        : { DATASTORE_TYPE: 'file', CALICO_FILE_DATASTORE: join(directory, 'store') }),
    };
  }

  /** The five, as BGPPeers; once. */
  apply(name: string, environment: Readonly<Record<string, string>>): void {
    const path = join(this.#directoryOf(name), 'peers.json');
    if (existsSync(path)) return;
    const items = this.peers.map((peerIP, i) => manifest('BGPPeer', `peer-${i}`, { peerIP, asNumber: PEER_ASN }));
    this.file(name, 'peers.json', { apiVersion: 'v1', kind: 'List', items });
    const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    this.#lab.host(name).run('env', ...variables, nodeProgram(), CLI, 'apply', '-f', path);
  }

  close(): Promise<void> {
    return this.#lab.close();
  }

  #startPeer(name: string, i: number): void {
    const config = this.file(name, 'speaker.yaml', {
      ...{ asn: PEER_ASN, bgpIdentifier: this.host(name).ipv4, socket: this.socketOf(name), log: { level: 'warn' } },
      originate: Array.from({ length: ROUTES }, (_, j) => `10.${100 + i}.${j}.0/26`),
      // What one contender tells is nothing to another.
      transit: false,
      peers: CONTENDERS.map((each) => ({ address: this.host(each.name).ipv4, asn: 64_512, passive: true })),
    });
    const [command = '', ...args] = node(PROGRAM, 'speaker', '--config', config);
    this.#lab.start(name, command, ...args);
  }

  #startEtcd(): void {
    const url = `http://${this.host('etcd').ipv4}:2379`;
    const data = join(this.#directoryOf('etcd'), 'data');
    rmSync(data, { recursive: true, force: true });
    const peer = 'http://127.0.0.1:2380';
    const flags = {
      'data-dir': data,
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peer,
    };
    this.#lab.start('etcd', '/usr/bin/etcd', ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`));
  }

  #directoryOf(host: string): string {
    const directory = join(this.#lab.directory, host);
    mkdirSync(directory, { recursive: true });
    return directory;
  }
}
