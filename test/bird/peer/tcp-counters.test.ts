import { expect, test } from 'vitest';
import { procNetstat } from '../../../bird/peer/proc-netstat.ts';
import { parseNetstat, sharedEvidence } from '../../../bird/peer/tcp-counters.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeTcpEvidence } from '../../support/fake-tcp-evidence.ts';

const NETSTAT = `TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPMinTTLDrop
TcpExt: 9 1 2 3 8 4
IpExt: InNoRoutes TCPMD5Failure
IpExt: 7 70
`;

test('the counters are found by name, whatever stands between them', () => {
  expect(parseNetstat(NETSTAT)).toEqual({ md5NotFound: 1, md5Unexpected: 2, md5Failure: 3, minTtlDrop: 4 });
});

test('a counter that the kernel lacks is 0, and without the group there is no evidence', () => {
  expect(parseNetstat(NETSTAT.replace('TCPMinTTLDrop', 'Other'))?.minTtlDrop).toBe(0);
  expect(parseNetstat(NETSTAT.replaceAll('TcpExt:', 'Other:'))).toBeUndefined();
  expect(parseNetstat('')).toBeUndefined();
});

test('this kernel tells', () => {
  expect(procNetstat()).toEqual({
    md5NotFound: expect.any(Number),
    md5Unexpected: expect.any(Number),
    md5Failure: expect.any(Number),
    minTtlDrop: expect.any(Number),
  });
});

test('the fake counts as the kernel does', () => {
  const evidence = new FakeTcpEvidence();
  evidence.drop('md5Failure');
  evidence.drop('md5Failure', 2);
  expect(evidence.read()).toMatchObject({ md5Failure: 3, minTtlDrop: 0 });
});

test('a thousand peers that ask at once share a reading, and who asks later has one of his own', async () => {
  const clock = new FakeClock();
  const evidence = new FakeTcpEvidence();
  const reading = { times: 0 };
  const shared = sharedEvidence(() => {
    reading.times++;
    return evidence.read();
  }, clock);
  for (let i = 0; i < 1000; i++) shared();
  expect(reading.times).toBe(1);
  evidence.drop('md5Failure');
  await clock.advance(100);
  expect(shared()).toMatchObject({ md5Failure: 1 });
});
