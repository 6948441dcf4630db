import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { InvalidValueError } from '../model/invalid.ts';
import { parseResourceName } from '../model/resource-name.ts';

/** NODENAME, else the file an earlier start wrote, else the host's name in lower case: Calico's order. */
export function nodeName(setting: string | undefined, file: string): string {
  if (setting !== undefined) return parseResourceName(setting, 'NODENAME');
  const written = readIfThere(file)?.trim();
  if (written !== undefined && written !== '') return parseResourceName(written, file);
  return parseResourceName(hostname().toLowerCase(), 'hostname');
}

/** Other components (CNI) read this node's name from here. */
export function rememberNodeName(name: string, file: string): void {
  try {
    if (readIfThere(file) === name) return;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, name);
  } catch (error) {
    throw new InvalidValueError('CALICO_NODENAME_FILE', file, `cannot be written: ${(error as Error).message}`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
