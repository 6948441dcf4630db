import { expect, test } from 'vitest';
import { capabilityTexts } from '../../../bird/peer/capability-text.ts';

test('graceful restart without a family is that of a helper', () => {
  const ipv4 = { family: { afi: 1, safi: 1 }, forwardingPreserved: true } as const;
  const short = { name: 'graceful-restart', restarting: false, notification: true, restartSeconds: 120 } as const;
  expect(
    capabilityTexts([
      { ...short, families: [] },
      { ...short, families: [ipv4] },
      { name: 'long-lived-graceful-restart', families: [] },
      { name: 'long-lived-graceful-restart', families: [{ ...ipv4, staleSeconds: 60 }] },
    ]),
  ).toEqual([
    'graceful restart 120 s (N) as a helper',
    'graceful restart 120 s (N) with IPv4 unicast (F)',
    'long-lived graceful restart as a helper',
    'long-lived graceful restart IPv4 unicast 60 s (F)',
  ]);
});
