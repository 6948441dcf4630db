import { describe, expect, test } from 'vitest';
import type { PeerView, Speaker } from '../../../bird/index.ts';
import { parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { whyNoPeer } from '../../../src/speaker/absent-peer.ts';
import { BgpAnswers } from '../../../src/speaker/bgp-answers.ts';
import type { BgpBackground } from '../../../src/speaker/bgp-answers.ts';
import { longestAround } from '../../../src/speaker/longest.ts';
import { dynamicPeers, peerSettings } from '../../support/bgp.ts';
import type { PeerText } from '../../support/bgp.ts';
import { fakeSpeaker } from '../../support/fake-speaker.ts';

const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };
const view = (peer: PeerText): PeerView => ({
  settings: peerSettings(peer),
  state: 'Active',
  since: 0,
  received: 0,
  accepted: 0,
  advertised: 0,
  flaps: 0,
  incidents: [],
  prefixes: [],
  reach: { dialled: 0, connected: 0, incoming: 0, hasSeenOpen: false },
  messages: { sent: NO_MESSAGES, received: NO_MESSAGES },
});

const background = (does: Partial<Speaker>): BgpBackground => ({
  speaker: () => fakeSpeaker(does),
  whyNoPeer: () => ['nobody names it', 'and nobody selects it'],
  ownRoute: () => undefined,
  kernelRoute: () => undefined,
});
const answersOf = (does: Partial<Speaker>): BgpAnswers => new BgpAnswers(background(does));

describe('a link-local address', () => {
  const peers = ['eth0', 'eth1'].map((link) => view({ address: 'fe80::1', interface: link }));
  const asked: unknown[] = [];
  const answers = answersOf({
    peers: () => peers,
    explainPeer: (_, link) => ({ cause: 'just started', verdict: `on ${link}`, evidence: [], next: [] }),
    resetPeer: (_, message, link) => asked.push([message, link]) > 0,
    refreshPeer: (_, link) => (asked.push(link), [6]),
  });

  test('with its link is that peer, and no other', () => {
    expect(answers.explainPeer('fe80::1%eth1')).toMatchObject({ address: 'fe80::1%eth1', verdict: 'on eth1' });
    expect(answers.peer('fe80::1%eth1').address).toBe('fe80::1%eth1');
    answers.resetPeer('fe80::1%eth1', 'again');
    expect(answers.refreshPeer('fe80::1%eth0')).toEqual(['IPv6 unicast']);
    expect(asked).toEqual([['again', 'eth1'], 'eth0']);
  });

  test('of two peers must have its link; of one it need not', () => {
    expect(() => answers.explainPeer('fe80::1')).toThrow(
      "peer = 'fe80::1': is a peer on more than one link: fe80::1%eth0 and fe80::1%eth1",
    );
    expect(answersOf({ peers: () => peers.slice(1) }).peer('fe80::1').address).toBe('fe80::1%eth1');
  });
});

describe('an address that is no peer', () => {
  test('is refused wherever one is asked for, with the reasons', () => {
    const answers = answersOf({});
    const sentence = "peer = '10.0.0.9': is no peer here: nobody names it; and nobody selects it";
    for (const ask of [
      () => answers.peer('10.0.0.9'),
      () => answers.paths('received', '10.0.0.9'),
      () => answers.advertised('10.0.0.9'),
      () => answers.resetPeer('10.0.0.9', ''),
      () => answers.refreshPeer('10.0.0.9'),
    ])
      expect(ask).toThrow(sentence);
  });

  test('is explained with what it did, and with the peers that there are', () => {
    const peers = Array.from({ length: 12 }, (_, i) => view({ address: `10.0.1.${i}` }));
    const caller = { address: parseIpAddress('10.0.0.9'), count: 1, lastAt: 0, why: 'no peer has this address' };
    expect(answersOf({ peers: () => peers, refusedCallers: () => [caller] }).explainPeer('10.0.0.9')).toMatchObject({
      isConfigured: false,
      verdict: 'nobody names it',
      evidence: [
        'and nobody selects it',
        'it tried to connect to us once, last at 1970-01-01T00:00:00.000Z, and was refused: no peer has this address',
        expect.stringMatching(/^peers here: 10\.0\.1\.0, .*, 10\.0\.1\.9, and 2 more$/) as string,
      ],
    });
  });

  test.each(['', 'tor', '10.0.0.256', '10.0.0.0/24'])("and '%s' is no address at all", (text) =>
    expect(() => answersOf({}).explainPeer(text)).toThrow(`peer = '${text}': is not an IP address`),
  );
});

test('before there is a speaker everything is empty, and nothing fails', () => {
  const answers = new BgpAnswers({ ...background({}), speaker: () => undefined });
  expect([answers.peers(), answers.paths('all', undefined), answers.advertised(undefined)]).toEqual([[], [], []]);
  expect(answers.explainRoute('10.0.0.1')).toMatchObject({ verdict: 'there is no speaker yet', prefix: '10.0.0.1/32' });
  expect(answers.explainPeer('10.0.0.1').isConfigured).toBe(false);
});

describe('of a speaker alone, why an address is no peer', () => {
  const range = dynamicPeers('10.0.0.0/24', {}, { limit: 20 });
  const why = (address: string, isRefused = false): readonly string[] =>
    whyNoPeer(parseIpAddress(address), { dynamicPeers: [range] }, { file: 'f.yaml', isRefused });
  test('nobody has it', () =>
    expect(why('10.9.9.9')).toEqual(['no peer and no range of dynamicPeers in f.yaml has the address 10.9.9.9']));
  test('it has not called from its range', () =>
    expect(why('10.0.0.7')).toEqual([
      '10.0.0.7 is in 10.0.0.0/24 of dynamicPeers, so it is a peer while it is connected, one of 20 at most',
    ]));
  test('the file that names it is not in force', () =>
    expect(why('10.9.9.9', true)[0]).toMatch(/^f\.yaml .* is wrong/));
});

test('the longest prefix around another, as a router looks it up', () => {
  const routes = ['10.0.0.0/8', '10.1.0.0/16', '10.1.1.0/24'].map((text) => ({ text, prefix: parsePrefix(text) }));
  const longest = (text: string) => longestAround(routes, parsePrefix(text))?.text;
  expect(['10.1.1.1/32', '10.1.0.0/16', '10.1.0.0/20', '10.9.0.0/16', '11.0.0.0/8'].map(longest)).toEqual([
    ...['10.1.1.0/24', '10.1.0.0/16', '10.1.0.0/16', '10.0.0.0/8', undefined],
  ]);
});
