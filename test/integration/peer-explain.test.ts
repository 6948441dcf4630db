/**
 * What an operator reads who types `calicoctl-ts peer explain ADDR` at three in the morning: for each way to get a session
 * wrong its cause, within five seconds. The waits are those of production, but that nobody waits before the first try.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { bird } from '../capture/daemons/bird.ts';
import { frr } from '../capture/daemons/frr.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import type { LabSpeakerFile } from '../support/lab-speaker.ts';
import { SpeakerLab } from '../support/speaker-lab.ts';
import type { LabSpeaker } from '../support/speaker-lab.ts';

const missing = missingForLab(...bird.programs, ...frr.programs);
const US = '10.98.0.1';
const THEM = '10.98.0.2';
const NOBODY = '10.98.0.77';
const ROUTES = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'];
const IN_TIME_MS = 5000;

let lab: SpeakerLab;
afterEach(() => lab.close());

type PeerFile = NonNullable<LabSpeakerFile['peers']>[number];

function start(peer: Partial<PeerFile> | undefined, more: Partial<LabSpeakerFile> = {}): Promise<LabSpeaker> {
  const defaults = { connectRetrySeconds: 5, errorWaitSeconds: [5, 30] as [number, number], ...more.defaults };
  const peers = peer === undefined ? [] : [{ address: THEM, asn: 65001, ...peer }];
  return lab.startSpeaker('us', { asn: 64512, originate: ROUTES, peers, ...more, defaults });
}

const explain = (speaker: LabSpeaker, address: string = THEM): Promise<string> =>
  speaker.cli('peer', 'explain', address);

/** The verdict is there in time, with these words somewhere on the screen. */
async function says(speaker: LabSpeaker, cause: string, ...words: readonly (string | RegExp)[]): Promise<void> {
  await eventually(async () => {
    const printed = await explain(speaker);
    expect(printed).toContain(`[${cause}]\n`);
    for (const each of words) expect(printed).toMatch(each);
  }, IN_TIME_MS);
}

/** What the log says of changes of the adjacency, one line each. */
const adjacencyLines = (speaker: LabSpeaker): readonly string[] =>
  speaker
    .log()
    .split('\n')
    .filter((line) => line.includes('%BGP-5-ADJCHANGE'))
    .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);

interface BirdText {
  readonly lines?: string;
  readonly local?: string;
  readonly neighbor?: string;
  readonly channel?: string;
  readonly id?: string;
}

const birdText = ({
  lines = '',
  local = `local ${THEM} as 65001;`,
  neighbor = `neighbor ${US} as 64512;`,
  channel = 'ipv4 { import all; export all; };',
  id = THEM,
}: BirdText = {}): string => `
router id ${id};
protocol device {}
protocol static { ipv4; route 10.50.0.0/16 blackhole; route 10.51.0.0/16 blackhole; }
protocol bgp node {
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ${local} ${neighbor} ${channel} ${lines}
}
`;

type Trial = readonly [what: string, theirs: BirdText, ours: Partial<PeerFile>, cause: string, words: string];

