import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FRESH, helperStep } from '../../../bird/graceful-restart/helper.ts';
import type { HelperEvent, HelperState, HelperTimer } from '../../../bird/graceful-restart/helper.ts';

/**
 * One family of a peer as its helper sees it: routes, what is stale of them, and timers that fire when their time has
 * come. A session tells routes one by one, and End-of-RIB when all are told.
 */
class Peer {
  now = 0;
  state: HelperState = FRESH;
  readonly timers = new Map<HelperTimer, number>();
  /** Route → whether it is stale. */
  readonly routes = new Map<number, boolean>();
  /** Since when there has been a stale route without a break. */
  staleSince: number | undefined;
  /** Routes that went although the peer still has them. */
  lost = 0;
  isUp = true;

  take(event: HelperEvent): void {
    const before = this.routes.size;
    const [state, effects] = helperStep(this.state, event);
    this.state = state;
    for (const effect of effects) {
      if (effect.do === 'flush') this.routes.clear();
      if (effect.do === 'markStale') for (const route of this.routes.keys()) this.routes.set(route, true);
      if (effect.do === 'sweepStale') for (const [route, stale] of this.routes) if (stale) this.routes.delete(route);
      if (effect.do === 'startTimer') this.timers.set(effect.timer, this.now + effect.seconds);
      if (effect.do === 'stopTimer') this.timers.delete(effect.timer);
      if (effect.do === 'stopTimers') this.timers.clear();
    }
    this.lost += before - this.routes.size;
    this.#look();
  }

  tell(route: number): void {
    this.routes.set(route, false);
    this.#look();
  }

  wait(seconds: number): void {
    const end = this.now + seconds;
    for (;;) {
      const [next] = [...this.timers].filter(([, at]) => at <= end).sort(([, a], [, b]) => a - b);
      if (next === undefined) break;
      this.now = next[1];
      this.timers.delete(next[0]);
      this.take({ type: 'timerExpires', timer: next[0] });
    }
    this.now = end;
  }

  get stale(): number {
    return [...this.routes.values()].filter(Boolean).length;
  }

  #look(): void {
    if (this.stale === 0) this.staleSince = undefined;
    else this.staleSince ??= this.now;
  }
}

const RESTART = 120;
const END_OF_RIB = 360;
const ROUTES = [0, 1, 2, 3];

interface Session {
  readonly longLived: number;
  readonly forwarding: boolean;
  readonly longForwarding: boolean;
}

const session = fc.record({
  longLived: fc.constantFrom(0, 600),
  forwarding: fc.boolean(),
  longForwarding: fc.boolean(),
});
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lose'), isKept: fc.boolean(), byUs: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('return'), session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tell'), route: fc.constantFrom(...ROUTES) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'endOfRib' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.integer({ min: 0, max: 500 }) }) },
);
type Action =
  | { readonly do: 'lose'; readonly isKept: boolean; readonly byUs: boolean }
  | { readonly do: 'return'; readonly session: Session }
  | { readonly do: 'tell'; readonly route: number }
  | { readonly do: 'endOfRib' }
  | { readonly do: 'wait'; readonly seconds: number };

const lost = (longLivedSeconds: number, byUs = false): HelperEvent => ({
  type: 'lost',
  keep: { restartSeconds: RESTART, longLivedSeconds, byUs },
});
const back = ({ longLived, forwarding, longForwarding }: Session): HelperEvent => ({
  type: 'back',
  restarting: true,
  now: {
    family: 4,
    restartSeconds: RESTART,
    forwardingPreserved: forwarding,
    longLivedSeconds: longLived,
    longLivedPreserved: longForwarding && longLived > 0,
  },
});

