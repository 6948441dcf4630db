/** `route explain` and `routes …` between whole speakers, with A in the middle. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdvertisementView, RouteExplanation, RouteFilter, Speaker } from '../../../bird/index.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import type { PeerText } from '../../support/bgp.ts';
import { A, B, C, originate, SpeakerBench } from '../../support/speakers.ts';

const P = '10.50.0.0/16';

let bench: SpeakerBench;
beforeEach(() => {
  bench = new SpeakerBench();
});
afterEach(() => bench.close());

interface Around extends PeerText {
  /** What it originates. */
  readonly tells?: readonly string[];
  /** Of its own settings for A. */
  readonly there?: Partial<PeerText>;
}

interface Scene {
  readonly peers: readonly Around[];
  readonly originates?: readonly string[];
  readonly transit?: boolean;
  readonly clusterId?: number;
}

/** A, and its peers in their order; all sessions are up that can be. */
async function scene({ peers, ...ofA }: Scene): Promise<readonly [a: Speaker, ...others: Speaker[]]> {
  const a = await bench.start({ address: A, peers, ...ofA });
  const others: Speaker[] = [];
  for (const { address, remoteAsn = 64512, tells = [], there = {} } of peers) {
    const toA = { address: A, remoteAsn: 64512, localAsn: remoteAsn, ...there };
    others.push(await bench.start({ address, asn: remoteAsn, peers: [toA], originates: tells }));
  }
  await bench.clock.advance(5000);
  return [a, ...others];
}

const explain = (speaker: Speaker, prefix: string): RouteExplanation => speaker.explainRoute(parsePrefix(prefix));

const fates = (views: readonly AdvertisementView[]): readonly string[] =>
  views.map(
    ({ to, outcome, reason, pathId }) =>
      `${to}: ${outcome}${pathId === undefined ? '' : ` path ${pathId}`}${reason === undefined ? '' : `: ${reason}`}`,
  );
const paths = (found: RouteExplanation): readonly string[] =>
  found.paths.map(({ best, from, reason }) => `${best ? '*' : ' '} ${from}: ${reason}`);

describe('who brought it into the world', () => {
  test('this node, and whom it was told', async () => {
    const [a] = await scene({ peers: [{ address: B }], originates: [P] });
    const found = explain(a, P);
    expect([found.verdict, found.originator]).toEqual(['the path from this node is best, the only path', 'this node']);
    expect(paths(found)).toEqual(['* this node: originated by this node']);
    expect(fates(found.advertised)).toEqual(['10.0.0.2 (global): sent']);
    expect(found.advertised[0]?.attributes).toMatchObject({ nextHop: parseIpAddress(A), asPath: '', localPref: 100 });
  });

  test('a router of our own AS', async () => {
    const [a] = await scene({ peers: [{ address: B, tells: [P] }] });
    expect(explain(a, P).originator).toBe('10.0.0.2 (global) itself, of our own AS');
  });

  test('a router of our own AS, by way of a route reflector', async () => {
    const client = { routeReflectorClient: true };
    const peers = [
      { address: B, tells: [P], ...client },
      { address: C, ...client },
    ];
    const [a, , c] = await scene({ peers, clusterId: 1 });
    expect(explain(c!, P).originator).toBe('the router 10.0.0.2 of our own AS (ORIGINATOR_ID)');
    expect(fates(explain(a, P).advertised)).toEqual([
      '10.0.0.2 (global): kept back: it came from this peer',
      '10.0.0.3 (global): sent',
    ]);
  });

  test('another AS', async () => {
    const [a] = await scene({ peers: [{ address: B, remoteAsn: 65002, tells: [P] }] });
    expect(explain(a, P).originator).toBe('AS 65002, by the AS_PATH 65002');
  });
});

describe('which prefix', () => {
  test('for an address the longest that holds it', async () => {
    const [a] = await scene({ peers: [{ address: B, tells: [P, '10.0.0.0/8'] }] });
    const asked = (text: string): string => formatPrefix(explain(a, text).prefix);
    expect(['10.50.1.2/32', '10.60.0.0/16', P].map(asked)).toEqual([P, '10.0.0.0/8', P]);
  });

  test('one that is gone is not there any more', async () => {
    const [a, b] = await scene({ peers: [{ address: B, tells: [P, '10.0.0.0/8'] }] });
    originate(b!, ['10.0.0.0/8']);
    await bench.clock.advance(10);
    expect(formatPrefix(explain(a, P).prefix)).toBe('10.0.0.0/8');
  });

  test('nobody told of it, nor of one around it', async () => {
    const [a] = await scene({ peers: [{ address: B, tells: [P] }] });
    expect(explain(a, '10.51.0.0/16')).toEqual({
      prefix: parsePrefix('10.51.0.0/16'),
      verdict: 'nobody has told this speaker of 10.51.0.0/16, nor of a prefix around it',
      paths: [],
      advertised: [],
    });
    expect(explain(a, '2001:db8::/32').paths).toEqual([]);
  });
});

