/** Which encapsulation, and on which kernel: asked of this machine, decided by one pure function. */
import { run } from './process.ts';
import type { DemoOptions, Encapsulation } from './options.ts';

/** What this machine can do. */
export interface Abilities {
  readonly kernelHasIpip: boolean;
  readonly kernelHasVxlan: boolean;
  /** Why there is no VM here; absent where there is one. */
  readonly vmObstacle?: string;
}

/** Where to run, with which encapsulation, and why in one sentence. */
export interface Choice {
  readonly where: 'here' | 'vm';
  readonly encap: Encapsulation;
  readonly reason: string;
}

/** The demo cannot run as it was asked to: one sentence. */
export class CannotRunError extends Error {
  override readonly name = 'CannotRunError';
}

/** tunl0 where the kernel has it, else tunl0 in the VM, else VXLAN; flags overrule. Throws CannotRunError. */
export function pickEncapsulation(options: Pick<DemoOptions, 'vm' | 'encap' | 'action'>, abilities: Abilities): Choice {
  const { kernelHasIpip, kernelHasVxlan, vmObstacle } = abilities;
  const vm = vmObstacle === undefined && options.action !== 'keep';
  const why = options.action === 'keep' ? 'a cluster in the VM could not be kept' : (vmObstacle ?? '');
  if (options.vm) {
    if (!vm) throw new CannotRunError(`--vm = true: ${why}`);
    return { where: 'vm', encap: options.encap ?? 'ipip', reason: '--vm asks for Debian’s stock kernel' };
  }
  if (options.encap === 'vxlan') {
    if (!kernelHasVxlan)
      throw new CannotRunError("--encap = 'vxlan': this kernel has no vxlan, and --vm was not given");
    return { where: 'here', encap: 'vxlan', reason: '--encap vxlan asks for it' };
  }
  if (kernelHasIpip) return { where: 'here', encap: 'ipip', reason: 'this kernel has ipip' };
  if (vm) return { where: 'vm', encap: 'ipip', reason: 'this kernel has no ipip, Debian’s stock kernel has' };
  if (options.encap === 'ipip') throw new CannotRunError(`--encap = 'ipip': this kernel has no ipip, and ${why}`);
  if (!kernelHasVxlan) throw new CannotRunError(`this kernel has neither ipip nor vxlan, and ${why}`);
  return { where: 'here', encap: 'vxlan', reason: `this kernel has no ipip, and ${why}` };
}

/** Tries each tunnel in a namespace of its own, which goes with what is in it. */
export async function kernelAbilities(): Promise<Pick<Abilities, 'kernelHasIpip' | 'kernelHasVxlan'>> {
  const works = async (link: string): Promise<boolean> =>
    (await run(['unshare', '--net', 'sh', '-c', `ip link add probe type ${link}`])).exitCode === 0;
  return {
    kernelHasIpip: await works('ipip remote 192.0.2.1 local 192.0.2.2'),
    kernelHasVxlan: await works('vxlan id 4096 dstport 4789'),
  };
}
