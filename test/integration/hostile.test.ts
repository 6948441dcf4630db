/** A hostile peer, seen from outside: what the speaker answers it, and that an innocent one beside it notices nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PathAttributes } from '../../bird/bgp-ts/index.ts';
import { hex } from '../support/bgp-bytes.ts';
import { hostileInput } from '../support/hostile-input.ts';
import { PREFIX } from '../support/hostile-input/row.ts';
import type { HostileInput, Reaction } from '../support/hostile-input/row.ts';
import { isRoot } from '../support/netns.ts';
import { PeerLab } from '../support/scripted-peer-lab.ts';
import type { ScriptedPeer } from '../support/scripted-peer.ts';

const HOLD_SECONDS = 9;
const INNOCENT = { address: '10.66.0.2', asn: 65002, holdSeconds: HOLD_SECONDS };
/** A peer of its own for every row, so that none finds what another left. */
const hostile = (number: number) => ({ address: `10.66.1.${number}`, asn: 65001 });

const good: PathAttributes = {
  origin: 'igp',
  asPath: [{ type: 'sequence', asns: [65001] }],
  nextHop: Uint8Array.of(192, 0, 2, 1),
};

let lab: PeerLab;
let innocent: ScriptedPeer;

/** What was sent before is dealt with and seen at the innocent peer: two later routes came through, one after the other. */
async function settled(peer: ScriptedPeer): Promise<void> {
  for (const later of ['203.0.113.0/25', '203.0.113.128/25']) {
    peer.announce(good, [later]);
    await innocent.until(() => innocent.routes.has(later), `${later}, sent behind the bad input`);
  }
}

async function expectEnd(peer: ScriptedPeer, reaction: Reaction): Promise<void> {
  await peer.until(() => peer.end !== undefined, 'the end of the session');
  const said = peer.notifications.map(({ code, subcode }) => `${code}/${subcode}`);
  expect(said).toEqual(reaction.do === 'NOTIFICATION' ? [reaction.code] : []);
  if (reaction.do === 'NOTIFICATION' && reaction.data !== undefined) {
    expect(hex(peer.notifications[0]!.data)).toBe(reaction.data);
  }
}

async function expectInSession(peer: ScriptedPeer, reaction: Reaction): Promise<void> {
  await settled(peer);
  expect(peer.notifications).toEqual([]);
  expect(peer.end).toBeUndefined();
  const route = innocent.routes.get(PREFIX);
  if (reaction.do === 'withdraw') expect(route).toBeUndefined();
  if (reaction.do === 'ignore') expect(route?.origin).toBe('igp');
  if (reaction.do !== 'accept') return;
  expect(route?.origin).toBe('egp');
  const forwarded = (route?.unknown ?? []).map(
    ({ code, flags, value }) => `${code}/${flags.toString(16)} ${hex(value)}`,
  );
  expect(forwarded).toEqual(reaction.forwards ?? []);
  for (const field of reaction.lacks ?? []) expect(route).not.toHaveProperty(field);
}

async function sendInSession({ number, octets, reaction }: HostileInput): Promise<void> {
  const peer = await lab.establish(hostile(number));
  peer.announce(good, [PREFIX]);
  await innocent.until(() => innocent.routes.get(PREFIX)?.origin === 'igp', 'the good route');
  peer.sendBytes(octets);
  const isOver = reaction.do === 'NOTIFICATION' || reaction.do === 'hang up';
  await (isOver ? expectEnd(peer, reaction) : expectInSession(peer, reaction));
  peer.close();
  await innocent.until(() => innocent.routes.size === 0, 'the withdrawal of all that the hostile peer had said');
}

async function sendInPlaceOfOpen({ number, octets, reaction }: HostileInput): Promise<void> {
  const peer = await lab.connect(hostile(number));
  peer.sendBytes(octets);
  if (reaction.do === 'establish') {
    peer.send({ type: 'keepalive' });
    await peer.until(() => peer.counts.keepalive > 0 && peer.endOfRibs.length > 0, 'the session');
    peer.announce(good, [PREFIX]);
    await innocent.until(() => innocent.routes.has(PREFIX), 'a route of the session');
    peer.close();
    await innocent.until(() => innocent.routes.size === 0, 'its withdrawal');
  } else {
    await expectEnd(peer, reaction);
  }
}

async function sendAfterOpens({ number, octets, reaction }: HostileInput): Promise<void> {
  const peer = await lab.connect(hostile(number));
  peer.sendOpen();
  await peer.until(() => peer.counts.keepalive > 0, 'OPEN and KEEPALIVE');
  peer.sendBytes(octets);
  await expectEnd(peer, reaction);
}

const send = (input: HostileInput): Promise<void> => {
  switch (input.when) {
    case 'in the session':
      return sendInSession(input);
    case 'in place of the OPEN':
      return sendInPlaceOfOpen(input);
    case 'after the OPENs':
      return sendAfterOpens(input);
  }
};

const inWords = (reaction: Reaction): string =>
  reaction.do === 'NOTIFICATION' ? `NOTIFICATION ${reaction.code}` : reaction.do;

describe.skipIf(!isRoot && process.env['CI'] === undefined)('malformed input', () => {
  beforeAll(async () => {
    lab = await PeerLab.start();
    const peers = Array.from({ length: 66 }, (_, i) => hostile(i + 1));
    await lab.setPeers([INNOCENT, ...peers]);
    innocent = await lab.establish(INNOCENT);
  });

  afterAll(() => lab.close());

  afterEach(() => {
    expect(lab.stderr).toBe('');
    expect(innocent.end).toBeUndefined();
    expect(innocent.faults).toEqual([]);
    expect(innocent.longestSilenceMs).toBeLessThan(HOLD_SECONDS * 1000);
  });

  for (const input of hostileInput) {
    const name = `${input.number} ${input.name} ${input.when}: ${inWords(input.reaction)}`;
    test(input.departs === undefined ? name : `${name} (${input.departs})`, () => send(input));
  }

  test('65 fsm-hold-3-expiry: NOTIFICATION 4/0 after three seconds of silence', async () => {
    const peer = await lab.establish({ ...hostile(65), holdSeconds: 3 });
    peer.announce(good, [PREFIX]);
    peer.stopKeepalives();
    const began = performance.now();
    await expectEnd(peer, { do: 'NOTIFICATION', code: '4/0' });
    expect(performance.now() - began).toBeGreaterThan(2900);
    await innocent.until(() => innocent.routes.size === 0, 'the withdrawal');
  });

  test('the innocent peer had one connection all the while, and its KEEPALIVEs go on', async () => {
    expect(innocent.counts.open).toBe(1);
    const { keepalive } = innocent.counts;
    await innocent.until(() => innocent.counts.keepalive > keepalive, 'one more KEEPALIVE');
  });
});
