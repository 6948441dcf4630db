import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { startWakingServer } from '../../../src/api/waking-server.ts';
import type { ListeningServer } from '../../../src/api/waking-server.ts';

let server: ListeningServer | undefined;
let prepared = 0;
afterEach(async () => {
  await server?.close();
  server = undefined;
  prepared = 0;
});

async function start(handler: () => Promise<string> | string): Promise<string> {
  server = await startWakingServer({ port: 0, host: '127.0.0.1' }, (hapi) => {
    prepared++;
    hapi.route({ method: ['GET', 'POST'], path: '/', handler });
  });
  return `http://127.0.0.1:${server.port}/`;
}

/** A request as it is on the wire, on a connection of its own that stays open. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

describe('a server that wakes up', () => {
  test('has no hapi before the first request', async () => {
    await start(() => 'here');
    expect(prepared).toBe(0);
  });

  test('answers all who come while it wakes up, each once, with their bodies', async () => {
    let handled = 0;
    const url = await start(() => `${++handled}`);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const init = i % 2 === 0 ? {} : { method: 'POST', body: 'x'.repeat(100_000) };
        return (await fetch(url, init)).text();
      }),
    );
    expect(new Set(answers).size).toBe(20);
    expect([handled, prepared]).toEqual([20, 1]);
  });

  test('answers two requests that come in one piece', async () => {
    await start(() => 'here');
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    expect(await raw(server!.port, request + request)).toContain('200 OK');
  });

  test('says 404 and 400 as hapi does, from the first request on', async () => {
    const url = await start(() => 'here');
    expect(await (await fetch(`${url}nowhere`)).json()).toEqual({
      ...{ statusCode: 404, error: 'Not Found', message: 'Not Found' },
    });
    expect(await raw(server!.port, 'nonsense\r\n\r\n')).toContain('400 Bad Request');
  });

  test('closes without ever having been asked, and with a connection that asks nothing', async () => {
    await start(() => 'here');
    const socket = connect(server!.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.resume();
    await server!.close();
    await closed;
  });

  test('an answer that is on its way when it closes still comes', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const entered = Promise.withResolvers<undefined>();
    const url = await start(() => {
      entered.resolve(undefined);
      return promise;
    });
    const answer = fetch(url);
    await entered.promise;
    const closed = server!.close();
    resolve('in time');
    expect(await (await answer).text()).toBe('in time');
    await closed;
  });

  test('the very first who waits for an answer that never comes does not keep it from closing', async () => {
    const entered = Promise.withResolvers<undefined>();
    const url = await start(() => {
      entered.resolve(undefined);
      return new Promise<string>(() => undefined);
    });
    const answer = fetch(url).catch(() => 'cut');
    await entered.promise;
    await server!.close();
    expect(await answer).toBe('cut');
  });

  test('a port that is taken is told as it is', async () => {
    await start(() => 'here');
    const { port } = server!;
    await expect(startWakingServer({ port, host: '127.0.0.1' }, () => undefined)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
