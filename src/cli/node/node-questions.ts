/** Asks the agents of other nodes through the datastore: a CalicoNodeStatus each, which the node fills in. */
import { QUESTION_PREFIX } from '../../api/status-question.ts';
import type { Entry, Store } from '../../datastore/store.ts';
import { NotFoundError } from '../../datastore/store.ts';
import { startSyncer } from '../../datastore/syncer.ts';
import type { CalicoNodeStatus, ResourceClient } from '../../resources/index.ts';
import { API_VERSION, readStored, resourcePrefix } from '../../resources/index.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { CliIo } from '../io.ts';

export interface Asking {
  readonly store: Store;
  readonly client: ResourceClient;
  readonly nodes: readonly string[];
  readonly timeoutMs: number;
  /** Ends the wait. */
  readonly interruption: AbortSignal;
}

/** One answer is enough; a node that is slow to forget writes seldom. */
const PERIOD_SECONDS = 3600;
/** Longer than anybody waits: whoever asked has died. */
const LEFT_BEHIND_MS = 600_000;
const MAX_AT_ONCE = 50;

/**
 * The resources as the nodes have filled them in, by node; of those that did not answer within the time there is none. Returns as soon
 * as all have answered; whatever happens the questions are taken away again.
 */
export async function askNodes(asking: Asking, io: CliIo): Promise<ReadonlyMap<string, CalicoNodeStatus>> {
  const { client, nodes } = asking;
  const prefix = `${QUESTION_PREFIX}${tag()}-`;
  const names = new Map(nodes.map((node, i) => [questionName(prefix, node, i), node]));
  const answers = new Map<string, CalicoNodeStatus>();
  await sweep(client, io);
  const gathering = gather({ ...asking, prefix, names, answers }, io);
  const asked = inBatches([...names], async ([name, node]) => {
    await client.create(question(name, node));
  });
  try {
    await Promise.race([gathering.done, asked.then(() => gathering.done)]);
  } finally {
    await gathering.close();
    // What is written a moment later would stay.
    await asked.catch(() => undefined);
    await inBatches([...names.keys()], (name) => take(client, name, io));
  }
  return answers;
}

const tag = (): string =>
  Math.floor(systemRandom() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');

/** A name has 253 characters at most, and a node's may have as many. */
const questionName = (prefix: string, node: string, i: number): string =>
  prefix.length + node.length <= 253 ? `${prefix}${node}` : `${prefix}${i}`;

const question = (name: string, node: string): CalicoNodeStatus => ({
  apiVersion: API_VERSION,
  kind: 'CalicoNodeStatus',
  metadata: { name },
  spec: { node, classes: ['Agent', 'BGP'], updatePeriodSeconds: PERIOD_SECONDS },
});

interface Gathering extends Asking {
  readonly prefix: string;
  readonly names: ReadonlyMap<string, string>;
  readonly answers: Map<string, CalicoNodeStatus>;
}

/** Collects answers until all are there, the time is over, or somebody interrupts. */
function gather(
  { store, nodes, timeoutMs, interruption, prefix, names, answers }: Gathering,
  io: CliIo,
): { readonly done: Promise<void>; readonly close: () => Promise<void> } {
  const { promise: done, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => resolve(undefined);
  const look = (entries: readonly Entry[]): void => {
    for (const read of entries.map(readStored)) {
      const answer = 'kind' in read && read.kind === 'CalicoNodeStatus' ? read : undefined;
      const node = answer && names.get(answer.metadata.name);
      if (node !== undefined && answer?.status?.lastUpdated !== undefined) answers.set(node, answer);
    }
    if (answers.size === nodes.length) end();
  };
  const syncer = startSyncer(
    store,
    `${resourcePrefix('CalicoNodeStatus')}${prefix}`,
    {
      onSnapshot: ({ entries }) => look([...entries.values()]),
      onChanges: (changes) => look(changes.flatMap((change) => (change.type === 'put' ? [change.entry] : []))),
    },
    { clock: systemClock, random: systemRandom },
  );
  const stopTimer = io.after(timeoutMs, end);
  if (interruption.aborted) end();
  interruption.addEventListener('abort', end, { once: true });
  return {
    done,
    close: async () => {
      stopTimer();
      end();
      await syncer.close();
    },
  };
}

async function take(client: ResourceClient, name: string, io: CliIo): Promise<void> {
  try {
    await client.delete('CalicoNodeStatus', name);
  } catch (error) {
    if (error instanceof NotFoundError) return;
    io.stderr(`CalicoNodeStatus(${name}) is left in the datastore: ${(error as Error).message}\n`);
  }
}

/** What others left behind who were killed, also of nodes that are gone and cannot forget by themselves. */
async function sweep(client: ResourceClient, io: CliIo): Promise<void> {
  const old = (await client.list('CalicoNodeStatus', undefined, QUESTION_PREFIX)).filter(
    ({ metadata }) => Date.parse(metadata.creationTimestamp ?? '') < io.now() - LEFT_BEHIND_MS,
  );
  await inBatches(old, ({ metadata }) => take(client, metadata.name, io));
}

async function inBatches<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += MAX_AT_ONCE) {
    const outcomes = await Promise.allSettled(all.slice(i, i + MAX_AT_ONCE).map(work));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
