/** What routes took that are gone is given back, whoever was the last to know of them. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PrefixTable } from '../../bird/rib/prefix-table.ts';
import { A, B, C, originate, peer, SpeakerBench } from '../support/speakers.ts';

let bench: SpeakerBench;

beforeEach(() => {
  bench = new SpeakerBench();
});
afterEach(async () => {
  await bench.close();
  vi.restoreAllMocks();
});

const PREFIXES = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
const SOME_OCTETS = 10_000;

test.each([
  { kind: 'takes the best path', addPath: {} },
  { kind: 'takes several paths', addPath: { addPath: { send: true, receive: true } } },
])('of a reflector whose client $kind', async ({ addPath }) => {
  const interning = vi.spyOn(PrefixTable.prototype, 'internAll');
  const octets = (): readonly number[] =>
    [...new Set(interning.mock.contexts as PrefixTable[])].map((table) => table.octets);
  const clients = [
    { address: B, routeReflectorClient: true },
    { address: C, routeReflectorClient: true, ...addPath },
  ];
  await bench.start({ address: A, clusterId: 1, peers: clients });
  const b = await bench.start({ address: B, peers: [{ address: A }], originates: PREFIXES });
  const c = await bench.start({ address: C, peers: [{ address: A, ...addPath }] });
  await bench.clock.advance(5000);
  expect(peer(c).accepted).toBe(PREFIXES.length);
  expect(octets().every((count) => count > SOME_OCTETS)).toBe(true);
  originate(b, []);
  await bench.clock.advance(10_000);
  expect(octets().every((count) => count < SOME_OCTETS)).toBe(true);
});
