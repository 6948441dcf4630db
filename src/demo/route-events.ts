/** What `ip -ts -4 monitor route` says, line by line. */
export interface RouteEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly deleted: boolean;
  readonly prefix: string;
  /** The line without its time. */
  readonly text: string;
}

/** Host routes lose their /32, `blackhole` and its kin come first: `[2026-01-02T03:04:05.678901] Deleted 10.0.0.0/26 via …`. */
const LINE =
  /^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)\] (Deleted )?((?:(?:blackhole|unreachable|prohibit|local|broadcast) )?(\S+) ?.*)$/;

/** The routes that came and went, in order. The times are the machine's local ones; it has no other. */
export function readRouteEvents(text: string): readonly RouteEvent[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line.trimEnd());
    if (match === null) return [];
    const [, time = '', deleted, rest = '', destination = ''] = match;
    const prefix = destination.includes('/') || destination === 'default' ? destination : `${destination}/32`;
    return [{ at: localTime(time), deleted: deleted !== undefined, prefix, text: `${deleted ?? ''}${rest.trim()}` }];
  });
}

/** Date.parse keeps milliseconds only; the microseconds are added back. */
function localTime(text: string): number {
  const [whole = '', fraction = ''] = text.split('.');
  return Date.parse(whole) + Number(`0.${fraction}`) * 1000;
}
