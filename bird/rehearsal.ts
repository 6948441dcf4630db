/**
 * What a speaker will do, done once before anybody needs it, and forgotten. What the runtime has seen often it compiles:
 * without it a daemon that has just started takes a third longer for its first hundred thousand prefixes, and half as long again
 * for its first five hundred sessions, and that is when it has most to do.
 */
import type { IpFamily } from '../src/model/ip.ts';
import type { SessionPorts } from './peer/session.ts';
import { playSessions } from './rehearsal/sessions.ts';
import { playTables } from './rehearsal/tables.ts';

/** Begins at once, in short turns, and calls `over`; answers how to end it before its time. */
export function rehearse(ports: SessionPorts, families: readonly IpFamily[], over: () => void): () => void {
  let isEnded = false;
  let end = playSessions(ports, families, () => {
    // The end may have come while the last sockets were closed.
    if (!isEnded) end = playTables(ports.clock, families, over);
  });
  return () => {
    isEnded = true;
    end();
  };
}
