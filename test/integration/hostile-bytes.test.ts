/**
 * Octets by chance in every state of a session: what is valid but for a few changes, what is cut short, and noise. More of
 * it: HOSTILE_SESSIONS=20000 HOSTILE_SEED=7.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageSeeds } from '../fuzz/corpus.ts';
import { Mutator } from '../fuzz/mutate.ts';
import { Random } from '../fuzz/random.ts';
import { eventually } from '../support/eventually.ts';
import { expectNoLeak } from '../support/leaks.ts';
import { isRoot } from '../support/netns.ts';
import { PeerLab } from '../support/scripted-peer-lab.ts';
import type { ScriptedPeer } from '../support/scripted-peer.ts';

const SESSIONS = Number(process.env['HOSTILE_SESSIONS'] ?? 2000);
const SEED = Number(process.env['HOSTILE_SEED'] ?? 1);
const AT_ONCE = 12;
const HOLD_SECONDS = 12;
const INNOCENT = { address: '10.66.0.2', asn: 65002, holdSeconds: HOLD_SECONDS };

/** Some inside our AS: there LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST count. */
const hostile = (number: number) => ({ address: `10.66.1.${number}`, asn: number % 3 === 0 ? 64512 : 65001 });

const STATES = ['OpenSent', 'OpenConfirm', 'Established'] as const;

const UPDATE = 2;
/** What our sessions read as it was meant: most others end a session, so that nothing behind them is read. */
const updateSeeds = messageSeeds.filter(
  ({ octets, session }) => octets[18] === UPDATE && session.fourOctetAs && session.addPath.size === 0,
);
const anything = new Mutator(messageSeeds, true);
const updates = new Mutator(updateSeeds, true);

let lab: PeerLab;
let innocent: ScriptedPeer;

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + random.below(6000) }, () => random.octet());
}

/** Some messages in a row, now and then cut short. */
function stream(random: Random): Uint8Array {
  const messages = Array.from({ length: 1 + random.below(20) }, () => {
    if (random.chance(60)) return random.pick(updateSeeds).octets;
    return (random.chance(90) ? updates : anything).make(random).octets.slice();
  });
  const all = Uint8Array.from(messages.flatMap((octets) => [...octets]));
  return random.chance(30) ? all.subarray(0, random.below(all.length + 1)) : all;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As far as `state`. False where the speaker hangs up before, because it waits after an error. */
async function bringTo(peer: ScriptedPeer, state: (typeof STATES)[number]): Promise<boolean> {
  try {
    if (state === 'OpenSent') await peer.until(() => peer.theirOpen !== undefined, 'their OPEN');
    if (state === 'OpenConfirm') {
      peer.sendOpen();
      await peer.until(() => peer.counts.keepalive > 0, 'their KEEPALIVE');
    }
    if (state === 'Established') await peer.establish();
    return true;
  } catch (error) {
    if (peer.end === undefined) throw error;
    return false;
  }
}

async function attack(number: number, random: Random): Promise<boolean> {
  const peer = await lab.connect(hostile(number));
  if (!(await bringTo(peer, random.chance(70) ? 'Established' : random.pick(STATES)))) return false;
  peer.sendBytes(random.chance(25) ? noise(random) : stream(random));
  await pause(random.below(60));
  if (random.chance(30)) peer.reset();
  else peer.halfClose();
  await peer.until(() => peer.end !== undefined, 'the end');
  return true;
}

describe.skipIf(!isRoot && process.env['CI'] === undefined)('octets by chance', () => {
  beforeAll(async () => {
    lab = await PeerLab.start();
    const peers = Array.from({ length: AT_ONCE }, (_, i) => ({
      ...hostile(i + 1),
      errorWaitSeconds: [0.02, 0.02] as const,
    }));
    await lab.setPeers([INNOCENT, ...peers]);
    innocent = await lab.establish(INNOCENT);
  });

  afterAll(() => lab.close());

  /** Sessions `from` to `to`, some at a time, each peer one after the other. */
  async function attackAll(from: number, to: number): Promise<void> {
    let next = from;
    const one = async (number: number): Promise<void> => {
      for (let session = next++; session < to; session = next++) {
        const random = new Random().reseed(SEED, 2, session);
        while (!(await attack(number, random))) await pause(20);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => one(i + 1)));
    await innocent.until(() => innocent.routes.size === 0, 'the withdrawal of all that came');
  }

  const name = `${SESSIONS} sessions, seed ${SEED}: no crash, no leak, and nothing that an innocent peer would notice`;
  test(name, { timeout: 60_000 + SESSIONS * 200 }, async () => {
    const files = lab.openFiles;
    const warm = Math.ceil(SESSIONS / 3);
    await attackAll(0, warm);
    const before = await lab.memory();
    await attackAll(warm, SESSIONS);
    expect(lab.stderr).toBe('');
    expect(lab.isRunning).toBe(true);
    expect([innocent.end, innocent.counts.open, innocent.faults]).toEqual([undefined, 1, []]);
    expect(innocent.longestSilenceMs).toBeLessThan(HOLD_SECONDS * 1000);
    await eventually(() => expect(lab.openFiles).toBeLessThanOrEqual(files));
    // Nobody is there any more, so nobody holds a prefix or a set of attributes.
    innocent.close();
    await eventually(async () => expect(await lab.memory()).toMatchObject({ attributeSets: 0, prefixes: 0 }));
    const after = await lab.memory();
    // Some of it was routes, or the octets are not what they should be.
    expect(innocent.prefixChanges).toBeGreaterThan(SESSIONS / 20);
    expectNoLeak(before, after);
  });
});
