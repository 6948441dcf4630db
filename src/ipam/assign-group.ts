import { formatPrefix } from '../model/ip.ts';
import type { Assigned, AssignRequest } from './need.ts';
import { AssignSearch, familyOf } from './assign.ts';
import { assignmentsOf } from './held.ts';
import type { Records } from './records.ts';

type Outcome = PromiseSettledResult<Assigned>;

/**
 * Serves requests that wait at the same time: those that ask for the same, of one node out of the same pools, by one search.
 * Outcome i belongs to request i. A handle that has addresses already gets those; one that is asked for twice gets the same both times.
 */
export async function assignGroup(records: Records, requests: readonly AssignRequest[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const places of alike(requests)) {
    const held = await Promise.all(places.map((place) => heldBy(records, requests[place]!)));
    const missing = places.filter((_, i) => held[i] === undefined);
    const assigned = await assignMore(
      records,
      missing.map((place) => requests[place]!),
    );
    for (const [i, place] of missing.entries()) outcomes[place] = assigned[i]!;
    for (const [i, place] of places.entries()) outcomes[place] = held[i] ?? outcomes[place]!;
  }
  return outcomes;
}

/** Beside what the handles have already; all of one node and out of the same pools, no handle twice. Never rejects. */
export async function assignMore(records: Records, requests: readonly AssignRequest[]): Promise<readonly Outcome[]> {
  const [first, ...others] = requests;
  if (first === undefined) return [];
  try {
    const [config, reservations] = await Promise.all([records.config(), records.reservations()]);
    return await new AssignSearch(records, [first, ...others], { config, reservations }).run();
  } catch (reason) {
    return requests.map(() => ({ status: 'rejected', reason }));
  }
}

/** Undefined where it has nothing of the family yet. */
async function heldBy(records: Records, { handleId, pools }: AssignRequest): Promise<Outcome | undefined> {
  try {
    const family = familyOf(pools);
    const held = (await assignmentsOf(records, handleId)).filter(({ address }) => address.family === family);
    if (held.length === 0) return undefined;
    return { status: 'fulfilled', value: { addresses: held.map(({ address }) => address), claimed: [] } };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

/** The places of requests of one node and the same pools; of one handle, each time in another group, in order. */
function alike(requests: readonly AssignRequest[]): readonly (readonly number[])[] {
  const times = new Map<string, number>();
  const groups = new Map<string, number[]>();
  for (const [place, { node, handleId, pools }] of requests.entries()) {
    const time = (times.get(handleId) ?? 0) + 1;
    times.set(handleId, time);
    const places = pools.map(({ name, cidr, blockSize }) => [name, formatPrefix(cidr), blockSize]);
    const key = JSON.stringify([time, node, places]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return [...groups.values()];
}
