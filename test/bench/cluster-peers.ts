/**
 * All other nodes of a cluster, in a process of its own in their namespace: waits for the agent's sessions, answers each OPEN as the
 * node whose address was called, announces that node's blocks, and counts what it hears. It stands on the codec alone, never on the
 * speaker. Fills the datastore, too. Speaks JSON by the line: `Request` in, an answer for each.
 */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import {
  decodeMessage,
  encodeAttributes,
  encodeEndOfRib,
  encodeMessage,
  encodeUpdateFrame,
  Framer,
  IPV4_UNICAST,
  MAX_OCTETS,
  parseIpv4,
  plainContext,
} from '../../bird/bgp-ts/index.ts';
import type { CodecContext, Message } from '../../bird/bgp-ts/index.ts';
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import type { Write } from '../../src/datastore/store.ts';
import { MAX_WRITES } from '../../src/datastore/store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { wallNow } from './cluster-clock.ts';
import {
  ASN,
  BLOCKS_PER_NODE,
  blockAddress,
  CLUSTER_ID,
  clusterWrites,
  dotted,
  nodeAddress,
  nodeIndex,
  REFLECTORS,
} from './cluster-data.ts';
import type { ClusterShape } from './cluster-data.ts';

export type Request =
  | { readonly do: 'fill'; readonly shape: ClusterShape; readonly endpoint: string }
  | { readonly do: 'listen'; readonly shape: ClusterShape }
  /** The agent is about to start: from here on everything is counted anew. */
  | { readonly do: 'expect'; readonly shape: ClusterShape }
  | { readonly do: 'count' };

export interface Counts {
  /** Sessions that are Established. */
  readonly up: number;
  /** When the last of them came up; ms since 1970. */
  readonly lastUpAt: number;
  /** Prefixes that the agent told, on all sessions together. */
  readonly heard: number;
  /** What sessions ended with; empty, or something is wrong. */
  readonly faults: readonly string[];
}

interface Again {
  readonly ms: number;
  readonly opened?: () => void;
}

interface Hearing {
  up: number;
  lastUpAt: number;
  heard: number;
  faults: string[];
}

const HOLD_SECONDS = 240;
const BGP_PORT = 179;
const KNOCK_MS = 20;
const RETRY_MS = 250;
const KEEPALIVE_MS = 60_000;
const BLOCK_LENGTH = 26;
const context: CodecContext = { ...plainContext, external: false };
const keepalive = encodeMessage({ type: 'keepalive' }, context);

const nothing = (): Hearing => ({ up: 0, lastUpAt: 0, heard: 0, faults: [] });
let hearing = nothing();
let server: Server | undefined;

/** A connection on which both sides have said OPEN. */
interface Talk {
  /** The agent called. */
  readonly isCalled: boolean;
  isUp: boolean;
  lose(): void;
}

/** By the node's number. */
const talks = new Map<number, Talk>();
const collision = encodeMessage({ type: 'notification', code: 6, subcode: 7, data: new Uint8Array() }, context);

/**
 * The agent calls all when it starts, and some call it: RFC 4271 section 6.8. Of two connections the one that is Established stays, else
 * that of the higher BGP identifier. False: it is not `newer`.
 */
function stays(i: number, newer: Talk, shape: ClusterShape): boolean {
  const older = talks.get(i);
  if (older !== undefined) {
    const isOwnHigher = nodeAddress(i, shape) > nodeAddress(0, shape);
    if (older.isUp || older.isCalled !== isOwnHigher) return false;
    older.lose();
  }
  talks.set(i, newer);
  return true;
}

function openOf(i: number, shape: ClusterShape): Uint8Array {
  const capabilities = [
    { name: 'multiprotocol', family: IPV4_UNICAST },
    { name: 'route-refresh' },
    { name: 'four-octet-as', asn: ASN },
    {
      name: 'graceful-restart',
      ...{ restarting: false, notification: false, restartSeconds: 120 },
      families: [{ family: IPV4_UNICAST, forwardingPreserved: true }],
    },
  ] as const;
  const [version, asn, holdSeconds, bgpIdentifier] = [4, ASN, HOLD_SECONDS, nodeAddress(i, shape)];
  return encodeMessage({ type: 'open', version, asn, holdSeconds, bgpIdentifier, capabilities }, context);
}

/** What node `i` tells: its own blocks, and as a reflector those of all nodes but the agent's. */
function announcements(i: number, shape: ClusterShape): Uint8Array {
  const { nodes, peering } = shape;
  const isReflector = peering === 'reflectors' && i <= REFLECTORS;
  const owners = isReflector ? Array.from({ length: nodes - 1 }, (_, at) => at + 1) : [i];
  return Buffer.concat([
    ...owners.map((owner) => updateOf(owner, { shape, isReflected: owner !== i })),
    encodeEndOfRib(IPV4_UNICAST),
  ]);
}