/** What can happen, and only that: a session is lost when it is up, comes back when it is not, speaks when it is up. */
function run(peer: Peer, actions: readonly Action[], look: () => void): void {
  let current: Session = { longLived: 600, forwarding: true, longForwarding: true };
  for (const action of actions) {
    if (action.do === 'wait') peer.wait(action.seconds);
    if (action.do === 'lose' && peer.isUp) {
      peer.isUp = false;
      peer.take(action.isKept ? lost(current.longLived, action.byUs) : { type: 'lost' });
    }
    if (action.do === 'return' && !peer.isUp) {
      peer.isUp = true;
      current = action.session;
      peer.take(back(current));
    }
    if (action.do === 'tell' && peer.isUp) peer.tell(action.route);
    if (action.do === 'endOfRib' && peer.isUp) peer.take({ type: 'endOfRib' });
    look();
  }
}

test('whatever a peer does, a stale route always has a timer that ends it, and fresh state has none', () => {
  fc.assert(
    fc.property(fc.array(action as fc.Arbitrary<Action>, { maxLength: 40 }), (actions) => {
      const peer = new Peer();
      for (const route of ROUTES) peer.tell(route);
      run(peer, actions, () => {
        const { name } = peer.state;
        if (name === 'fresh' || name === 'overdue') expect([peer.stale, peer.timers.size]).toEqual([0, 0]);
        else expect(peer.timers.size).toBeGreaterThan(0);
      });
      // A peer that is never heard of again.
      peer.wait(RESTART + END_OF_RIB + 600);
      expect(peer.stale).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

/** How long a peer is away and up by turns: always soon back, or often too late; cut short, or long enough to be done. */
const rounds = fc
  .record({ away: fc.constantFrom(20, 100, 200), up: fc.constantFrom(20, 200, 350) })
  .chain(({ away, up }) =>
    fc.array(fc.record({ away: fc.integer({ min: 0, max: away }), up: fc.integer({ min: up / 2, max: up }) }), {
      minLength: 20,
      maxLength: 60,
    }),
  );

test('however often a peer comes and goes, nothing is stale longer than its times together', () => {
  fc.assert(
    fc.property(rounds, fc.constantFrom(0, 600), (turns, longLived) => {
      const peer = new Peer();
      const isOld = (): boolean => peer.now - (peer.staleSince ?? peer.now) > bound(longLived);
      // A route that nobody tells again.
      peer.tell(0);
      for (const { away, up } of turns) {
        peer.take(lost(longLived));
        peer.wait(away);
        expect(isOld()).toBe(false);
        peer.take(back({ longLived, forwarding: true, longForwarding: true }));
        peer.wait(up);
        expect(isOld()).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});

/** Two restart times where the first was over when the peer was lost again, with End-of-RIB awaited in between. */
const bound = (long: number): number => RESTART + END_OF_RIB + (long === 0 ? 0 : RESTART + long);

test('a peer that is back in time, with F, and tells everything loses nothing, though it restarts again meanwhile', () => {
  const restarts = fc.array(
    fc.record({
      away: fc.integer({ min: 0, max: 30 }),
      told: fc.subarray(ROUTES),
      up: fc.integer({ min: 0, max: 30 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(restarts, fc.constantFrom(0, 600), (rounds, longLived) => {
      const peer = new Peer();
      for (const route of ROUTES) peer.tell(route);
      let firstLoss = 0;
      let isOpen = false;
      for (const { away, told, up } of rounds) {
        const isFirst = !isOpen;
        if (isFirst) firstLoss = peer.now;
        // Only what comes back within the restart time of the first loss is in time.
        if (peer.now + away + up - firstLoss >= RESTART) break;
        peer.take(lost(longLived));
        peer.wait(away);
        peer.take(back({ longLived, forwarding: true, longForwarding: true }));
        for (const route of told) peer.tell(route);
        peer.wait(up);
        isOpen = told.length < ROUTES.length;
        if (!isOpen) peer.take({ type: 'endOfRib' });
        expect([peer.lost, peer.routes.size]).toEqual([0, ROUTES.length]);
      }
    }),
    { numRuns: 2000 },
  );
});
