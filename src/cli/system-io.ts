import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { nodeName } from '../agent/identity.ts';
import { createAgentClient } from '../api/client.ts';
import { sourceTowards } from '../agent/reach.ts';
import { openStore } from '../datastore/open.ts';
import { systemDoctorPorts } from '../host/doctor/system-ports.ts';
import { readInterfaces } from '../host/interfaces.ts';
import { openUninstallHost } from '../host/open-host.ts';
import { systemReader } from '../host/reader.ts';
import { systemClock } from '../runtime/clock.ts';
import type { CliIo, ManifestText } from './io.ts';
import { CommandError } from './io.ts';

const MANIFEST = /\.(ya?ml|json)$/i;

/** The real world: this process's streams, environment and files. */
export const systemIo = (version: string): CliIo => ({
  env: process.env,
  version,
  now: () => systemClock.wallTime(),
  stdout: (output) => void process.stdout.write(output),
  stderr: (output) => void process.stderr.write(output),
  readManifests,
  openStore: (settings) => openStore(settings),
  connectAgent: (socketPath) => createAgentClient(socketPath),
  openHost: (files) => openUninstallHost(files),
  reader: systemReader,
  doctor: systemDoctorPorts(sleep),
  network: { interfaces: readInterfaces, sourceTowards },
  nodeName: () => nodeName(process.env['NODENAME'], process.env['CALICO_NODENAME_FILE'] || '/var/lib/calico/nodename'),
  sleep,
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.after(ms, resolve));

async function readManifests(path: string, recursive: boolean): Promise<readonly ManifestText[]> {
  if (path === '-') return [{ path: 'standard input', text: await text(process.stdin) }];
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
