/** Takes calico-ts off this host: the kernel's side is felix's, the files are the agent's. */
import { NftablesUnavailableError, carryOut, readUninstallPlan, removeNatTable, stepText } from '../../felix/index.ts';
import type { HostRecord, Kernel, Nftables } from '../../felix/index.ts';

export interface UninstallHost {
  readonly kernel: Kernel;
  readonly record: HostRecord;
  /** Absent: there is no nftables here, so there is no table of ours either. */
  readonly nftables?: Nftables;
  /** The plugin's and the agent's files that are there, in the order in which they go: the record is the last. */
  readonly files: readonly string[];
  /** Throws where it cannot. */
  removeFile(path: string): void;
}

export interface StepReport {
  /** `delete route 10.48.0.0/26 via 172.30.1.12 dev eth0 metric 0 proto 80` */
  readonly what: string;
  /** Why it could not be done. */
  readonly error?: string;
}

export interface UninstallReport {
  /** What is to be done, or was. */
  readonly steps: readonly StepReport[];
  /** What stays and why. */
  readonly left: readonly string[];
  /** Interfaces of pods that lose their network. */
  readonly pods: readonly string[];
}

const NAT_TEXT = 'delete table inet calico-ts of nftables';
const fileText = (path: string): string => `delete file ${path}`;

/** Changes nothing. */
export async function planHostUninstall({ kernel, record, nftables, files }: UninstallHost): Promise<UninstallReport> {
  const { steps, left, pods, links } = await readUninstallPlan(kernel, record);
  const nat = await readNat(nftables);
  const whats = [
    ...steps.map((step) => stepText(step, links)),
    ...(nat.isThere ? [NAT_TEXT] : []),
    ...files.map(fileText),
  ];
  return { steps: whats.map((what) => ({ what })), left: [...left, ...nat.left], pods };
}

/**
 * Does it, each step by itself, and looks again afterwards: what is still there is told as an error. The files stay where
 * something failed, so that a second call knows as much as the first.
 */
export async function uninstallHost(host: UninstallHost): Promise<UninstallReport> {
  const { kernel, record, files } = host;
  const { steps, pods, links } = await readUninstallPlan(kernel, record);
  const done: StepReport[] = [];
  await carryOut(steps, kernel, (step, error) => {
    done.push({ what: stepText(step, links), ...(error === undefined ? {} : { error: error.message }) });
  });
  done.push(...(await removeNat(host.nftables)));
  const after = await readUninstallPlan(kernel, record);
  const remaining = after.steps
    .map((step) => stepText(step, after.links))
    .filter((what) => !done.some((step) => step.what === what && step.error !== undefined));
  done.push(...remaining.map((what) => ({ what, error: 'is there again: somebody puts it back' })));
  if (done.every(({ error }) => error === undefined)) done.push(...files.map((path) => removed(host, path)));
  return { steps: done, left: [...after.left, ...(await readNat(host.nftables)).left], pods };
}

/** Without libnftables nobody can tell whether there is a table; an agent that made one had it. */
async function readNat(
  nftables: UninstallHost['nftables'],
): Promise<{ readonly isThere: boolean; readonly left: readonly string[] }> {
  if (nftables === undefined) return { isThere: false, left: [] };
  try {
    return { isThere: (await nftables.read()) !== undefined, left: [] };
  } catch (error) {
    if (!(error instanceof NftablesUnavailableError)) throw error;
    return { isThere: false, left: [`whether there is a table inet calico-ts cannot be told: ${error.message}`] };
  }
}

async function removeNat(nftables: UninstallHost['nftables']): Promise<readonly StepReport[]> {
  if (nftables === undefined || !(await readNat(nftables)).isThere) return [];
  try {
    await removeNatTable(nftables);
    return [{ what: NAT_TEXT }];
  } catch (error) {
    return [{ what: NAT_TEXT, error: (error as Error).message }];
  }
}

function removed(host: UninstallHost, path: string): StepReport {
  try {
    host.removeFile(path);
    return { what: fileText(path) };
  } catch (error) {
    return { what: fileText(path), error: (error as Error).message };
  }
}
