/**
 * What a speaker will do, done once before anybody needs it, and forgotten. What the runtime has seen often it compiles:
 * without it a daemon that has just started takes twice as long for its first hundred thousand prefixes, and half as long again
 * for its first five hundred sessions, and that is when it has most to do. It is as like the real thing as it can be, for what is
 * compiled for small numbers, another form of the same object or the only listener is thrown away when another comes.
 */
import { playSessions } from './rehearsal/sessions.ts';
import type { PlayPorts } from './rehearsal/loopback-speaker.ts';
import { playTables } from './rehearsal/tables.ts';

/** Begins at once, in short turns, and calls `over`; answers how to end it before its time. */
export function rehearse(ports: PlayPorts, over: () => void): () => void {
  let isEnded = false;
  let end = playSessions(ports, (hasPlayed) => {
    // The end may have come while the last sockets were closed.
    if (isEnded) return;
    if (hasPlayed) end = playTables(ports, over);
    else over();
  });
  return () => {
    isEnded = true;
    end();
  };
}
