/** The real host behind the doctor. */
import { createLinuxKernel } from '../../../felix/index.ts';
import { loadLibc } from '../../linux/libc.ts';
import { systemClock } from '../../runtime/clock.ts';
import { dial } from '../probe/dial.ts';
import { probe } from '../probe/probe.ts';
import { systemReader } from '../reader.ts';
import type { DoctorPorts } from './doctor.ts';
import type { ClockFacts, HostLink } from './host-facts.ts';

export const systemDoctorPorts = (sleep: (ms: number) => Promise<void>): DoctorPorts => ({
  ...{ reader: systemReader, links: listLinks, clock: readClock },
  probe: (targets, source) => probe(targets, source, { clock: systemClock, sleep }),
  dial: (targets) => dial(targets, sleep),
});

async function listLinks(): Promise<readonly HostLink[]> {
  const kernel = createLinuxKernel();
  try {
    const [links, addresses] = [await kernel.listLinks(), await kernel.listAddresses()];
    return links.map(({ index, name, kind, mtu, up, vxlan }) => ({
      ...{ index, name, mtu, up },
      ...(kind !== undefined && { kind }),
      ...(vxlan !== undefined && { vxlan }),
      addresses: addresses.filter(({ ifindex }) => ifindex === index).map(({ address }) => address),
    }));
  } finally {
    await kernel.close();
  }
}

/** struct timex on 64-bit Linux: `maxerror` is the fourth word, in microseconds. */
const TIMEX_OCTETS = 208;
const MAX_ERROR_AT = 24;
const TIME_ERROR = 5;

function readClock(): ClockFacts {
  const timex = new Uint8Array(TIMEX_OCTETS);
  const state = loadLibc().readClock(timex);
  const maxErrorUs = new DataView(timex.buffer).getBigInt64(MAX_ERROR_AT, true);
  return { isSynchronized: state !== TIME_ERROR, maxErrorMs: Number(maxErrorUs / 1000n) };
}
