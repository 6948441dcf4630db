import { counter, gauge, gauges } from './family.ts';
import type { Family, Value } from './family.ts';
import type { Moment, ProcessMoment, RuntimeMoment } from './moment.ts';

const ofProcess =
  (read: (process: ProcessMoment) => Value): ((moment: Moment) => Value) =>
  ({ process }) =>
    process === undefined ? undefined : read(process);

const ofRuntime =
  (read: (runtime: RuntimeMoment) => Value): ((moment: Moment) => Value) =>
  ({ runtime }) =>
    runtime === undefined ? undefined : read(runtime);

/** Under the names that Prometheus' client libraries give them. */
export const PROCESS_FAMILIES: readonly Family[] = [
  counter(
    'process_cpu_seconds_total',
    'Processor time of the process, all its threads together, user and system.',
    ofProcess(({ cpuSeconds }) => cpuSeconds),
  ),
  gauge(
    'process_resident_memory_bytes',
    'Memory of the process that is resident.',
    ofProcess(({ residentBytes }) => residentBytes),
  ),
  gauge(
    'process_virtual_memory_bytes',
    'Address space of the process.',
    ofProcess(({ virtualBytes }) => virtualBytes),
  ),
  gauge(
    'process_open_fds',
    'Open file descriptors.',
    ofProcess(({ openFiles }) => openFiles),
  ),
  gauge(
    'process_max_fds',
    'How many there may be.',
    ofProcess(({ maxFiles }) => maxFiles),
  ),
  gauge(
    'process_start_time_seconds',
    'When the process started, in seconds since 1970.',
    ofProcess(({ startedAt }) => startedAt),
  ),
];

export const RUNTIME_FAMILIES: readonly Family[] = [
  gauges({
    name: 'nodejs_version_info',
    help: 'Always 1: the version of Node that the agent runs on.',
    labels: ['version'],
    read: ({ runtime }) => (runtime === undefined ? [] : [{ labels: { version: runtime.nodeVersion }, value: 1 }]),
  }),
  gauge(
    'nodejs_heap_size_total_bytes',
    'The heap of the main thread.',
    ofRuntime(({ heapTotalBytes }) => heapTotalBytes),
  ),
  gauge(
    'nodejs_heap_size_used_bytes',
    'Of it, what is in use or not collected yet.',
    ofRuntime(({ heapUsedBytes }) => heapUsedBytes),
  ),
  gauge(
    'nodejs_external_memory_bytes',
    'Memory outside the heap that objects in it hold.',
    ofRuntime(({ externalBytes }) => externalBytes),
  ),
  counter(
    'calico_ts_event_loop_busy_seconds_total',
    'How long the event loop worked and did not wait; its rate is how busy the agent is, 1 at most.',
    ofRuntime(({ busySeconds }) => busySeconds),
  ),
];
