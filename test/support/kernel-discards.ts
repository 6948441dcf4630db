/**
 * Packets that the kernel itself throws away between finding a route and following it. What goes through a tunnel has an exception
 * at its next hop, for the path's MTU (ip_tunnel's tnl_update_pmtu); after any change of a route in the namespace the next packet to
 * the same address renews it, and a packet that another processor has just routed by the old one is discarded (`dst_discard`; Linux
 * 6.1 and later, fnhe_flush_routes). It is some instructions wide; where processors are emulated and stand still in the middle of
 * it, `ip -batch` with `route replace` loses one packet in 15,000 by it, felix not being there at all. Counted, so that a test may
 * demand a reason for every lost packet.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

const TRACING = '/sys/kernel/tracing';
const INSTANCE = `${TRACING}/instances/calico-ts-test`;
const EVENT = `${INSTANCE}/events/skb/kfree_skb`;
/** Kibibytes a processor; a stack has about one, and only drops without a reason have theirs written down. */
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
    const reason = unspecified(readFileSync(`${EVENT}/format`, 'utf8'));
    writeFileSync(`${EVENT}/trigger`, `stacktrace if reason == ${reason} && protocol == ${IPV4}`);
    return new KernelDiscards();
  }

  /** Ends it, once; how many there were. */
  stop(): number {
    const trace = readFileSync(`${INSTANCE}/trace`, 'utf8');
    rmdirSync(INSTANCE);
    return discardsIn(trace);
  }
}

/** The number that this kernel has for "no reason given", which is what `dst_discard` says. */
export function unspecified(format: string): number {
  const [, number] = /\{ (\d+), "NOT_SPECIFIED" \}/.exec(format) ?? [];
  if (number === undefined) throw new Error('the kernel tells no reasons for dropped packets (before 5.17)');
  return Number(number);
}

/** Stacks in which a packet was handed to `dst_discard`; it is one function with `dst_discard_out`, whichever name is shown. */
export const discardsIn = (trace: string): number =>
  trace.split('<stack trace>').filter((s) => /=> dst_discard/.test(s)).length;
