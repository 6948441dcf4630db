import { expect, test, vi } from 'vitest';
import { Feed } from '../../bird/feed.ts';

/** A feed with so many messages of one size to send, to a reader that makes room at once; what was sent by octets. */
function feedOf(messages: number, octets: number, isHeld = () => false) {
  const sent: number[] = [];
  const due: (() => void)[] = [];
  const rested = vi.fn();
  let left = messages;
  const feed = new Feed({
    clock: {
      ...{ now: () => 0, wallTime: () => 0 },
      after: (_, call) => {
        due.push(call);
        return () => undefined;
      },
    },
    room: () => 1_000_000,
    write: (frame) => {
      sent.push(frame.length);
      feed.pumpSoon();
    },
    guard: (work) => work(),
    nextUpdate: () => (left-- > 0 ? new Uint8Array(octets) : undefined),
    nextRefresh: () => undefined,
    isEndOfRibHeld: isHeld,
    rested,
  });
  /** One of the event loop; false where nothing was due. */
  const turn = (): boolean => {
    const calls = due.splice(0);
    for (const call of calls) call();
    return calls.length > 0;
  };
  const turns = (): void => {
    while (turn());
  };
  return { sent, feed, rested, turn, turns };
}

test.each([
  { octets: 60, perTurn: 64 },
  { octets: 4096, perTurn: 8 },
  { octets: 65_535, perTurn: 1 },
])(
  'a turn of the loop sends $perTurn messages of $octets octets, and the rest follows, however fast they are read',
  ({ octets, perTurn }) => {
    const { sent, feed, turn, turns } = feedOf(100, octets);
    feed.start([4]);
    expect(sent).toEqual([]);
    for (let i = 1; i <= 3; i++) {
      // News, too, waits for its turn.
      feed.pumpSoon();
      turn();
      expect(sent).toHaveLength(Math.min(i * perTurn, 101));
    }
    turns();
    expect(sent.filter((each) => each === octets)).toHaveLength(100);
  },
);

test('who waits for it hears when there is nothing to be said, and not before', () => {
  const { feed, rested, turn, turns } = feedOf(9, 4096);
  feed.start([4]);
  turn();
  expect(rested).not.toHaveBeenCalled();
  turns();
  expect(rested).toHaveBeenCalled();
});

test('End-of-RIB waits while there may be more of its family, and is sent once', () => {
  let isHeld = true;
  const { sent, feed, turns } = feedOf(1, 50, () => isHeld);
  feed.start([4]);
  turns();
  expect(sent).toEqual([50]);
  isHeld = false;
  for (let i = 0; i < 2; i++) {
    feed.pumpSoon();
    turns();
  }
  expect(sent).toEqual([50, 23]);
});
