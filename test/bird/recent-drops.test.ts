import { expect, test } from 'vitest';
import { RecentDrops } from '../../bird/recent-drops.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeTcpEvidence } from '../support/fake-tcp-evidence.ts';

test('what the kernel dropped long ago is forgotten after two to four minutes', async () => {
  const [clock, kernel] = [new FakeClock(), new FakeTcpEvidence()];
  const drops = new RecentDrops(clock, kernel.read);
  drops.start();
  kernel.drop('md5Failure', 5);
  expect(drops.before).toBeUndefined();
  await clock.advance(120_000);
  expect(drops.before?.md5Failure).toBe(0);
  await clock.advance(120_000);
  expect(drops.before?.md5Failure).toBe(5);
  drops.stop();
  kernel.drop('md5Failure', 5);
  await clock.advance(600_000);
  expect(drops.before?.md5Failure).toBe(5);
});

test('a kernel that does not tell is no fault', () => {
  const drops = new RecentDrops(new FakeClock(), () => undefined);
  drops.start();
  expect(drops.before).toBeUndefined();
  drops.stop();
});
