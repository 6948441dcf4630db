import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentClient } from '../api/client.ts';
import { systemReader } from '../host/reader.ts';
import { systemClock } from '../runtime/clock.ts';
import type { CliIo, ManifestText } from './io.ts';
import { CommandError } from './io.ts';

const MANIFEST = /\.(ya?ml|json)$/i;

/** The real world: this process's streams, environment and files. What takes time to load is loaded where it is asked for. */
export const systemIo = (version: string, commit = 'unknown'): CliIo => ({
  env: process.env,
  version,
  commit,
  now: () => systemClock.wallTime(),
  isTerminal: process.stdout.isTTY,
  stderrIsTerminal: process.stderr.isTTY,
  stdout: (output) => void process.stdout.write(output),
  stderr: (output) => void process.stderr.write(output),
  readManifests,
  writeFile: (path, output) =>
    writeFile(path, output).catch((error: unknown) => {
      throw new CommandError(`cannot write ${path}: ${(error as Error).message}`);
    }),
  openStore: async (settings) => (await import('../datastore/open.ts')).openStore(settings),
  connectAgent,
  openHost: async (files) => (await import('../host/open-host.ts')).openUninstallHost(files),
  reader: systemReader,
  diags: async () => {
    const { kernelQuestions, saveArchive } = await import('../host/diags/system-ports.ts');
    return { kernel: kernelQuestions(), save: saveArchive };
  },
  doctor: async () => (await import('../host/doctor/system-ports.ts')).systemDoctorPorts(sleep),
  nodeName: async () => {
    const { nodeName } = await import('../agent/identity.ts');
    return nodeName(process.env['NODENAME'], process.env['CALICO_NODENAME_FILE'] || '/var/lib/calico/nodename');
  },
  network: {
    interfaces: async () => (await import('../host/interfaces.ts')).readInterfaces(),
    sourceTowards: async (...way) => (await import('../agent/reach.ts')).sourceTowards(...way),
  },
  sleep,
  interruption,
  after: (ms, callback) => systemClock.after(ms, callback),
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.after(ms, resolve));

function connectAgent(socketPath: string): AgentClient {
  const client = import('../api/client.ts').then(({ createAgentClient }) => createAgentClient(socketPath));
  return {
    get: async (path) => (await client).get(path),
    post: async (path, body, patienceMs) => (await client).post(path, body, patienceMs),
    delete: async (path) => (await client).delete(path),
  };
}

function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}

async function readManifests(path: string, recursive: boolean): Promise<readonly ManifestText[]> {
  if (path === '-') {
    const { text } = await import('node:stream/consumers');
    return [{ path: 'standard input', text: await text(process.stdin) }];
  }
  try {
    if (!(await stat(path)).isDirectory()) return [await readManifest(path)];
    const names = await readdir(path, { recursive });
    return await Promise.all(
      names
        .filter((name) => MANIFEST.test(name))
        .sort()
        .map((name) => readManifest(join(path, name))),
    );
  } catch (error) {
    throw new CommandError(`failed to execute command: ${(error as Error).message}`);
  }
}

const readManifest = async (path: string): Promise<ManifestText> => ({ path, text: await readFile(path, 'utf8') });
