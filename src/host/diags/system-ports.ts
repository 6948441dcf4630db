/** The real host behind `node diags`. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinuxKernel } from '../../../felix/index.ts';
import type { Kernel } from '../../../felix/index.ts';
import { formatIpAddress, formatPrefix } from '../../model/ip.ts';
import type { IpAddress } from '../../model/ip.ts';
import type { DiagsPorts } from './collect.ts';

/** Netlink answers everybody; it is opened once for each question, so that one that fails spoils no other. */
export const kernelQuestions = (): DiagsPorts['kernel'] => ({
  links: () => asking((kernel) => kernel.listLinks()),
  addresses: () => asking((kernel) => kernel.listAddresses()),
  routes: () => asking(async (kernel) => [...(await kernel.listRoutes())]),
  rules: () => asking((kernel) => kernel.listRules()),
  neighbours: () =>
    asking(async (kernel) => {
      const links = await kernel.listLinks();
      return Promise.all(links.map(({ index }) => kernel.listNeighbours(index))).then((lists) => lists.flat());
    }),
});

async function asking(question: (kernel: Kernel) => Promise<unknown>): Promise<unknown> {
  const kernel = createLinuxKernel();
  try {
    return readable(await question(kernel));
  } finally {
    await kernel.close();
  }
}

/** Addresses as people write them. */
function readable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part: unknown) => plain(part)));
}

function plain(part: unknown): unknown {
  if (isAddress(part)) return formatIpAddress(part);
  const { address, length } = (part ?? {}) as { readonly address?: unknown; readonly length?: unknown };
  return isAddress(address) && typeof length === 'number' ? formatPrefix({ address, length }) : part;
}

const isAddress = (value: unknown): value is IpAddress =>
  typeof value === 'object' && value !== null && 'family' in value && 'words' in value;

/** In a new directory that nobody else may enter. Returns the path. */
export function saveArchive(name: string, archive: Uint8Array): string {
  const path = join(mkdtempSync(join(tmpdir(), 'calico-')), name);
  writeFileSync(path, archive, { mode: 0o600 });
  return path;
}
