import { setTimeout as wait } from 'node:timers/promises';
import { tcpTransport } from '../../../bird/peer/tcp.ts';
import { transportCompliance } from '../../compliance/transport.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryNetwork } from '../../support/memory-transport.ts';

transportCompliance('TCP in memory', () => {
  const clock = new FakeClock();
  const network = new MemoryNetwork(clock);
  const [callerAddress, calledAddress] = ['10.0.0.1', '10.0.0.2'];
  return Promise.resolve({
    caller: network.host(callerAddress),
    callerAddress,
    called: network.host(calledAddress),
    calledAddress,
    port: 179,
    eventually: async (check) => {
      await clock.advance(10);
      await check();
    },
    aWhile: () => clock.advance(10),
  });
});

transportCompliance('TCP over the kernel', () =>
  Promise.resolve({
    caller: tcpTransport,
    callerAddress: '127.0.0.77',
    called: tcpTransport,
    calledAddress: '127.0.0.78',
    port: 20_179,
    eventually: (check) => eventually(check, 5000),
    aWhile: () => wait(100),
  }),
);
