/**
 * A process of its own that assigns and releases until it has asked for so many addresses: `ENDPOINT LEDGER NAME NODE ALLOCATIONS`. It goes
 * on where its ledger ends, and knows no more than what stands there: what was asked or released without an answer it tries to give back, as
 * a runtime repeats its DEL, or forgets, in turn.
 */
import { openSync, writeSync } from 'node:fs';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { UnavailableError } from '../../src/datastore/store.ts';
import { createIpam, PoolsExhaustedError, TooManyConflictsError } from '../../src/ipam/index.ts';
import { formatIpAddress, parsePrefix } from '../../src/model/ip.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Note } from './ipam-ledger.ts';
import { readLedger } from './ipam-ledger.ts';

const [, , endpoint = '', path = '', name = '', node = '', allocations = '0'] = process.argv;
/** So many things are under way at a time. */
const AT_ONCE = 8;
const MAX_HELD = 40;
const POOLS = [{ name: 'main', cidr: parsePrefix('10.65.0.0/22'), blockSize: 28 }];

const before = readLedger(path);
const ports = { clock: systemClock, random: Math.random };
const store = await openEtcdStore({ endpoints: [endpoint] }, ports);
const ipam = createIpam(store, ports);
const file = openSync(path, 'a');
const note = (one: Note): void => void writeSync(file, `${JSON.stringify(one)}\n`);
// A line that a kill cut short must not spoil the next.
writeSync(file, '\n');
const now = (): number => Number(process.hrtime.bigint() / 1000n);
const held = new Set(before.held.keys());
let asked = before.asked;

const doubtful = [...before.doubtful].filter((_, i) => i % 2 === 0);
await Promise.all(doubtful.map((handle) => answered(() => release(handle))));
while (asked < Number(allocations)) {
  await Promise.all(Array.from({ length: AT_ONCE }, () => answered(step)));
}
await store.close();

function step(): Promise<void> {
  const isToRelease = Math.random() < held.size / MAX_HELD;
  const [...handles] = held;
  const handle = handles[Math.floor(Math.random() * handles.length)];
  if (!isToRelease || handle === undefined) return assign(`k8s-pod-network.${name}-${asked++}`);
  held.delete(handle);
  note({ did: 'free', handle, at: now() });
  return release(handle);
}

async function assign(handle: string): Promise<void> {
  note({ did: 'ask', handle });
  const attributes = { pod: handle, namespace: 'default' };
  try {
    const { addresses } = await ipam.autoAssign({ node, count: 1, handleId: handle, attributes, pools: POOLS });
    note({ did: 'got', handle, ip: formatIpAddress(addresses[0]!), at: now() });
    held.add(handle);
  } catch (error) {
    if (!(error instanceof PoolsExhaustedError)) throw error;
    note({ did: 'none', handle });
  }
}

async function release(handle: string): Promise<void> {
  await ipam.releaseByHandle(handle);
  note({ did: 'freed', handle });
}

/** Without an answer it stays in doubt. */
async function answered(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UnavailableError || error instanceof TooManyConflictsError)) throw error;
  }
}