describe.skipIf(missing !== undefined)(`the other side is BIRD 2 ${missing ?? ''}`, () => {
  test.each<Trial>([
    [
      'it is in another AS',
      { local: `local ${THEM} as 65002;` },
      {},
      'wrong AS',
      'the peer says that it is in AS 65002, and configured here is AS 65001',
    ],
    [
      'it expects another AS of us',
      { neighbor: `neighbor ${US} as 64999;` },
      {},
      'wrong AS',
      'the peer expects another AS of us: we say that we are in AS 64512',
    ],
    [
      'it has our BGP Identifier',
      { id: US, local: `local ${THEM} as 64512;` },
      { asn: 64512 },
      'wrong identifier',
      'the peer has our own BGP Identifier (router id), 10.98.0.1',
    ],
    [
      'it speaks of IPv6 alone',
      { channel: 'ipv6 { import all; export all; };' },
      {},
      'no common family',
      'the peer does not offer what is configured here: IPv4 unicast',
    ],
    [
      'it listens on another port',
      { lines: 'passive on;' },
      { port: 1790 },
      'nobody listens',
      '10.98.0.2 is there, but nobody listens on its port 1790 (ECONNREFUSED)',
    ],
    [
      'it waits for us, and we for it',
      { lines: 'passive on;' },
      { passive: true },
      'both wait',
      'this side is passive and waits, and 10.98.0.2 has not connected for',
    ],
    [
      'it has another neighbor',
      { neighbor: `neighbor ${NOBODY} as 64512;` },
      {},
      'not configured at the peer',
      'it has no neighbor 10.98.0.1 that may come up now',
    ],
    [
      'we tell it too much',
      { channel: 'ipv4 { import all; export all; import limit 1 action disable; };' },
      {},
      'prefix limit',
      'we announced more prefixes than the peer’s limit, so the peer ended the session',
    ],
    [
      'it tells us too much',
      {},
      { prefixLimits: { ipv4: { maximum: 1, warnPercent: 80, action: 'shutdown' } } },
      'prefix limit',
      'the peer announced more than its limit of 1 IPv4 prefix, so we ended the session; it stays down until',
    ],
    [
      'its password is another',
      { lines: 'password "theirs";' },
      { password: 'ours' },
      'wrong password',
      'the two sides have different passwords (TCP MD5)',
    ],
    [
      'a password is set here alone',
      {},
      { password: 'ours' },
      'wrong password',
      'a password (TCP MD5) is set here and not at the peer',
    ],
    [
      'a password is set there alone',
      { lines: 'password "theirs";' },
      {},
      'wrong password',
      'a password (TCP MD5) is set at the peer and not here',
    ],
    [
      'its password is another, and it never dials: the kernel has no evidence',
      { lines: 'password "theirs"; passive on;' },
      { password: 'ours' },
      'no answer',
      '1. the password at the peer: with another one, or none, it looks exactly like this',
    ],
    [
      'a password is set there alone, and it never dials',
      { lines: 'password "theirs"; passive on;' },
      {},
      'no answer',
      'whether the peer demands a password (TCP MD5): there is none here',
    ],
    [
      'TTL security is on here alone',
      {},
      { ttlSecurityHops: 1 },
      'wrong TTL',
      'TTL security (GTSM) is on here and not at the peer',
    ],
    [
      'TTL security is on here alone, and it dials',
      {},
      { ttlSecurityHops: 1, passive: true },
      'wrong TTL',
      'a connection of the peer was refused: it comes from farther away than TTL security lets in: TTL 1 of at least 255',
    ],
    [
      'TTL security is on there alone',
      { lines: 'ttl security on;' },
      {},
      'wrong TTL',
      'the peer hears nothing of what we send: most likely it has TTL security (GTSM) on, and we have not',
    ],
  ])('%s', async (...[, theirs, ours, cause, words]) => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await lab.startDaemon('them', bird, birdText(theirs));
    await says(await start(ours), cause, words);
  });

  test('nobody has the address', async () => {
    lab = new SpeakerLab('why', ['us']);
    const speaker = await start({ address: NOBODY });
    await eventually(async () => {
      const printed = await explain(speaker, NOBODY);
      expect(printed).toContain('[no route]\n');
      expect(printed).toContain('1. that the address is right, and the host up\n');
    }, IN_TIME_MS);
  });

  test('a router stands between, and the TTL security of both allows none', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    lab.addRouter('r');
    const [left, right] = [lab.link('us', 'r'), lab.link('r', 'them')];
    lab.host('us').run('ip', 'route', 'add', '10.98.2.0/24', 'via', left.right.ipv4);
    lab.host('them').run('ip', 'route', 'add', '10.98.1.0/24', 'via', right.left.ipv4);
    const [us, them] = [left.left.ipv4, right.right.ipv4];
    const ends = { local: `local ${them} as 65001;`, neighbor: `neighbor ${us} as 64512;` };
    await lab.startDaemon('them', bird, birdText({ ...ends, lines: 'multihop 2; ttl security on;' }));
    const speaker = await start({ address: them, ttlSecurityHops: 1 });
    await eventually(async () => {
      const printed = await explain(speaker, them);
      expect(printed).toContain('the peer is more than one hop away, or TTL security (GTSM) is on here and not');
      expect(printed).toMatch(/the kernel of this host has dropped \d+ segments? whose TTL is below 255/);
    }, IN_TIME_MS);
  });

  test('it is no peer here, and calls', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await lab.startDaemon('them', bird, birdText());
    const speaker = await start(undefined);
    await says(
      speaker,
      'not configured here',
      /^10\.98\.0\.2 is no peer of this node\n/,
      /^Why: {2}no peer and no range of dynamicPeers in .*speaker\.yaml has the address 10\.98\.0\.2/m,
      /it tried to connect to us (once|\d+ times), last at 20\S+Z, and was refused: no peer has this address/,
    );
  });

  test('its operator shut it down, with a text', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    const them = await lab.startDaemon('them', bird, birdText());
    const speaker = await start({});
    await speaker.established(THEM);
    expect(await explain(speaker)).toMatch(/: Established for .*\nWhy: {2}the session is up \[established\]\n/);
    them.control('disable node "new fibre"');
    await says(speaker, 'shut down by the peer', 'the peer’s operator shut the session down: "new fibre"');
    // BIRD listens no more where no session wants it to: that is not the news.
    await eventually(async () => expect(await explain(speaker)).toContain('connection refused'));
    await says(speaker, 'shut down by the peer', '"new fibre"');
    expect(adjacencyLines(speaker)).toEqual([
      '%BGP-5-ADJCHANGE: neighbor 10.98.0.2 Up',
      '%BGP-5-ADJCHANGE: neighbor 10.98.0.2 Down - NOTIFICATION received: Cease / Administrative Shutdown: "new fibre"',
    ]);
    expect(await speaker.cli('peer', 'show', THEM)).toMatch(
      /^ {2}\S+Z {2}flap: NOTIFICATION received: Cease \/ Administrative Shutdown: "new fibre"$/m,
    );
  });
});

