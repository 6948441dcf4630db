import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { checkPortsAreFree, sourceTowards } from '../../../src/agent/reach.ts';
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

test('a port that another process has is told; on another address, or one that is not here, it is no trouble', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => void holder.listen({ host: '127.0.0.1', port: 0 }, () => resolve()));
  const { port } = holder.address() as AddressInfo;
  const check = (...addresses: readonly string[]) => checkPortsAreFree(addresses.map((address) => ({ address, port })));
  try {
    await expect(check('127.0.0.2', '127.0.0.1')).rejects.toThrow(`port ${port} is in use by another process`);
    await expect(check('0.0.0.0')).rejects.toThrow('is in use');
    await expect(check('127.0.0.2', '192.0.2.1')).resolves.toBeUndefined();
  } finally {
    await new Promise((resolve) => void holder.close(resolve));
  }
});
