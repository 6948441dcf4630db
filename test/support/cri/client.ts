/** Kubelet's side of the CRI, as far as the tests need it. */
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { IMAGE } from './image.ts';

export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hostPorts?: readonly { readonly hostPort: number; readonly containerPort: number }[];
}

export interface CriPod {
  readonly sandbox: string;
  readonly addresses: readonly string[];
  /** A command in its container; throws with what it said where it fails. */
  readonly exec: (...command: readonly string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

export interface CriClient {
  /** Why the network is not ready; undefined where it is. */
  networkProblem(): Promise<string | undefined>;
  /** A sandbox and a container in it that sleeps. */
  runPod(pod: PodSpec): Promise<CriPod>;
  close(): void;
}

type Call = (method: string, request: object) => Promise<Readonly<Record<string, unknown>>>;

const CALL_MS = 100_000;
/** Its own tree, so that what a killed runtime leaves is found. */
export const CGROUP_PARENT = '/calico-ts-test';

export function criClient(socket: string): CriClient {
  const definition = loadSync('test/support/cri/cri.proto', { keepCase: true, longs: Number });
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    readonly runtime: { readonly v1: { readonly RuntimeService: ServiceClientConstructor } };
  };
  const client = new runtime.v1.RuntimeService(`unix:${socket}`, credentials.createInsecure());
  const call: Call = (method, request) =>
    new Promise((resolve, reject) => {
      const unary = client[method] as unknown as (
        request: object,
        options: object,
        done: (error: Error | null, answer: Readonly<Record<string, unknown>>) => void,
      ) => void;
      unary.call(client, request, { deadline: Date.now() + CALL_MS, waitForReady: true }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  return {
    networkProblem: async () => {
      const { status } = (await call('Status', {})) as {
        status: { conditions: readonly { type: string; status: boolean; message: string }[] };
      };
      const network = status.conditions.find(({ type }) => type === 'NetworkReady');
      return network?.status === true ? undefined : (network?.message ?? 'nothing is known of it');
    },
    runPod: (pod) => runPod(call, pod),
    close: () => client.close(),
  };
}

async function runPod(call: Call, { namespace, name, annotations = {}, hostPorts = [] }: PodSpec): Promise<CriPod> {
  const config = {
    metadata: { name, uid: `${namespace}-${name}`, namespace, attempt: 0 },
    ...{ hostname: name, annotations, linux: { cgroup_parent: CGROUP_PARENT } },
    port_mappings: hostPorts.map(({ hostPort, containerPort }) => ({
      ...{ protocol: 0, host_port: hostPort, container_port: containerPort },
    })),
  };
  const { pod_sandbox_id: sandbox } = (await call('RunPodSandbox', { config })) as { pod_sandbox_id: string };
  const remove = async (): Promise<void> => {
    await call('StopPodSandbox', { pod_sandbox_id: sandbox });
    await call('RemovePodSandbox', { pod_sandbox_id: sandbox });
  };
  try {
    const { status } = (await call('PodSandboxStatus', { pod_sandbox_id: sandbox })) as {
      status: { network: { ip: string; additional_ips?: readonly { ip: string }[] } };
    };
    const { container_id: container } = (await call('CreateContainer', {
      ...{ pod_sandbox_id: sandbox, sandbox_config: config },
      config: { metadata: { name: 'main', attempt: 0 }, image: { image: IMAGE } },
    })) as { container_id: string };
    await call('StartContainer', { container_id: container });
    const { ip, additional_ips: others = [] } = status.network;
    return { sandbox, addresses: [ip, ...others.map((each) => each.ip)], exec: execIn(call, container), remove };
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
}

const execIn =
  (call: Call, container: string): CriPod['exec'] =>
  async (...command) => {
    // What is empty or zero is left out of a message.
    const {
      stdout = '',
      stderr = '',
      exit_code: status = 0,
    } = (await call('ExecSync', {
      ...{ container_id: container, cmd: command, timeout: 20 },
    })) as { stdout?: Buffer; stderr?: Buffer; exit_code?: number };
    const said = `${stdout.toString()}${stderr.toString()}`;
    if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}: ${said}`);
    return said;
  };
