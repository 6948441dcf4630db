import { createLinuxKernel, hostInterfaces } from '../../felix/index.ts';
import type { HostInterface } from '../../felix/index.ts';
import type { IpAddress, IpFamily } from '../model/ip.ts';

/** What detection of the node's address looks at: the network namespace that we run in. */
export interface HostNetwork {
  interfaces(): Promise<readonly HostInterface[]>;
  /** The source that the kernel would use towards a name or an address. */
  sourceTowards(destination: string, family: IpFamily): Promise<IpAddress | undefined>;
}

/** Of the network namespace that we run in; takes no privilege. */
export async function readInterfaces(): Promise<readonly HostInterface[]> {
  const kernel = createLinuxKernel();
  try {
    return await hostInterfaces(kernel);
  } finally {
    await kernel.close();
  }
}
