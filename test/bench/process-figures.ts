/** What the kernel says of a process that runs. */
import { readFileSync, readdirSync } from 'node:fs';

/** In octets; proc_pid_smaps(5). */
export interface ProcessMemory {
  readonly rss: number;
  /** A page that others have, too, counts by its share. */
  readonly pss: number;
  /** What would be free if the process ended. */
  readonly private: number;
  /** Not from a file: heaps and stacks. */
  readonly anonymous: number;
}

export interface ProcessorUse {
  /** On a core, of all threads that live. */
  readonly ms: number;
  /** How often one of them gave up the core to wait: one to one with how often it was woken. */
  readonly waits: number;
  readonly threads: number;
}

export function memoryOf(pid: number): ProcessMemory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const octets = (name: string): number => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    if (kilobytes === undefined) throw new Error(`/proc/${pid}/smaps_rollup tells no ${name}`);
    return Number(kilobytes) * 1024;
  };
  return {
    rss: octets('Rss'),
    pss: octets('Pss'),
    private: octets('Private_Clean') + octets('Private_Dirty'),
    anonymous: octets('Anonymous'),
  };
}

/** From the scheduler's own account, in nanoseconds: ticks of 10 ms see nothing of a process that wakes up for 0.1 ms. */
export function processorUseOf(pid: number): ProcessorUse {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  let nanoseconds = 0;
  let waits = 0;
  for (const task of tasks) {
    nanoseconds += Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]);
    waits += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`${task}/status`, 'utf8'))?.[1]);
  }
  return { ms: nanoseconds / 1e6, waits, threads: tasks.length };
}

/** Whether anybody listens on the TCP port in the network namespace of the process; proc_pid_net(5), `0A` is LISTEN. */
export function isListening(pid: number, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return ['tcp', 'tcp6'].some((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .some((line) => line.includes(local) && / 0A /.test(line)),
  );
}
