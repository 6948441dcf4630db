import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ControlPacket } from '../../../bird/bfd/packet.ts';
import type { Session, Timing } from '../../../bird/bfd/session.ts';
import { detectionMs, transmitIntervalMs } from '../../../bird/bfd/session.ts';
import { BfdLink, CLEAN, DEAD } from '../../support/bfd-link.ts';
import type { End, Quality } from '../../support/bfd-link.ts';

const interval = fc.constantFrom(10, 50, 300, 1000, 1500);
const timing: fc.Arbitrary<Timing> = fc.record({
  transmitMs: interval,
  receiveMs: interval,
  multiplier: fc.integer({ min: 2, max: 5 }),
});
const timings = fc.tuple(timing, timing);
const seed = fc.integer({ min: 1, max: 2 ** 31 - 2 });
const bad: fc.Arbitrary<Quality> = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.5, 0.9),
  duplication: fc.constantFrom(0, 0.3),
  delayMs: fc.constantFrom([1, 1] as const, [1, 400] as const, [200, 1500] as const),
});

/** What operators do meanwhile. */
const deed = fc.record({
  waitMs: fc.integer({ min: 0, max: 3000 }),
  who: fc.constantFrom(0 as const, 1 as const),
  event: fc.oneof(
    timing.map((next) => ({ type: 'configured', timing: next }) as const),
    fc.constant({ type: 'disabled' } as const),
    fc.constant({ type: 'enabled' } as const),
  ),
});

/** Park and Miller: the same chances for the same seed. */
function chances(from: number): () => number {
  let state = from;
  return () => {
    state = (state * 16807) % 2147483647;
    return (state - 1) / 2147483646;
  };
}

/** Long enough for three slow packets each way, the detection of what was, and two Poll Sequences, each after the other. */
const SETTLED_MS = 30_000;

function expectAgreement({ ends }: BfdLink): void {
  const [a, b] = [ends[0].session, ends[1].session];
  for (const [own, other] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(own).toMatchObject({ state: 'Up', diagnostic: 0, poll: 'idle', isPollOwed: false });
    expect(own.remote?.discriminator).toBe(other.localDiscriminator);
    expect(transmitIntervalMs(own)).toBe(Math.max(own.timing.transmitMs, other.timing.receiveMs));
    expect(detectionMs(own)).toBe(other.timing.multiplier * Math.max(own.timing.receiveMs, other.timing.transmitMs));
  }
}

/** Neither is an answer. */
const saysTheSame = (a: ControlPacket, b: ControlPacket): boolean =>
  !a.final && !b.final && JSON.stringify({ ...a, poll: false }) === JSON.stringify({ ...b, poll: false });

const isUp = ({ state }: Session): boolean => state === 'Up';
const failures = ({ reports }: End): number => reports.filter(({ isPathFailure }) => isPathFailure).length;

test('on a clean link two sessions come up within three seconds, at the rates that both asked for, and stay', () => {
  fc.assert(
    fc.property(timings, seed, (both, from) => {
      const link = new BfdLink(both, chances(from));
      link.run(
        Math.max(3000, 3 * Math.max(both[0].transmitMs, both[1].transmitMs, both[0].receiveMs, both[1].receiveMs)),
      );
      expect(link.ends.map(({ session }) => isUp(session))).toEqual([true, true]);
      link.run(SETTLED_MS);
      expectAgreement(link);
      expect(link.ends.map(({ reports }) => reports.map(({ state }) => state))).toEqual([['Up'], ['Up']]);
    }),
    { numRuns: 60 },
  );
});

test('whatever the link and the operators did, once it is clean and both want it they are Up and agree', () => {
  fc.assert(
    fc.property(
      timings,
      seed,
      fc.record({ quality: fc.tuple(bad, bad), deeds: fc.array(deed, { maxLength: 8 }) }),
      (both, from, past) => {
        const link = new BfdLink(both, chances(from));
        link.run(from % 5000);
        link.quality = past.quality;
        for (const { waitMs, who, event } of past.deeds) {
          link.run(waitMs);
          link.tell(who, event);
        }
        link.run(3000);
        link.quality = [CLEAN, CLEAN];
        for (const who of [0, 1] as const) link.tell(who, { type: 'enabled' });
        link.run(SETTLED_MS);
        expectAgreement(link);
        for (const { reports } of link.ends) {
          // Up and Down take turns: nothing is down that was not up.
          expect(reports.map(({ state }) => state)).toEqual(reports.map((_, i) => (i % 2 === 0 ? 'Up' : 'Down')));
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a link that dies in both directions, or in one, is seen by both ends within a Detection Time and a packet', () => {
  fc.assert(
    fc.property(
      timings,
      seed,
      fc.constantFrom<readonly [Quality, Quality]>([DEAD, DEAD], [DEAD, CLEAN], [CLEAN, DEAD]),
      (both, from, how) => {
        const link = new BfdLink(both, chances(from));
        link.run(SETTLED_MS);
        const detections = link.ends.map(({ session }) => detectionMs(session)!);
        link.quality = how;
        link.run(Math.max(...detections) + 10);
        expect(link.ends.map(({ session }) => isUp(session))).toEqual([false, false]);
        link.run(20_000);
        expect(link.ends.map(({ session }) => isUp(session))).toEqual([false, false]);
        expect(link.ends.map(failures)).toEqual([1, 1]);
      },
    ),
    { numRuns: 60 },
  );
});

test('a change of timers on a running session costs no flap on a clean link, in any order and number', () => {
  const change = fc.record({
    waitMs: fc.integer({ min: 0, max: 2000 }),
    who: fc.constantFrom(0 as const, 1 as const),
    timing,
  });
  fc.assert(
    fc.property(timings, seed, fc.array(change, { minLength: 1, maxLength: 8 }), (both, from, changes) => {
      const link = new BfdLink(both, chances(from));
      link.run(SETTLED_MS);
      for (const one of changes) {
        link.run(one.waitMs);
        link.tell(one.who, { type: 'configured', timing: one.timing });
      }
      link.run(SETTLED_MS);
      expectAgreement(link);
      expect(link.ends.map(({ reports }) => reports.length)).toEqual([1, 1]);
    }),
    { numRuns: 150 },
  );
});

test('what is sent keeps the rules: never P with F, F only when asked, and no faster than a second unless Up', () => {
  fc.assert(
    fc.property(timings, seed, fc.tuple(bad, bad), (both, from, quality) => {
      const link = new BfdLink(both, chances(from));
      link.quality = quality;
      link.run(20_000);
      for (const { sent } of link.ends) {
        for (const { packet } of sent) {
          expect(packet.poll && packet.final).toBe(false);
          if (packet.state !== 'Up') expect(packet.desiredMinTxUs).toBeGreaterThanOrEqual(1_000_000);
        }
        for (const [i, { at, packet }] of sent.entries()) {
          const previous = sent[i - 1];
          if (previous === undefined || packet.state === 'Up' || !saysTheSame(previous.packet, packet)) continue;
          expect(at - previous.at).toBeGreaterThanOrEqual(750);
        }
      }
    }),
    { numRuns: 60 },
  );
});
