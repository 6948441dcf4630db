/** The edge that listens to the kernels' route changes on several hosts at once, and proves that it listens. */
import type { Cluster } from './cluster.ts';
import type { Layout } from './layout.ts';
import { mustRun, startRecorder } from './process.ts';
import type { Recorder } from './process.ts';
import { readRouteEvents } from './route-events.ts';
import type { RouteEvent } from './route-events.ts';
import { mapBounded, until } from './wait.ts';

/** A documentation address (RFC 5737) that no host has a route for: the monitors must report its coming and going. */
const MARK = '203.0.113.1/32';

export class RouteMonitor {
  readonly #cluster: Cluster;
  readonly #recorders: ReadonlyMap<string, Recorder>;

  private constructor(cluster: Cluster, recorders: ReadonlyMap<string, Recorder>) {
    this.#cluster = cluster;
    this.#recorders = recorders;
  }

  /** Returns once every monitor was seen to report. */
  static async start(cluster: Cluster, hosts: readonly string[]): Promise<RouteMonitor> {
    const { prefix } = cluster.layout;
    const started = await mapBounded(hosts, 8, async (host) => {
      const recorder = await startRecorder(['ip', '-n', `${prefix}${host}`, '-4', '-ts', 'monitor', 'route']);
      return [host, recorder] as const;
    });
    const monitor = new RouteMonitor(cluster, new Map(started));
    await monitor.#prove();
    return monitor;
  }

  /** What changed on a host since the start, our own marks left out. */
  events(host: string): readonly RouteEvent[] {
    const events = readRouteEvents(this.#recorders.get(host)?.text() ?? '');
    return events.filter(({ prefix }) => prefix !== MARK);
  }

  /** Ends the monitors, after seeing that they still report. */
  async stop(): Promise<ReadonlyMap<string, readonly RouteEvent[]>> {
    try {
      await this.#prove();
    } finally {
      await Promise.all([...this.#recorders.values()].map((recorder) => recorder.stop()));
    }
    return new Map([...this.#recorders.keys()].map((host) => [host, this.events(host)]));
  }

  /** Writes a mark into each kernel until its monitor shows it. */
  async #prove(): Promise<void> {
    const { layout, signal } = this.#cluster;
    await mapBounded([...this.#recorders], 4, async ([host, recorder]) => {
      const seen = marks(recorder);
      await until(
        async () => {
          await mark(layout, host);
          return marks(recorder) > seen ? { value: true } : { missing: 'its own mark was not reported' };
        },
        { what: `ip monitor on ${host}`, timeoutMs: 20_000, signal },
      );
    });
  }
}

const marks = (recorder: Recorder): number =>
  readRouteEvents(recorder.text()).filter(({ prefix }) => prefix === MARK).length;

async function mark({ prefix }: Layout, host: string): Promise<void> {
  const batch = `route replace blackhole ${MARK}\nroute delete blackhole ${MARK}\n`;
  await mustRun(['ip', '-n', `${prefix}${host}`, '-batch', '-'], { input: batch });
}
