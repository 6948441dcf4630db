import { beforeEach, expect, test } from 'vitest';
import { RefusedCallers } from '../../bird/refused-callers.ts';
import { formatIpAddress, ipv4Address, parseIpAddress } from '../../src/model/ip.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let lines: object[];
let refused: RefusedCallers;

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  refused = new RefusedCallers(clock, { ...silentLogger, info: (fields) => lines.push(fields) });
});

const caller = (address: string, link?: string) => ({ address: parseIpAddress(address), interface: link });

test('one line a minute for each caller, with the number of its calls', async () => {
  for (let second = 0; second < 70; second++) {
    refused.note(caller('10.0.0.1'), 'stranger');
    if (second === 0) refused.note(caller('fe80::1', 'eth0'), 'full');
    await clock.advance(1000);
  }
  expect(lines).toEqual([
    { peer: '10.0.0.1', times: 1, why: 'stranger' },
    { peer: 'fe80::1%eth0', times: 1, why: 'full' },
    { peer: '10.0.0.1', times: 60, why: 'stranger' },
  ]);
});

test('a flood from many addresses is some lines a minute, and says how many are missing', async () => {
  for (let i = 0; i < 10_000; i++) refused.note({ address: ipv4Address(i), interface: undefined }, 'stranger');
  expect(lines).toHaveLength(30);
  await clock.advance(60_000);
  refused.note(caller('10.0.0.1'), 'stranger');
  expect(lines.at(-1)).toEqual({ peer: '10.0.0.1', times: 1, why: 'stranger', callsNotLogged: 9970 });
});

test('each is remembered with its count, its last call and why, and only the last ones of many', async () => {
  refused.note(caller('10.0.0.1'), 'stranger');
  await clock.advance(5000);
  refused.note(caller('10.0.0.2'), 'stranger');
  refused.note(caller('10.0.0.1'), 'full');
  expect(refused.list()).toEqual([
    { address: parseIpAddress('10.0.0.2'), count: 1, lastAt: 5000, why: 'stranger' },
    { address: parseIpAddress('10.0.0.1'), count: 2, lastAt: 5000, why: 'full' },
  ]);
  for (let i = 0; i < 1000; i++) refused.note({ address: ipv4Address(i), interface: undefined }, 'stranger');
  const list = refused.list();
  expect([list.length, formatIpAddress(list.at(-1)!.address)]).toEqual([256, '0.0.3.231']);
});
