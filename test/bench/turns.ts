/** `npm run bench -- turns`: how long the walks over whole tables hold up the loop, a walk at a time. */
import { cpus } from 'node:os';
import { UpdateReader } from '../../bird/rib/update-reader.ts';
import { NOBODY_LISTENS } from '../support/nobody-listens.ts';
import { Routing } from '../../bird/routing.ts';
import type { RoutingPeer } from '../../bird/routing.ts';
import { agreed, localSettings, openOf, peerSettings } from '../support/bgp.ts';
import { packedIpv4 } from './codec-input.ts';
import { atMost } from './scenario.ts';
import type { Report, Scenario } from './scenario.ts';
import { formatFigure } from './table.ts';

/** As the speaker has it: so many steps, then a look at the clock, and no more after so many milliseconds. */
const STEPS = 512;
const SLICE_MS = 5;
const OCTETS_PER_TURN = 32_768;
/** Of the input; the decision of the project that this measures is about a full table. */
const PREFIXES = 500_000;
const AIM_MS = 10;

interface Result {
  readonly walk: string;
  readonly turns: number;
  readonly longestMs: number;
  readonly totalMs: number;
}

export const turns: Scenario = {
  name: 'turns',
  run: (): Report => {
    const results = measure();
    return {
      heading: [
        `turns: ${PREFIXES} prefixes, longest turn of the loop for each walk in time of the thread, aim ${AIM_MS} ms; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`,
      ],
      table: [
        ['walk', 'turns', 'longest ms', 'all ms'],
        ...results.map(({ walk, turns: count, longestMs, totalMs }) => [
          walk,
          String(count),
          formatFigure(longestMs),
          formatFigure(totalMs),
        ]),
      ],
      results: { node: process.version, processor: cpus()[0]?.model, prefixes: PREFIXES, results },
      aims: results.map(({ walk, longestMs }) => atMost(`longest turn, ${walk}`, longestMs, [AIM_MS, 'ms'])),
    };
  },
};

/** One table, and what happens to it, in order. */
function measure(): readonly Result[] {
  const bench = new Turns();
  const { routing, sender, receiver } = bench;
  const rib = sender.adjRibIn[4];
  return [
    bench.walk('selection', () => bench.read()),
    bench.walk('session up', () => bench.up(receiver)),
    bench.walk('route refresh', () => routing.refresh(receiver, 4)),
    bench.walk('another import policy', () => routing.adjustPeer(sender, { ...sender.settings, importFilters: SOME })),
    bench.walk('marked stale', () => rib.markStale()),
    bench.walk('long-lived', () => routing.startLongLived(sender, 4)),
    bench.walk('swept', () => routing.sweepStale(sender, 4)),
    bench.walk('selection again', () => bench.read()),
    bench.walk('session down', () => routing.sessionDown(receiver)),
    bench.walk('flushed', () => routing.flush(sender, 4)),
    bench.walk('selection once more', () => bench.read()),
    bench.walk('peer removed', () => routing.removePeer(sender)),
  ];
}

const SOME = [{ name: 'some', rules: [{ family: 4, action: 'accept', match: { community: 1 } }] }] as const;

/** A switch between two peers. */
class Turns {
  readonly #frames = packedIpv4().frames;
  readonly routing = new Routing({ bgpIdentifier: 1, transit: true, clusterId: undefined, seed: 1 }, NOBODY_LISTENS);
  readonly sender = this.routing.addPeer(settingsOf('10.9.0.2', 65001));
  readonly receiver = this.routing.addPeer(settingsOf('10.9.0.3', 65002));
  readonly #reader: UpdateReader;

  constructor() {
    this.up(this.sender);
    this.#reader = new UpdateReader(sessionWith(65001), this.routing.sinkFor(this.sender));
  }

  up(peer: RoutingPeer): void {
    this.routing.sessionUp(peer, sessionWith(peer.settings.remoteAsn), Uint8Array.of(10, 9, 0, 1));
  }

  /** Not measured: it is in slices by the messages of the peer. */
  read(): void {
    const { received } = this.sender.adjRibIn[4];
    for (const frame of this.#frames) {
      if (this.sender.adjRibIn[4].received - received >= PREFIXES) return;
      this.#reader.read(frame);
    }
  }

  /** What `begin` does is a turn, and so is every slice of what follows from it. */
  walk(name: string, begin: () => void): Result {
    const isReading = name.startsWith('selection');
    if (isReading) begin();
    const turnMs = isReading ? [] : [timed(begin)];
    for (let isDone = false; !isDone;) {
      turnMs.push(timed(() => (isDone = !this.#slice())));
    }
    return {
      walk: name,
      turns: turnMs.length,
      longestMs: Math.max(...turnMs),
      totalMs: turnMs.reduce((sum, ms) => sum + ms, 0),
    };
  }

  /** One of selection, or where nothing is due one of the feed; false where the peer knows all. */
  #slice(): boolean {
    const end = performance.now() + SLICE_MS;
    let hasWork = true;
    while (hasWork && performance.now() < end) hasWork = this.routing.settle(STEPS);
    if (hasWork || this.routing.tell(false).hasMore) return true;
    for (let octets = 0; octets < OCTETS_PER_TURN;) {
      const { routing, receiver } = this;
      const frame = routing.nextUpdate(receiver, 4) ?? routing.nextRefresh(receiver, 4);
      if (frame === undefined) return routing.hasNewsFor(receiver);
      octets += frame.length;
    }
    return true;
  }
}

/** Of the thread: what others do to the machine meanwhile is no matter of ours, what the garbage collector stops is. */
function timed(work: () => void): number {
  const from = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(from);
  return (user + system) / 1000;
}

const settingsOf = (address: string, remoteAsn: number) => peerSettings({ address, remoteAsn, families: [4] });

function sessionWith(remoteAsn: number) {
  const local = localSettings({ remoteAsn, families: [4] });
  return agreed(local, openOf(local, remoteAsn));
}
