import { expect, test } from 'vitest';
import { addressReport, datastoreReport, natReport } from '../../../src/agent/status.ts';
import { parseInterfaceAddress, parsePrefix } from '../../../src/model/ip.ts';

test('NAT is told by pool and by tunnel, with the error where there is one', () => {
  const reason = 'as Calico has it';
  const pool = { kind: 'pool', name: 'blue', cidr: parsePrefix('10.48.0.0/16') } as const;
  expect(natReport({ subject: pool, state: 'in force', reason })).toEqual({
    subject: 'ippool blue (10.48.0.0/16)',
    state: 'in force',
    reason,
  });
  const subject = { kind: 'tunnel', link: 'tunl0' } as const;
  expect(natReport({ subject, state: 'failed', reason, error: 'no' })).toEqual({
    subject: 'tunl0',
    ...{ state: 'failed', reason, error: 'no' },
  });
});

test('how the node came to its address is told with every candidate, one without an address too', () => {
  const address = parseInterfaceAddress('10.0.1.5/24');
  expect(
    addressReport({
      ...{ address, reason: '10.0.1.5/24 of eth1, by first-found', warnings: ['choose one'], isAmbiguous: true },
      candidates: [
        { interfaceName: 'eth1', address, standing: 'taken', reason: 'comes first' },
        { interfaceName: 'eth2', standing: 'left out', reason: 'is down' },
      ],
    }),
  ).toEqual({
    ...{ reason: '10.0.1.5/24 of eth1, by first-found', warnings: ['choose one'], ambiguous: true },
    candidates: [
      { interface: 'eth1', address: '10.0.1.5/24', standing: 'taken', reason: 'comes first' },
      { interface: 'eth2', standing: 'left out', reason: 'is down' },
    ],
  });
});

test('since when the datastore is stale is told by the wall clock, whatever the monotonic one says', () => {
  const clock = { now: () => 5_000, wallTime: () => Date.parse('2026-01-01T00:01:00Z'), after: () => () => undefined };
  const view = { entries: new Map(), inSync: true, revision: 7 };
  expect(datastoreReport(undefined, clock)).toEqual({ inSync: false, revision: 0 });
  expect(datastoreReport(view, clock)).toEqual({ inSync: true, revision: 7 });
  expect(datastoreReport({ ...view, stale: 'refused', staleSince: 2_000 }, clock)).toEqual({
    ...{ inSync: true, revision: 7, stale: 'refused', staleSince: '2026-01-01T00:00:57.000Z' },
  });
});
