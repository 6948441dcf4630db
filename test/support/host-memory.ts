import { EMPTY_RECORD } from '../../felix/index.ts';
import type { HostMemory, HostRecord } from '../../felix/index.ts';

/** What outlives an agent, without a file. */
export class MemoryOfHost implements HostMemory {
  record: HostRecord = EMPTY_RECORD;
  saves = 0;

  load(): HostRecord {
    return this.record;
  }

  save(record: HostRecord): void {
    this.record = record;
    this.saves++;
  }
}
