import { expect, test, vi } from 'vitest';
import { SelectionDeferral } from '../../../bird/graceful-restart/selection-deferral.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

function deferralOf(isRestarting: boolean) {
  const clock = new FakeClock();
  const { log, lines } = memoryLogger();
  const ports = { clock, log, ended: vi.fn(), caughtUp: vi.fn() };
  const deferral = new SelectionDeferral(isRestarting, ports);
  const states = () => [deferral.isDeferring, deferral.isConverged];
  const told = () => [ports.ended.mock.calls.length, ports.caughtUp.mock.calls.length];
  return { clock, deferral, states, told, lines };
}

test('a speaker that does not restart is converged, and waits for nothing', () => {
  const { clock, deferral, states, told } = deferralOf(false);
  deferral.start(60);
  deferral.take({ type: 'originatedSet' });
  deferral.settled();
  expect([states(), told(), clock.pending]).toEqual([[false, true], [0, 0], 0]);
});

test('after a restart it is converged when selection is through with what piled up, and says so once', () => {
  const { clock, deferral, states, told, lines } = deferralOf(true);
  deferral.start(60);
  deferral.take({ type: 'originatedSet' });
  deferral.settled();
  expect([states(), told(), clock.pending]).toEqual([[true, false], [0, 0], 1]);
  deferral.take({ type: 'peersSet', peers: [] });
  expect([states(), told(), clock.pending]).toEqual([[false, false], [1, 0], 0]);
  expect(lines).toMatchObject([{ fields: { cause: 'peersSet' } }]);
  for (let i = 0; i < 2; i++) deferral.settled();
  expect([states(), told()]).toEqual([
    [false, true],
    [1, 1],
  ]);
});

test.each([
  { what: 'the time is over', advance: 60_000, states: [false, false], pending: 0 },
  { what: 'not before', advance: 59_999, states: [true, false], pending: 1 },
])('selection starts without the peers: $what', async ({ advance, states: expected, pending }) => {
  const { clock, deferral, states } = deferralOf(true);
  deferral.start(60);
  await clock.advance(advance);
  expect([states(), clock.pending]).toEqual([expected, pending]);
});

test('closed, it leaves no timer', () => {
  const { clock, deferral } = deferralOf(true);
  deferral.start(60);
  deferral.close();
  expect(clock.pending).toBe(0);
});