function updateOf(
  owner: number,
  { shape, isReflected }: { readonly shape: ClusterShape; readonly isReflected: boolean },
): Uint8Array {
  const nextHop = Buffer.alloc(4);
  nextHop.writeUInt32BE(nodeAddress(owner, shape));
  const attributes = encodeAttributes(
    {
      ...{ origin: 'igp', asPath: [], nextHop, localPref: 100 },
      ...(isReflected && { originatorId: nodeAddress(owner, shape), clusterList: [CLUSTER_ID] }),
    },
    context,
  );
  const nlri = Buffer.alloc(BLOCKS_PER_NODE * 5);
  for (let k = 0; k < BLOCKS_PER_NODE; k++) {
    nlri[k * 5] = BLOCK_LENGTH;
    nlri.writeUInt32BE(blockAddress(owner, k), k * 5 + 1);
  }
  return encodeUpdateFrame({ attributes, nlri });
}

function listen(shape: ClusterShape): Promise<void> {
  server = createServer({ noDelay: true }, (socket) => {
    attend(socket, { i: nodeIndex(parseIpv4(socket.localAddress ?? '') ?? 0, shape), shape, isCalled: true });
  });
  return new Promise((resolve) => server!.listen({ host: '0.0.0.0', port: BGP_PORT, backlog: 2048 }, resolve));
}

/**
 * Those of a mesh with a higher address than the agent's. The first knocks until somebody opens, then all come at once; who is turned
 * away, because the agent only looked whether the port is free or does not know its peers yet, comes again.
 */
function call(shape: ClusterShape): void {
  const agent = dotted(nodeAddress(0, shape));
  // As text: so Calico's templates compare.
  const [first, ...others] = Array.from({ length: shape.nodes - 1 }, (_, at) => at + 1).filter(
    (i) => dotted(nodeAddress(i, shape)) > agent,
  );
  const mine = hearing;
  const dial = (i: number, again: Again): void => {
    const target = { host: agent, port: BGP_PORT, localAddress: dotted(nodeAddress(i, shape)), noDelay: true };
    const socket = connect(target);
    let wasUp = false;
    const opened = (): void => {
      wasUp = true;
      again.opened?.();
    };
    attend(socket, { i, shape, isCalled: false, opened });
    socket.once('close', () => {
      // Who has a session by the agent's own call is content with it.
      if (wasUp || mine !== hearing) return;
      if (talks.has(i)) again.opened?.();
      else setTimeout(() => dial(i, again), again.ms);
    });
  };
  dial(first!, { ms: KNOCK_MS, opened: () => others.forEach((i) => dial(i, { ms: RETRY_MS })) });
}

interface Attended {
  readonly i: number;
  readonly shape: ClusterShape;
  readonly isCalled: boolean;
  readonly opened?: () => void;
}

function attend(socket: Socket, { i, shape, isCalled, opened }: Attended): void {
  const framer = new Framer(MAX_OCTETS);
  const mine = hearing;
  let timer: NodeJS.Timeout | undefined;
  let heard = 0;
  const lose = (): void => void socket.end(collision);
  const talk: Talk = { isCalled, isUp: false, lose };
  const hear = (message: Message): void => {
    if (message.type === 'open') {
      if (stays(i, talk, shape)) socket.write(Buffer.concat([openOf(i, shape), keepalive]));
      else lose();
    }
    if (message.type === 'keepalive' && !talk.isUp) {
      talk.isUp = true;
      mine.up++;
      opened?.();
      mine.lastUpAt = wallNow();
      socket.write(announcements(i, shape));
      timer = setInterval(() => socket.write(keepalive), KEEPALIVE_MS);
    }
    if (message.type === 'update') {
      for (const { nlri } of message.announced) {
        mine.heard += nlri.length;
        heard += nlri.length;
      }
    }
    if (message.type === 'notification' && talk.isUp)
      mine.faults.push(`NOTIFICATION ${message.code}/${message.subcode} to node ${i}`);
  };
  socket.on('data', (octets) => {
    framer.push(octets);
    for (let frame = framer.next(); frame !== undefined && !socket.writableEnded; frame = framer.next()) {
      const result = decodeMessage(frame, context);
      if (result.kind === 'ok') hear(result.message);
      else mine.faults.push(`node ${i} cannot read what it is told`);
    }
  });
  socket.on('error', (error) => {
    if (talk.isUp && mine === hearing) mine.faults.push(`node ${i}: ${error.message}`);
  });
  socket.on('close', () => {
    clearInterval(timer);
    if (talks.get(i) === talk) talks.delete(i);
    if (!talk.isUp) return;
    mine.up--;
    mine.heard -= heard;
  });
}

/** In as few transactions as etcd takes, some of them at a time. */
async function fill(shape: ClusterShape, endpoint: string): Promise<void> {
  const store = await openEtcdStore({ endpoints: [endpoint] }, { clock: systemClock, random: Math.random });
  try {
    const waiting: Write[][] = [];
    for (const write of clusterWrites(shape)) {
      if (waiting.length === 0 || waiting.at(-1)!.length === MAX_WRITES) waiting.push([]);
      waiting.at(-1)!.push(write);
    }
    const worker = async (): Promise<void> => {
      for (let batch = waiting.pop(); batch !== undefined; batch = waiting.pop()) await store.writeAll(batch);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  } finally {
    await store.close();
  }
}

async function answer(request: Request): Promise<object> {
  if (request.do === 'fill') await fill(request.shape, request.endpoint);
  if (request.do === 'listen') await listen(request.shape);
  if (request.do === 'expect') {
    hearing = nothing();
    if (request.shape.peering === 'mesh') call(request.shape);
  }
  return hearing satisfies Counts;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Request))}\n`);
}
process.exit(0);
