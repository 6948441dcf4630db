import { expect, test } from 'vitest';
import { procNetstat } from '../../../bird/peer/proc-netstat.ts';
import { parseNetstat } from '../../../bird/peer/tcp-counters.ts';
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
