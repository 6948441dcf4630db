import { expect, test } from 'vitest';
import { inWords, lossOf, PingReports, readAnswers, readRemarks, reportOn, unexplainedLossOf } from './pinger.ts';

const line = (sequence: number, seconds: number): string =>
  `[${seconds.toFixed(6)}] 64 bytes from 192.168.2.5: icmp_seq=${sequence} ttl=61 time=0.1 ms`;

const between = (...spans: readonly (readonly [number, number])[]) => spans;

test('answers are read with number and time; what is no answer is none', () => {
  const printed = [
    'PING 192.168.2.5 (192.168.2.5) 56(84) bytes of data.',
    line(1, 10),
    '[10.005000] From 172.30.1.11 icmp_seq=2 Destination Host Unreachable',
    line(3, 10.01),
    '[10.0150', // the line is still being written
  ].join('\n');
  expect(readAnswers(printed)).toEqual([
    { sequence: 1, atMs: 10_000 },
    { sequence: 3, atMs: 10_010 },
  ]);
  expect(readRemarks(printed)).toEqual(['[10.005000] From 172.30.1.11 icmp_seq=2 Destination Host Unreachable']);
  expect(readRemarks('ping: sendmsg: No buffer space available\n')).toHaveLength(1);
});

test('numbers go on where ICMP begins again, late answers too', () => {
  const printed = [65_534, 0, 65_535, 1, 2].map((sequence) => line(sequence, 1)).join('\n');
  expect(readAnswers(printed).map(({ sequence }) => sequence)).toEqual([65_534, 65_536, 65_535, 65_537, 65_538]);
  const twice = [1, 30_000, 60_000, 20_000, 50_000, 10_000].map((sequence) => line(sequence, 1)).join('\n');
  expect(readAnswers(twice).at(-1)).toEqual({ sequence: 141_072, atMs: 1000 });
});

test('lost is what has no answer between the first number and the last, whatever the order; the longest gap in time is told', () => {
  const at = (sequence: number, atMs: number) => ({ sequence, atMs });
  const report = reportOn([at(1, 0), at(2, 5), at(6, 40), at(4, 35), at(4, 36), at(7, 45)]);
  expect(report).toEqual({ received: 5, lost: [3, 5], outageMs: 30, lostBetween: between([5, 35], [36, 40]) });
  expect(reportOn([at(3, 5)])).toEqual({ received: 1, lost: [], outageMs: 0, lostBetween: [] });
  expect(reportOn([at(1, 0), at(2, 500)])).toEqual({ received: 2, lost: [], outageMs: 0, lostBetween: [] });
  const reports = new Map([
    ['a > b', report],
    ['b > a', reportOn([at(1, 0)])],
  ]);
  expect(lossOf(reports)).toEqual({ 'a > b': [3, 5] });
  expect(inWords(reports)).toBe('a > b: 5 answers, 2 lost, longest outage 30 ms; b > a: 1 answers, 0 lost');
});

test('of pings that take turns no two packets have one number, and an outage ends with the first answer of any', () => {
  const at = (sequence: number, atMs: number) => ({ sequence, atMs });
  const one = [at(1, 0), at(2, 20), at(6, 100), at(7, 120)];
  const other = [at(1, 10), at(2, 30), at(5, 90)];
  expect(reportOn(one, other)).toEqual({
    ...{ received: 7, lost: [6, 7, 8, 9, 10], outageMs: 60 },
    lostBetween: between([20, 100], [30, 90], [20, 100], [30, 90], [20, 100]),
  });
  // Nothing lost in the longest time without an answer.
  expect(reportOn(one, [at(1, 10), at(2, 60), at(3, 400)])).toMatchObject({ lost: [6, 8, 10], outageMs: 40 });
});

test('a loss is explained only by as many packets that the kernel threw away', () => {
  const reports = new PingReports();
  const lossless = { received: 5, outageMs: 0, lostBetween: [], remarks: [] };
  reports
    .set('a > b', { ...lossless, lost: [3] })
    .set('b > a', { ...lossless, lost: [7] })
    .set('a > c', { ...lossless, lost: [] });
  reports.discards = {
    deadRoute: 1,
    by: new Map([
      ['dst_discard', 1],
      ['ip_error', 4],
    ]),
  };
  expect(unexplainedLossOf(reports)).toEqual({ 'a > b': [3], 'b > a': [7] });
  reports.discards = {
    deadRoute: 2,
    by: new Map([
      ['dst_discard', 2],
      ['ip_error', 4],
    ]),
  };
  expect(unexplainedLossOf(reports)).toEqual({});
  expect(inWords(reports)).toMatch(/; thrown away by the kernel: 2 by dst_discard, 4 by ip_error$/);
});
