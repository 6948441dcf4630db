import { expect, test } from 'vitest';
import { sourceTowards } from '../../../src/agent/reach.ts';
import { formatIpAddress } from '../../../src/model/ip.ts';

test('the source towards an address of this host is that address', async () => {
  const source = await sourceTowards('127.0.0.1', 4);
  expect(source && formatIpAddress(source)).toBe('127.0.0.1');
});

/** The kernel refuses it (EACCES) without SO_BROADCAST; `0.0.0.0`, which the socket is bound to, is no answer. */
test('where the kernel refuses to connect there is none', async () => {
  expect(await sourceTowards('255.255.255.255', 4)).toBeUndefined();
});

test('an address of the other family cannot be reached', async () => {
  expect(await sourceTowards('::1', 4)).toBeUndefined();
});
