/** One call of a CNI runtime, from its words to the plugin's. */
import { HOST_LINK_LOCAL, HOST_MAC, IPV4_GATEWAY } from '../../felix/index.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpFamily } from '../model/ip.ts';
import { formatPrefix, hostPrefix } from '../model/ip.ts';
import { parseResourceName } from '../model/resource-name.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { addPod } from './add.ts';
import type { Attached } from './add.ts';
import type { Attachment, AddressWish, Workload } from './attachment.ts';
import { addressWish, workloadOf } from './attachment.ts';
import { checkPod } from './check.ts';
import { removePod } from './del.ts';
import type { CniEnvironment } from './environment.ts';
import { checkVariables, parseArgs, readVerb } from './environment.ts';
import { CNI_CODE, CniError, formatError } from './errors.ts';
import { toCniError } from './failures.ts';
import { collectGarbage } from './gc.ts';
import type { NetworkConfig } from './network-config.ts';
import { decodeConfig, ignoredKeys, readConfig, readNetwork, readValidAttachments } from './network-config.ts';
import type { PodPorts } from './ports.ts';
import type { CniResult } from './result.ts';
import { appended, formatResult, readPrevResult } from './result.ts';
import { RunningAdds } from './running-adds.ts';
import type { CniVersion, Verb } from './versions.ts';
import { NEWEST_VERSION, requireVersion, SUPPORTED_VERSIONS } from './versions.ts';

/** The runtime has an answer within so long, whatever happens: as long as Calico's IPAM takes at most. */
const LIMIT_MS = 90_000;

export interface CniPorts {
  readonly pods: PodPorts;
  readonly clock: Clock;
  readonly log: Logger;
  /** Throws CniError, try again later: nothing may be written now. */
  requireWritable(): void;
  /** Throws CniError, try again later: it is not known yet what there is to give. */
  requireKnowledge(): void;
  /** STATUS: rejects with CniError, why an ADD with this wish would fail. */
  requireReady(wish: AddressWish): Promise<void>;
}

export interface CniAnswer {
  /** 0: success; else the code of the error that `body` is. */
  readonly code: number;
  /** For the plugin's stdout; may be empty. */
  readonly body: string;
}

interface Call {
  readonly verb: Verb;
  readonly environment: CniEnvironment;
  readonly json: Readonly<Record<string, unknown>>;
  readonly version: CniVersion;
}

export class CniVerbs {
  readonly #ports: CniPorts;
  readonly #adds = new RunningAdds();
  readonly #told = new Set<string>();

  constructor(ports: CniPorts) {
    this.#ports = ports;
  }

  /** Never rejects: a failure is an answer too. */
  async answer(environment: CniEnvironment, stdin: Uint8Array): Promise<CniAnswer> {
    let cniVersion: string = NEWEST_VERSION;
    try {
      const verb = readVerb(environment);
      const json = verb === 'VERSION' && stdin.length === 0 ? {} : decodeConfig(stdin);
      const told = json['cniVersion'];
      if (typeof told === 'string') cniVersion = told;
      if (verb === 'VERSION')
        return { code: 0, body: JSON.stringify({ cniVersion, supportedVersions: SUPPORTED_VERSIONS }) };
      const version = requireVersion(typeof told === 'string' ? told : undefined, verb);
      checkVariables(verb, environment);
      return { code: 0, body: await this.#within({ verb, environment, json, version }) };
    } catch (error) {
      const failure = toCniError(error);
      const { command, containerId } = environment;
      // A runtime asks for STATUS every few seconds.
      const level = command === 'STATUS' ? 'debug' : 'warn';
      this.#ports.log[level]({ command, containerId, code: failure.code, error: failure.message }, 'a CNI call failed');
      return { code: failure.code, body: formatError(failure, cniVersion) };
    }
  }

  /** What is still at work when the time is over takes back what it made; the answer does not wait for that. */
  async #within(call: Call): Promise<string> {
    const { clock } = this.#ports;
    const tooLate = new CniError(CNI_CODE.tryAgainLater, `${call.verb} was not done within ${LIMIT_MS / 1000} s`);
    const timeout = Promise.withResolvers<never>();
    let isOver = false;
    const cancel = clock.after(LIMIT_MS, () => {
      isOver = true;
      timeout.reject(tooLate);
    });
    const limit = (): void => {
      if (isOver) throw tooLate;
    };
    const work = this.#perform(call, limit);
    try {
      return await Promise.race([work, timeout.promise]);
    } finally {
      cancel();
      // Who is late has nobody to tell any more.
      work.catch(() => undefined);
    }
  }

