/** Listens on loopback of the namespace that it runs in, and hands each listening socket over to its parent. */
import { createServer } from 'node:net';

process.on('message', (port: number) => {
  // Whoever comes before the parent has the socket is sent away, and comes again.
  const server = createServer((client) => client.destroy());
  const answer = (reason: string): void => void process.send!(reason);
  server.once('error', ({ message }) => answer(message));
  server.listen(port, '127.0.0.1', () => {
    process.send!('listening', server, () => void server.close());
  });
});
process.once('disconnect', () => process.exit());
