import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Store } from '../../src/datastore/store.ts';
import { audit, createIpam, ipamSurvey, repairPlan } from '../../src/ipam/index.ts';
import type { Audit, Evidence, Users } from '../../src/ipam/index.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { EtcdServer } from '../support/etcd-server.ts';
import type { Ledger } from '../support/ipam-ledger.ts';
import { readLedger } from '../support/ipam-ledger.ts';
import { checkInvariants } from '../support/ipam.ts';

/** `npm run ipam-chaos` has 2,000. */
const ALLOCATIONS = Number(process.env['CALICO_TS_IPAM_ALLOCATIONS'] ?? 200);
const PROCESSES = 8;
/** Two processes of one node share its blocks, as an agent and its successor do. */
const NODES = ['n1', 'n2', 'n3', 'n4'];
const WORKER = join(import.meta.dirname, '..', 'support', 'ipam-worker.ts');
const HAS_ETCD = spawnSync('/usr/bin/etcd', ['--version']).status === 0;
const PORTS = { clock: systemClock, random: Math.random };

describe.skipIf(!HAS_ETCD)('IPAM on etcd', () => {
  let server: EtcdServer;
  let store: Store;
  let directory: string;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-ts-ipam-'));
    server = await EtcdServer.start();
    store = await openEtcdStore({ endpoints: [server.endpoint] }, PORTS);
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await store.close();
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const ledgerOf = (i: number): string => join(directory, `w${i}`);

  /** Until it has done all it should, through however many kills. */
  async function work(i: number): Promise<void> {
    for (;;) {
      const args = [server.endpoint, ledgerOf(i), `w${i}`, NODES[i % NODES.length]!, String(ALLOCATIONS)];
      const child = spawn(process.execPath, [WORKER, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
      running.add(child);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      running.delete(child);
      if (signal === 'SIGKILL') continue;
      expect(code, `w${i}`).toBe(0);
      return;
    }
  }

  /** Kills one that has been at work for a while, again and again; gives the number. */
  async function mischief(isOver: () => boolean): Promise<number> {
    for (let kills = 0; ; kills++) {
      // By what was done, not by the clock: a slow machine has as many kills.
      const target = doneSoFar() + Math.random() * 2 * KILL_EVERY;
      while (doneSoFar() < target) {
        if (isOver()) return kills;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const victims = [...running];
      victims[Math.floor(Math.random() * victims.length)]?.kill('SIGKILL');
    }
  }

  /** In the same measure: some 16 kills of 200 allocations each, some 40 of 2,000. */
  const KILL_EVERY = 300 * Math.max(100, (PROCESSES * ALLOCATIONS) / 40);
  const ledgers = (): readonly Ledger[] => Array.from({ length: PROCESSES }, (_, i) => readLedger(ledgerOf(i)));
  /** In octets of ledger, of which an assignment and its release leave some hundreds. */
  const doneSoFar = (): number =>
    Array.from({ length: PROCESSES }, (_, i) => statSync(ledgerOf(i), { throwIfNoEntry: false })?.size ?? 0).reduce(
      (sum, size) => sum + size,
      0,
    );

  test(`${PROCESSES} processes that each assign ${ALLOCATIONS} addresses and release most of them, killed at random`, async () => {
    const startedAt = performance.now();
    let left = PROCESSES;
    const all = Promise.all(Array.from({ length: PROCESSES }, (_, i) => work(i).finally(() => left--)));
    const kills = await mischief(() => left === 0);
    await all;
    const seconds = (performance.now() - startedAt) / 1000;

    const told = ledgers();
    expect(twice(told)).toEqual([]);
    const held = new Map(told.flatMap((ledger) => [...ledger.held]));
    const doubtful = new Set(told.flatMap((ledger) => [...ledger.doubtful]));
    const users: Users = {
      nodes: new Set(NODES),
      inUse: new Map([...held].map(([handle, ip]) => [ip, [handle]])),
      containers: new Set(),
    };
    const look = async (): Promise<Audit> => audit(ipamSurvey(await store.list('/')), users);
    const before = await look();
    const byIp = new Map(before.allocations.map((one) => [one.ip, one.handle]));
    for (const [handle, ip] of held) expect(byIp.get(ip), `${ip}, which ${handle} was told is its own`).toBe(handle);
    const leaked = before.allocations.filter(({ verdict }) => verdict === 'leaked');
    for (const { handle } of leaked) expect(doubtful, `leaked ${handle!}`).toContain(handle);

    // Leaks are repaired as an operator would, from a report.
    const nowMs = Date.now();
    const plan = repairPlan([evidence(before, nowMs)], await look(), { nowMs, graceMs: 0, byOwnAge: false });
    const done = await createIpam(store, PORTS).repair(plan);
    expect(done).toMatchObject({ addresses: leaked.length, skipped: [] });
    const after = await look();
    expect(new Map(after.allocations.map(({ ip, handle }) => [handle, ip]))).toEqual(held);
    expect(after).toMatchObject({ leakedHandles: [], missingHandles: [], wrongCounts: [], blocksWithoutAffinity: [] });
    expect(await checkInvariants(store)).toBe(held.size);
    const sum = (of: (ledger: Ledger) => number): number => told.reduce((total, ledger) => total + of(ledger), 0);
    console.log(
      `${sum(({ asked }) => asked)} asked, ${sum(({ freed }) => freed)} released, ${held.size} held, ${kills} kills, ` +
        `${leaked.length} leaked and repaired, ${Math.round(seconds)} s`,
    );
  }, 1_800_000);
});

/** Addresses that two handles had at the same time, by what they were told. */
function twice(told: readonly Ledger[]): readonly string[] {
  const byIp = Map.groupBy(
    told.flatMap(({ spans }) => spans),
    ({ ip }) => ip,
  );
  return [...byIp.values()].flatMap((spans) => {
    const inOrder = spans.toSorted((a, b) => a.from - b.from);
    return inOrder.flatMap((span, i) => {
      const next = inOrder[i + 1];
      return next !== undefined && next.from < span.to ? [`${span.ip}: ${span.handle} and ${next.handle}`] : [];
    });
  });
}

const evidence = (found: Audit, takenAt: number): Evidence => ({
  takenAt,
  leaked: found.allocations.filter(({ verdict }) => verdict === 'leaked'),
  leakedHandles: found.leakedHandles,
  wrongCounts: found.wrongCounts,
  affinitiesWithoutNode: found.affinitiesWithoutNode.map((one) => ({ ...one, cidr: formatPrefix(one.prefix) })),
  blocksWithoutAffinity: found.blocksWithoutAffinity.map((one) => ({ ...one, cidr: formatPrefix(one.prefix) })),
});