  async #perform(call: Call, limit: () => void): Promise<string> {
    const { pods } = this.#ports;
    switch (call.verb) {
      case 'ADD':
        return this.#add(call, limit);
      case 'DEL':
        this.#ports.requireWritable();
        await removePod({ ...containerOf(call), network: readNetwork(call.json) }, pods);
        return '';
      case 'CHECK':
        await this.#check(call);
        return '';
      case 'GC': {
        this.#ports.requireWritable();
        const [network, valid] = [readNetwork(call.json), readValidAttachments(call.json)];
        await this.#adds.during((isNew) => collectGarbage({ network, valid, isNew }, pods));
        return '';
      }
      case 'STATUS':
        await this.#ports.requireReady(addressWish(this.#config(call), {}));
        return '';
      case 'VERSION':
        throw new Error('answered before');
    }
  }

  async #add(call: Call, limit: () => void): Promise<string> {
    const config = this.#config(call);
    const attachment = attachmentOf(call, config);
    const before = config.prevResult === undefined ? undefined : readPrevResult(config.prevResult);
    this.#ports.requireWritable();
    this.#ports.requireKnowledge();
    const { containerId } = attachment;
    const attached = await this.#adds.run(containerId, () => addPod(attachment, this.#ports.pods, limit));
    return formatResult(appended(before, resultOf(attachment, attached, config)), call.version);
  }

  async #check(call: Call): Promise<void> {
    const config = this.#config(call);
    if (config.prevResult === undefined)
      throw new CniError(CNI_CODE.invalidConfig, 'prevResult is missing: CHECK needs it');
    const { network, containerId, interfaceName, netns, workload } = attachmentOf(call, config);
    const prevResult = readPrevResult(config.prevResult);
    await checkPod({ network, containerId, interfaceName, netns, workload, prevResult }, this.#ports.pods);
  }

  #config({ json }: Call): NetworkConfig {
    const config = readConfig(json, this.#ports.pods.node);
    const keys = ignoredKeys(config).filter((key) => !this.#told.has(key));
    if (keys.length > 0) {
      for (const key of keys) this.#told.add(key);
      this.#ports.log.info({ keys }, 'keys of the network configuration that change nothing: the agent has its own');
    }
    return config;
  }
}

const containerOf = ({ environment: { containerId = '', ifName = '' } }: Call) => ({
  containerId,
  interfaceName: ifName,
});

function attachmentOf(call: Call, config: NetworkConfig): Attachment {
  const args = parseArgs(call.environment.args);
  const { containerId, interfaceName } = containerOf(call);
  const workload = workloadOf(args, containerId);
  checkNames(workload, interfaceName);
  return {
    ...{ network: config.name, containerId, interfaceName, workload },
    netns: call.environment.netns ?? '',
    mtu: config.mtu,
    allowIpForwarding: config.container_settings.allow_ip_forwarding,
    wish: addressWish(config, args),
  };
}

/** What a WorkloadEndpoint is named by, before anything is made that could not be recorded. */
function checkNames(workload: Workload, interfaceName: string): void {
  const names =
    workload.orchestrator === 'k8s'
      ? { 'CNI_ARGS: K8S_POD_NAMESPACE': workload.namespace, 'CNI_ARGS: K8S_POD_NAME': workload.pod }
      : { CNI_CONTAINERID: workload.containerId };
  try {
    for (const [field, name] of Object.entries({ ...names, CNI_IFNAME: interfaceName })) parseResourceName(name, field);
  } catch (error) {
    if (error instanceof InvalidValueError) throw new CniError(CNI_CODE.invalidEnvironment, error.message);
    throw error;
  }
}

const GATEWAYS: Readonly<Record<IpFamily, { readonly dst: string; readonly gw: string }>> = {
  4: { dst: '0.0.0.0/0', gw: IPV4_GATEWAY },
  6: { dst: '::/0', gw: HOST_LINK_LOCAL },
};

function resultOf({ interfaceName, netns }: Attachment, attached: Attached, { dns }: NetworkConfig): CniResult {
  const { hostInterface, mac, mtu, addresses } = attached;
  return {
    interfaces: [
      { name: hostInterface, mac: HOST_MAC, mtu },
      { name: interfaceName, mac, mtu, sandbox: netns },
    ],
    ips: addresses.map((address) => ({ address: formatPrefix(hostPrefix(address)), interface: 1 })),
    routes: addresses.map(({ family }) => GATEWAYS[family]),
    dns,
  };
}