const filter = (rule: Partial<RouteFilter['rules'][number]>): RouteFilter => ({
  name: 'BGPFilter(f)',
  rules: [{ family: 4, action: 'reject', match: { prefix: { cidr: parsePrefix(P), operator: 'equal' } }, ...rule }],
});

describe('what import did', () => {
  test('a filter refused it: which rule, and what carries the traffic instead', async () => {
    const peers = [{ address: B, tells: [P, '10.0.0.0/8'], importFilters: [filter({})] }];
    const [a] = await scene({ peers });
    const found = explain(a, P);
    expect(found.verdict).toBe(
      'no path can be used: import refused the only one; 10.0.0.0/8 around it is used instead',
    );
    expect(paths(found)).toEqual(['  10.0.0.2 (global): rejected on import by rule 1 of BGPFilter(f)']);
    expect(found.paths[0]).toMatchObject({ rule: 'rule 1 of BGPFilter(f)', changes: [] });
    expect(found.advertised).toEqual([]);
  });

  test('a filter changed it: from what to what', async () => {
    const operations = [
      { do: 'setLocalPref', localPref: 50 },
      { do: 'addCommunity', community: ((64512 << 16) | 7) >>> 0 },
    ] as const;
    const importFilters = [filter({ action: 'accept', name: 'prefer less', operations })];
    const [a] = await scene({ peers: [{ address: B, remoteAsn: 65002, tells: [P], importFilters }] });
    expect(explain(a, P).paths[0]).toMatchObject({
      best: true,
      rule: 'prefer less of BGPFilter(f)',
      changes: ['LOCAL_PREF none → 50', 'COMMUNITIES none → 64512:7'],
    });
    const [[received], [accepted]] = [a.routes({ which: 'received' }), a.routes({ which: 'accepted' })];
    expect([received?.localPref, accepted?.localPref]).toEqual([undefined, 50]);
  });

  test('our own AS in the path', async () => {
    const second = { address: C, remoteAsn: 65002 };
    const [, b, c] = await scene({ peers: [{ address: B, remoteAsn: 65002, tells: [P] }, second], transit: true });
    expect(paths(explain(c!, P))).toEqual(['  10.0.0.1 (global): rejected on import: AS_PATH holds our own AS 65002']);
    expect(paths(explain(b!, P))).toEqual(['* this node: originated by this node']);
  });
});

