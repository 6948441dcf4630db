/**
 * Packets that the kernel itself throws away between finding a route and following it (`dst_discard` under
 * `__netif_receive_skb_one_core`, seen on 6.1): `ip -batch` that replaced the route of pings through tunl0 without a pause lost 3 of some
 * 120,000 on emulated processors, felix not being there at all. By the kernel's source: what goes through a tunnel has an exception at
 * its next hop, for the path's MTU; after a change of a route the next packet to the same address renews it, and with it dies the route
 * that another processor has found a moment before (fnhe_flush_routes). Counted, so that a test may demand a reason for every lost packet.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

const TRACING = '/sys/kernel/tracing';
const INSTANCE = `${TRACING}/instances/calico-ts-test`;
const EVENT = `${INSTANCE}/events/skb/kfree_skb`;
/** Kibibytes a processor; a stack has about one, and only what is not usual has its own written down. */
const BUFFER = '4096';
const IPV4 = 0x0800;

export class KernelDiscards {
  /** Traces from now on; the machine's own kernel is not ours to trace, so only in the VM. */
  static start(): KernelDiscards | undefined {
    if (process.env['CALICO_TS_VM'] === undefined) return undefined;
    if (!existsSync(`${TRACING}/events`)) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACING]);
    if (existsSync(INSTANCE)) rmdirSync(INSTANCE);
    mkdirSync(INSTANCE);
    writeFileSync(`${INSTANCE}/buffer_size_kb`, BUFFER);
    const number = numbersOf(readFileSync(`${EVENT}/format`, 'utf8'));
    // What no socket took, or a socket's own filter: of every answer of ping there is one.
    const usual = ['NO_SOCKET', 'SOCKET_FILTER'].map((name) => `reason != ${number(name)}`).join(' && ');
    writeFileSync(`${EVENT}/trigger`, `stacktrace if ${usual} && protocol == ${IPV4}`);
    return new KernelDiscards();
  }

  /** Ends it, once. */
  stop(): Discards {
    const trace = readFileSync(`${INSTANCE}/trace`, 'utf8');
    rmdirSync(INSTANCE);
    return discardsIn(trace);
  }
}

export interface Discards {
  /** Packets whose route was dead when it was to be followed. */
  readonly deadRoute: number;
  /** All dropped packets by the function that dropped them; without what is usual. */
  readonly by: ReadonlyMap<string, number>;
}

/** The numbers that this kernel has for its reasons to drop a packet. */
export function numbersOf(format: string): (name: string) => number {
  return (name) => {
    const [, number] = new RegExp(`\\{ (\\d+), "${name}" \\}`).exec(format) ?? [];
    if (number === undefined) throw new Error(`the kernel knows no reason ${name} for a dropped packet (before 5.17)`);
    return Number(number);
  };
}

/** `dst_discard` is one function with `dst_discard_out`, whichever name is shown. */
export function discardsIn(trace: string): Discards {
  const by = new Map<string, number>();
  for (const stack of trace.split('<stack trace>').slice(1)) {
    const [, name = 'unknown'] = /=> kfree_skb\S*\n => (\S+)/.exec(stack) ?? [];
    by.set(name, (by.get(name) ?? 0) + 1);
  }
  return { deadRoute: (by.get('dst_discard') ?? 0) + (by.get('dst_discard_out') ?? 0), by };
}
