/** A runtime's calls: what it puts into the environment and writes to stdin, and what it reads. */
import type { CniEnvironment } from '../../src/cni/environment.ts';
import type { CniAnswer } from '../../src/cni/verbs.ts';

export type CniAnswers = (environment: CniEnvironment, stdin: Uint8Array) => Promise<CniAnswer>;

/** A container as the runtime knows it. */
export interface Sandbox {
  readonly containerId: string;
  readonly netns?: string;
  readonly ifName?: string;
  /** Absent: a container without a pod. */
  readonly pod?: string;
}

export interface CniReply {
  readonly code: number;
  /** stdout as JSON; undefined where there was none. */
  readonly said: Readonly<Record<string, unknown>> | undefined;
}

export const networkConfiguration = (fields: object = {}): Readonly<Record<string, unknown>> => ({
  ...{ cniVersion: '1.1.0', name: 'k8s-pod-network', type: 'calico-cni-ts' },
  ...{ ipam: { type: 'calico-ipam' } },
  ...fields,
});

export const environmentFor = (command: string, sandbox?: Sandbox): CniEnvironment => {
  if (sandbox === undefined) return { command };
  const { containerId, netns = `/var/run/netns/${containerId}`, ifName = 'eth0', pod } = sandbox;
  const args =
    pod === undefined
      ? {}
      : {
          args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
        };
  return { command, containerId, netns, ifName, ...args };
};

export async function call(
  answers: CniAnswers,
  command: string,
  { sandbox, config = networkConfiguration() }: { readonly sandbox?: Sandbox; readonly config?: object } = {},
): Promise<CniReply> {
  const { code, body } = await answers(environmentFor(command, sandbox), Buffer.from(JSON.stringify(config)));
  return { code, said: body === '' ? undefined : (JSON.parse(body) as Readonly<Record<string, unknown>>) };
}