describe('what each peer hears', () => {
  test('nothing that came from it, nothing between ASes, nothing that a filter refuses, and nothing while it is down', async () => {
    const peers = [
      { address: B, remoteAsn: 65002, tells: [P] },
      { address: C, remoteAsn: 65003 },
      { address: '10.0.0.4', exportFilters: [filter({})] },
      { address: '10.0.0.5', families: [6] as const, there: { families: [6] as const } },
    ];
    const [a] = await scene({ peers: [...peers, { address: '10.0.0.9', there: { address: B } }] });
    expect(fates(explain(a, P).advertised)).toEqual([
      '10.0.0.2 (global): kept back: it came from this peer',
      '10.0.0.3 (global): kept back: a node passes nothing on between ASes',
      '10.0.0.4 (global): kept back: rejected by rule 1 of BGPFilter(f)',
      '10.0.0.5 (global): kept back: its session does not carry IPv4 unicast',
      '10.0.0.9 (global): kept back: its session is not up',
    ]);
    expect(a.advertised()).toEqual([]);
  });

  test('within an AS only what a reflector reflects', async () => {
    const peers = [{ address: B, tells: [P] }, { address: C }];
    const [a] = await scene({ peers });
    expect(fates(explain(a, P).advertised)[1]).toBe(
      '10.0.0.3 (global): kept back: learned by iBGP, and this node is no route reflector',
    );
    a.setClusterId(1);
    await bench.clock.advance(10);
    expect(fates(explain(a, P).advertised)[1]).toBe(
      '10.0.0.3 (global): kept back: neither side is a client of this route reflector',
    );
  });

  test('what is due and not sent yet waits', async () => {
    const [a] = await scene({ peers: [{ address: B }] });
    originate(a, [P]);
    expect(fates(a.advertised(parseIpAddress(B)))).toEqual(['10.0.0.2 (global): waiting']);
    expect(fates(explain(a, P).advertised)).toEqual(['10.0.0.2 (global): waiting']);
    await bench.clock.advance(10);
    expect(fates(a.advertised())).toEqual(['10.0.0.2 (global): sent']);
  });

  test('the rule that let it pass, and its attributes there', async () => {
    const operations = [{ do: 'prependAsPath', asns: [64512, 64512] }] as const;
    const exportFilters = [filter({ action: 'accept', operations })];
    const [a] = await scene({ peers: [{ address: B, remoteAsn: 65002, exportFilters }], originates: [P] });
    const [told] = a.advertised(parseIpAddress(B));
    expect(told).toMatchObject({
      outcome: 'sent',
      from: 'this node',
      reason: 'accepted by rule 1 of BGPFilter(f)',
      attributes: { asPath: '64512 64512 64512', nextHop: parseIpAddress(A) },
    });
  });

  test('several paths where it takes them, each with its identifier', async () => {
    const peers = [
      { address: B, remoteAsn: 65002, tells: [P] },
      { address: C, remoteAsn: 65003, tells: [P] },
      {
        address: '10.0.0.4',
        addPath: { send: true, receive: false },
        there: { addPath: { send: false, receive: true } },
      },
    ];
    const [a, , , d] = await scene({ peers, transit: true });
    expect(paths(explain(a, P))).toEqual([
      '* 10.0.0.2 (global): best path',
      '  10.0.0.3 (global): equal path, lost by: f) lower BGP Identifier',
    ]);
    expect(fates(explain(a, P).advertised)).toEqual([
      '10.0.0.2 (global): kept back: it came from this peer',
      '10.0.0.3 (global): sent',
      '10.0.0.4 (global): sent path 2',
      '10.0.0.4 (global): sent path 3',
    ]);
    expect(explain(d!, P).paths.map(({ pathId, asPath }) => [pathId, asPath])).toEqual([
      [2, '65002'],
      [3, '65003'],
    ]);
  });
});

test('routes received, accepted, best and advertised: of all peers, or of one', async () => {
  const peers = [
    { address: B, remoteAsn: 65002, tells: [P, '10.51.0.0/16'], importFilters: [filter({})] },
    { address: C, remoteAsn: 65003, tells: ['10.51.0.0/16'] },
  ];
  const [a] = await scene({ peers, originates: ['10.1.0.0/16'], transit: true });
  const rows = (which: 'received' | 'accepted' | 'best' | 'all', peer?: string): readonly string[] =>
    a
      .routes({ which, ...(peer !== undefined && { peer: parseIpAddress(peer) }) })
      .map(({ prefix, from }) => `${formatPrefix(prefix)} ${from.split(' ')[0]}`);
  expect(rows('received')).toEqual(['10.50.0.0/16 10.0.0.2', '10.51.0.0/16 10.0.0.2', '10.51.0.0/16 10.0.0.3']);
  expect(rows('accepted')).toEqual(['10.51.0.0/16 10.0.0.2', '10.51.0.0/16 10.0.0.3']);
  expect(rows('best')).toEqual(['10.1.0.0/16 this', '10.51.0.0/16 10.0.0.2']);
  expect(rows('all')).toHaveLength(4);
  expect(rows('received', C)).toEqual(['10.51.0.0/16 10.0.0.3']);
  expect(rows('best', C)).toEqual([]);
  const told = (peer?: string): readonly string[] =>
    a.advertised(peer === undefined ? undefined : parseIpAddress(peer)).map(({ prefix, to, attributes }) => {
      const hop = attributes?.nextHop === undefined ? '-' : formatIpAddress(attributes.nextHop);
      return `${formatPrefix(prefix)} ${to.split(' ')[0]} ${hop} ${attributes?.asPath}`;
    });
  expect(told(C)).toEqual(['10.1.0.0/16 10.0.0.3 10.0.0.1 64512', '10.51.0.0/16 10.0.0.3 10.0.0.1 64512 65002']);
  expect(told()).toHaveLength(3);
});
