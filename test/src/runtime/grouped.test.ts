import { expect, test } from 'vitest';
import { Grouped } from '../../../src/runtime/grouped.ts';

/** Numbers, of which the odd ones are refused; what is served waits until `goOn`. */
function makeGrouped(limit = 10) {
  const served: (readonly number[])[] = [];
  const waiting: (() => void)[] = [];
  let turn = Promise.resolve();
  const grouped = new Grouped<number, string>({
    inTurn: (work) => (turn = turn.then(work)),
    serve: async (requests) => {
      served.push(requests);
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (requests.includes(0)) throw new Error('all of them');
      return requests.map((n) =>
        n % 2 === 0 ? { status: 'fulfilled', value: `${n}` } : { status: 'rejected', reason: new Error(`${n} is odd`) },
      );
    },
    limit,
  });
  const goOn = async (): Promise<void> => {
    for (let i = 0; i < 100 && waiting.length === 0; i++) await Promise.resolve();
    const resolve = waiting.shift();
    if (resolve === undefined) throw new Error('nobody is at work');
    resolve();
  };
  return { grouped, served, goOn };
}

const outcome = (asked: Promise<string>): Promise<string> => asked.catch((error: unknown) => (error as Error).message);

test('what comes while a group is at work is the next group, in order, and each request has its own outcome', async () => {
  const { grouped, served, goOn } = makeGrouped();
  const first = outcome(grouped.ask(2));
  await Promise.resolve();
  const others = [4, 5, 6].map((n) => outcome(grouped.ask(n)));
  await goOn();
  await goOn();
  expect(await Promise.all([first, ...others])).toEqual(['2', '4', '5 is odd', '6']);
  expect(served).toEqual([[2], [4, 5, 6]]);
  const last = outcome(grouped.ask(8));
  await goOn();
  expect(await last).toBe('8');
  expect(served).toHaveLength(3);
});

test('a group that fails as a whole fails for each of them, and for nobody else', async () => {
  const { grouped, goOn } = makeGrouped();
  const failing = [2, 0].map((n) => outcome(grouped.ask(n)));
  await goOn();
  expect(await Promise.all(failing)).toEqual(['all of them', 'all of them']);
  const next = outcome(grouped.ask(4));
  await goOn();
  expect(await next).toBe('4');
});

test('no group is larger than the limit, and nobody is left behind', async () => {
  const { grouped, served, goOn } = makeGrouped(2);
  const all = [2, 4, 6, 8, 10].map((n) => outcome(grouped.ask(n)));
  for (let i = 0; i < 3; i++) await goOn();
  expect(await Promise.all(all)).toEqual(['2', '4', '6', '8', '10']);
  expect(served).toEqual([[2, 4], [6, 8], [10]]);
});
