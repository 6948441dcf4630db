import { expect, test } from 'vitest';
import { Feed } from '../../bird/feed.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A feed with so many messages of one size to send; what was sent by octets. */
function feedOf(messages: number, octets: number, isHeld = () => false) {
  const clock = new FakeClock();
  const sent: number[] = [];
  let left = messages;
  const feed = new Feed({
    clock,
    room: () => 1_000_000,
    write: (frame) => sent.push(frame.length),
    guard: (work) => work(),
    nextUpdate: () => (left-- > 0 ? new Uint8Array(octets) : undefined),
    nextRefresh: () => undefined,
    isEndOfRibHeld: isHeld,
  });
  return { clock, sent, feed };
}

test.each([
  { octets: 60, perTurn: 64 },
  { octets: 4096, perTurn: 8 },
  { octets: 65_535, perTurn: 1 },
])(
  'a turn of the loop sends $perTurn messages of $octets octets, and the rest follows',
  async ({ octets, perTurn }) => {
    const { clock, sent, feed } = feedOf(100, octets);
    feed.start([4]);
    feed.pump();
    expect(sent).toHaveLength(perTurn);
    await clock.advance(1000);
    expect(sent.filter((each) => each === octets)).toHaveLength(100);
  },
);

test('End-of-RIB waits while there may be more of its family, and is sent once', async () => {
  let isHeld = true;
  const { clock, sent, feed } = feedOf(1, 50, () => isHeld);
  feed.start([4]);
  await clock.advance(1000);
  expect(sent).toEqual([50]);
  isHeld = false;
  for (let i = 0; i < 2; i++) feed.pump();
  expect(sent).toEqual([50, 23]);
});
