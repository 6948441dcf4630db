import type { TcpCounters, TcpEvidence } from '../../bird/peer/tcp-counters.ts';

/** A kernel that threw away what the test says. */
export class FakeTcpEvidence {
  counters: TcpCounters | undefined = { md5NotFound: 0, md5Unexpected: 0, md5Failure: 0, minTtlDrop: 0 };

  readonly read: TcpEvidence = () => this.counters;

  drop(what: keyof TcpCounters, times = 1): void {
    if (this.counters !== undefined) this.counters = { ...this.counters, [what]: this.counters[what] + times };
  }
}
