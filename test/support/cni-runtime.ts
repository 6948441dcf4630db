/** A container runtime as far as networks go: it calls the plugins of a conflist as libcni does (CNI specification, 3 and 4). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runPlugin } from './cni-plugin.ts';
import type { Run } from './cni-plugin.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Conflist {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly Json[];
}

export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  /** Default: eth0. */
  readonly ifName?: string;
  /** CNI_ARGS. */
  readonly args?: string;
  /** By name of the capability: `portMappings`. */
  readonly capabilities?: Json;
}

export interface RuntimeSetup {
  readonly conflist: Conflist;
  /** Where plugins are looked for, in order. */
  readonly path: readonly string[];
  /** The host's network namespace; default: the caller's. */
  readonly host?: string;
}

/** A plugin said no; `code` is of the specification, section 5. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export class CniRuntime {
  readonly #setup: RuntimeSetup;
  readonly #results = new Map<string, Json>();

  constructor(setup: RuntimeSetup) {
    this.#setup = setup;
  }

  /** Each plugin gets the result of the one before; the last one's is the answer, kept for DEL and CHECK. */
  async add(attachment: Attachment): Promise<Json> {
    let result: Json | undefined;
    for (const plugin of this.#setup.conflist.plugins) {
      result = await this.#call('ADD', plugin, { attachment, ...(result === undefined ? {} : { prevResult: result }) });
    }
    this.#results.set(keyOf(attachment), result!);
    return result!;
  }

  async del(attachment: Attachment): Promise<void> {
    for (const plugin of this.#setup.conflist.plugins.toReversed()) {
      await this.#call('DEL', plugin, { attachment, ...this.#previous(attachment) });
    }
    this.#results.delete(keyOf(attachment));
  }

  async check(attachment: Attachment): Promise<void> {
    for (const plugin of this.#setup.conflist.plugins) {
      await this.#call('CHECK', plugin, { attachment, ...this.#previous(attachment) });
    }
  }

  /** What is not among `valid` may go. */
  async gc(valid: readonly Attachment[]): Promise<void> {
    const attachments = valid.map(({ containerId, ifName = 'eth0' }) => ({ containerID: containerId, ifname: ifName }));
    for (const plugin of this.#setup.conflist.plugins) {
      await this.#call('GC', plugin, { extra: { 'cni.dev/valid-attachments': attachments } });
    }
  }

  async status(): Promise<void> {
    for (const plugin of this.#setup.conflist.plugins) await this.#call('STATUS', plugin, {});
  }

  #previous(attachment: Attachment): { readonly prevResult?: Json } {
    const prevResult = this.#results.get(keyOf(attachment));
    return prevResult === undefined ? {} : { prevResult };
  }

  async #call(
    command: string,
    plugin: Json,
    { attachment, prevResult, extra = {} }: { attachment?: Attachment; prevResult?: Json; extra?: Json },
  ): Promise<Json> {
    const { conflist, path, host } = this.#setup;
    const program = path.map((directory) => join(directory, String(plugin['type']))).find((file) => existsSync(file));
    if (program === undefined) throw new Error(`no plugin ${String(plugin['type'])} in ${path.join(', ')}`);
    const stdin = JSON.stringify({
      ...{ cniVersion: conflist.cniVersion, name: conflist.name },
      ...withCapabilities(plugin, attachment?.capabilities ?? {}),
      ...(prevResult === undefined ? {} : { prevResult }),
      ...extra,
    });
    const env = { ...environmentOf(command, attachment), CNI_PATH: path.join(':'), PATH: process.env['PATH'] ?? '' };
    const inHost = host === undefined ? [] : ['ip', 'netns', 'exec', host];
    return answerOf(await runPlugin([...inHost, program], { env, stdin }));
  }
}

const keyOf = ({ containerId, ifName = 'eth0' }: Attachment): string => `${containerId} ${ifName}`;

/** What a runtime says in the environment. */
export const environmentOf = (command: string, attachment?: Attachment): Readonly<Record<string, string>> => ({
  CNI_COMMAND: command,
  ...(attachment === undefined
    ? {}
    : {
        CNI_CONTAINERID: attachment.containerId,
        CNI_NETNS: attachment.netns,
        CNI_IFNAME: attachment.ifName ?? 'eth0',
        ...(attachment.args === undefined ? {} : { CNI_ARGS: attachment.args }),
      }),
});

/** `capabilities` says which of the runtime's the plugin wants; it gets them as `runtimeConfig`. */
function withCapabilities({ capabilities, ...plugin }: Json, given: Json): Json {
  const wanted = Object.keys((capabilities ?? {}) as Json).filter((name) => given[name] !== undefined);
  if (wanted.length === 0) return plugin;
  return { ...plugin, runtimeConfig: Object.fromEntries(wanted.map((name) => [name, given[name]])) };
}

/** Throws PluginError for a CNI error, Error for a plugin that broke the rules. */
export function answerOf({ status, signal, stdout, stderr }: Run): Json {
  if (signal !== null) throw new Error(`the plugin was ended by ${signal}`);
  const answer = stdout === '' ? {} : (JSON.parse(stdout) as Json);
  if (status === 0) return answer;
  if (typeof answer['code'] !== 'number') throw new Error(`exit ${status} with no CNI error: ${stdout}${stderr}`);
  const { code, msg, details } = answer as { code: number; msg?: string; details?: string };
  throw new PluginError(code, [msg, details].filter(Boolean).join('; '));
}
