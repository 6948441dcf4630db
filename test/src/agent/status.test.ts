import { expect, test } from 'vitest';
import { natReport } from '../../../src/agent/status.ts';
import { parsePrefix } from '../../../src/model/ip.ts';

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