describe.skipIf(missing !== undefined)(`the other side is FRR, or we once more ${missing ?? ''}`, () => {
  const frrText = (neighbor: string, more = ''): string =>
    `router bgp 65001\n bgp router-id ${THEM}\n no bgp ebgp-requires-policy\n neighbor ${neighbor}${more}\n`;

  test.each<readonly [string, string, string, string]>([
    ['it expects another AS of us', frrText(`${US} remote-as 64999`), 'wrong AS', 'the peer expects another AS of us'],
    [
      'it has another neighbor',
      frrText(`${NOBODY} remote-as 64512`),
      'not configured at the peer',
      'no neighbor 10.98.0.1',
    ],
    [
      'it is shut down there from the start',
      frrText(`${US} remote-as 64512`, `\n neighbor ${US} shutdown`),
      'not configured at the peer',
      'that it is not shut down there',
    ],
  ])('FRR: %s', async (...[, config, cause, words]) => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await lab.startDaemon('them', frr, config);
    await says(await start({}), cause, words);
  });

  /** Our own speaker there, as it is in production. */
  const startThem = (peer: object): Promise<LabSpeaker> =>
    lab.startSpeaker('them', {
      asn: 65001,
      defaults: { errorWaitSeconds: [5, 30] },
      peers: [{ address: US, asn: 64512, ...peer }],
    });

  test('what it refuses while it waits after an error does not hide the error', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await startThem({ asn: 64999 });
    const speaker = await start({}, { defaults: { errorWaitSeconds: [1, 1] } });
    await says(speaker, 'wrong AS', 'the peer expects another AS of us');
    await eventually(async () => expect(await explain(speaker)).toContain('Cease / Connection Rejected'));
    expect(await explain(speaker)).toContain('the peer expects another AS of us');
  });

  test('it is held down there', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await startThem({ shutdown: 'spare' });
    await says(
      await start({}),
      'not configured at the peer',
      'the peer refuses our connections (Connection Rejected): it has no neighbor 10.98.0.1',
    );
  });

  test('it names the limit that we broke', async () => {
    lab = new SpeakerLab('why', ['us', 'them']);
    await startThem({ prefixLimits: { ipv4: { maximum: 2, warnPercent: 80, action: 'shutdown' } } });
    await says(await start({}), 'prefix limit', 'we announced more than the peer’s limit of 2 IPv4 prefixes');
  });
});
